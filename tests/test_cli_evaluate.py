"""`digits evaluate`: what is right, what is taken for what, and the sheet of what is worth a look."""

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from app.cli import progress, sheet
from app.cli.__main__ import IMPOSSIBLE, main
from app.cli.evaluate import KEPT, NO_ANSWER, Judgement, interval
from app.cli.items import Item
from tests.support.pictures import drawn, encoded
from training.metrics import wilson


def digits(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of each of three digits, a 4 among the 9s, an empty picture, and a label that there is not."""
    folder = tmp_path_factory.mktemp("labelled")
    shown = {"3": [3, 3], "7": [7, 7], "9": [9, 9, 4]}
    for label, these in shown.items():
        (folder / label).mkdir()
        for place, digit in enumerate(these):
            (folder / label / f"{place}.png").write_bytes(encoded(drawn(digit)))
    (folder / "7" / "blank.png").write_bytes(encoded(Image.new("L", (60, 60), 255)))
    (folder / "ж").mkdir()
    (folder / "ж" / "0.png").write_bytes(encoded(drawn(0)))
    return folder


def check(figures: dict[str, Any]) -> None:
    assert {name: figures[name] for name in ("count", "right", "no_answer", "left_out")} == {
        "count": 8,
        "right": 6,
        "no_answer": 1,
        "left_out": {"ж": 1},
    }
    confusion = {(one["label"], one["answer"]): one["count"] for one in figures["confusion"]}
    assert confusion == {("3", "3"): 2, ("7", "7"): 2, ("7", NO_ANSWER): 1, ("9", "9"): 2, ("9", "4"): 1}


def test_folders_named_by_their_label(folder: Path, tmp_path: Path) -> None:
    result = digits("evaluate", folder, "--sheet", tmp_path / "sheet.png")
    assert result.exit_code == 0
    assert "right: 6 of 8, 75.00% (95% interval 40.93 to 92.85)" in result.stdout
    assert "left out, since the model has no such label: 1: 'ж' (1)" in result.stdout
    (nine,) = (line.split() for line in result.stdout.splitlines() if line.split()[:1] == ["9"])
    assert nine == ["9", *"....1....2.", "66.67%"]
    with Image.open(tmp_path / "sheet.png") as drawn_sheet:
        assert drawn_sheet.height > sheet.SIDE + 2 * sheet.HEADING


def test_a_list_and_a_program(folder: Path) -> None:
    with (folder / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("Label", "File", "writer"))
        rows.writerows((one.parent.name, one.relative_to(folder), 1) for one in sorted(folder.rglob("*.png")))
    check(json.loads(digits("evaluate", folder / "list.csv", "--json").stdout))
    check(json.loads(digits("evaluate", folder, "--json", "--jobs", 1).stdout))
    (folder / "wrong.csv").write_text("a,b\n1,2\n")
    refused = digits("evaluate", folder / "wrong.csv")
    assert refused.exit_code == IMPOSSIBLE
    assert "needs the headings file and label; it has a, b." in refused.stderr


def test_what_is_worth_a_look_comes_first() -> None:
    judgement = Judgement(["a", "b"])
    for place in range(3 * KEPT):
        confidence = (place * 7 % (3 * KEPT)) / (3 * KEPT)
        judgement.add(Item(str(place), b""), "A", {"label": "ab"[place % 2], "confidence": confidence, "sure": False})
    wrong, doubtful = judgement.wrong, judgement.doubtful
    assert len(wrong) == len(doubtful) == KEPT
    assert {seen.answer for seen in wrong} == {"b"}
    confidences = [seen.confidence for seen in wrong]
    assert confidences == sorted(confidences, reverse=True)
    assert min(confidences) > 0.3
    assert [seen.confidence for seen in doubtful] == sorted(seen.confidence for seen in doubtful)
    assert max(seen.confidence for seen in doubtful) < 0.7


def test_many_labels_are_told_by_their_mistakes() -> None:
    labels = [chr(place) for place in range(ord("а"), ord("а") + 30)]
    judgement = Judgement(labels, Counter({("а", "а"): 90, ("а", "о"): 7, ("б", "в"): 3}))
    words = judgement.in_words()
    assert "а taken for о: 7" in words
    assert words.index("taken for о") < words.index("б taken for в: 3")


def test_letters_that_no_font_has_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "_COMMON", "no-such-font.ttf")
    sheet._in_a_font.cache_clear()
    assert [sheet._in_a_font(one)[0] for one in "a七ж"] == ["a", "七", "U+0436"]
    sheet._in_a_font.cache_clear()


@pytest.mark.parametrize(("right", "count"), [(0, 10), (10, 10), (997, 1000), (1, 3)])
def test_the_interval_is_the_one_of_the_other_figures(right: int, count: int) -> None:
    assert interval(right, count) == pytest.approx(wilson(right, count), abs=1e-4)


@pytest.mark.parametrize(
    ("done", "count", "rate", "said"),
    [
        (0, 10, 0.0, "0 of 10 (0.0%), 0 a second"),
        (12_345, 1_000_000, 1873.4, "12,345 of 1,000,000 (1.2%), 1,873 a second, 8 min 47 s left"),
        (10, 10, 5.0, "10 of 10 (100.0%), 5 a second, 0 s left"),
        (1, 1_000_000, 10.0, "1 of 1,000,000 (0.0%), 10 a second, 27 h 46 min left"),
    ],
)
def test_how_far_it_is(done: int, count: int, rate: float, said: str) -> None:
    assert progress.in_words(done, count, rate) == said


def test_a_bar_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("app.cli.progress.time.monotonic", lambda: next(clock))
    for terminal, last in (
        (True, "100 of 100 (100.0%), 1 a second, 0 s left"),
        (False, "80 of 100 (80.0%), 1 a second"),
    ):
        target = io.StringIO()
        monkeypatch.setattr(target, "isatty", lambda there=terminal: there)
        bar = progress.Progress(100, done=20, target=target)
        for _ in range(8):
            bar.advance(10)
        bar.end()
        written = target.getvalue()
        assert ("\r" in written) == terminal
        assert last in written
        assert written.count(" of 100") == (8 if terminal else 2)
