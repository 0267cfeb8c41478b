"""The command line over many pictures: what it writes, what it says, and how it goes on after any end."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from app import settings
from app.cli import local, plan, run, tables
from app.cli.__main__ import IMPOSSIBLE, INTERRUPTED, SOME_BROKEN, main
from app.cli.answering import Question
from app.cli.items import Item, Unreadable
from app.cli.journal import InUse, Journal
from app.cli.local import Local
from app.cli.plan import NothingToRead, Plan
from tests.support.api import serving
from tests.support.left_out import left_out
from tests.support.pictures import drawn, encoded, number

ROOT = Path(__file__).parent.parent


def digits(*arguments: object, **options: Any) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], **options)


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, in a folder each, and what is none."""
    folder = tmp_path_factory.mktemp("pictures")
    for digit in range(10):
        (folder / str(digit)).mkdir()
        for place, extent in enumerate((140, 160, 180)):
            (folder / str(digit) / f"{place}.png").write_bytes(encoded(drawn(digit, extent=extent)))
    (folder / "blank.png").write_bytes(encoded(Image.new("L", (60, 60), 255)))
    (folder / "cut.png").write_bytes(encoded(drawn(3))[:200])
    (folder / "empty.JPG").touch()
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").touch()
    return folder


PICTURES, BROKEN = 33, {"blank.png": "blank_image", "cut.png": "damaged_picture", "empty.JPG": "empty_file"}


def labelled(answers: list[dict[str, Any]]) -> dict[str, str]:
    """What is answered to each picture, or why nothing is, by the end of its name."""
    return {"/".join(one["file"].split("/")[-2:]): one.get("label") or one["code"] for one in answers}


def test_a_folder(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "answers.jsonl"
    result = digits("predict", folder, "--output", output)
    assert result.exit_code == SOME_BROKEN
    answers = rows(output)
    assert [one["file"] for one in answers] == sorted(one["file"] for one in answers)
    told = labelled(answers)
    assert len(told) == len(answers) == PICTURES
    assert {name: told[f"{folder.name}/{name}"] for name in BROKEN} == BROKEN
    assert all(told[f"{digit}/{place}.png"] == str(digit) for digit in range(10) for place in range(3))
    assert f"33 pictures, in {output}." in result.stderr
    assert "Passed over, by its ending no picture: 2 other files." in result.stderr
    assert "Without an answer: 3 pictures." in result.stderr
    assert "cut.png': The picture is damaged" in result.stderr
    assert sorted(tmp_path.iterdir()) == [output]


def test_the_same_pictures_from_everywhere_and_by_a_server(folder: Path, tmp_path: Path) -> None:
    """Loose, in an archive, in a table, and asked of an API over HTTP: the same JSON but for the names."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".png", ".JPG") and file.name[0] != ".")
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(folder))
        archive.write(folder / "notes.txt", "notes.txt")
    names = [str(file.relative_to(folder)) for file in files]
    table = pyarrow.table({"name": names, "picture": [{"bytes": file.read_bytes()} for file in files]})
    pyarrow.parquet.write_table(table, tmp_path / "all.parquet", row_group_size=7)

    def told(source: Path, *options: object) -> dict[str, Any]:
        output = tmp_path / f"{source.name}.jsonl"
        assert digits("predict", source, "-o", output, "--anew", *options).exit_code == SOME_BROKEN
        answers = rows(output)
        return {one.pop("file").removeprefix(f"{source}/"): one for one in answers}

    loose = told(folder)
    assert list(loose) == sorted(names)
    assert told(tmp_path / "all.zip") == loose
    assert told(tmp_path / "all.parquet") == loose
    with serving(tmp_path, rate_per_address=0, api_keys="one") as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DIGITS_API_KEY", "one")
            assert told(folder, "--url", server.url) == loose
        refused = digits("predict", folder, "--url", server.url)
        assert refused.exit_code == IMPOSSIBLE
        assert "401" in refused.stderr


def test_the_standard_input_and_output(folder: Path) -> None:
    result = digits("predict", "-", "--format", "jsonl", input=(folder / "7" / "0.png").read_bytes())
    assert result.exit_code == 0
    (answer,) = map(json.loads, result.stdout.splitlines())
    assert (answer["file"], answer["label"]) == ("-", "7")
    assert result.stderr == ""


def test_a_table_for_people(folder: Path) -> None:
    result = digits("predict", folder / "5", folder / "blank.png", folder / "notes.txt")
    assert result.exit_code == SOME_BROKEN
    head, *answers = result.stdout.splitlines()
    assert head.split() == ["answer", "confidence", "file"]
    assert [line.split()[0] for line in answers] == ["5", "5", "5", "-", "-"]
    assert answers[0].endswith("5/0.png")
    assert "blank.png: Image is blank. Please provide a valid digit." in answers[3]
    assert "notes.txt: This is not a picture" in answers[4]


def test_csv_and_parquet(folder: Path, tmp_path: Path) -> None:
    for name in ("answers.csv", "answers.parquet"):
        assert digits("predict", folder, "-o", tmp_path / name).exit_code == SOME_BROKEN
    with (tmp_path / "answers.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(tmp_path / "answers.parquet").to_pylist()
    assert len(written) == len(table) == PICTURES
    for text, typed in zip(written, table, strict=True):
        for name in ("file", "label", "second", "error", "code"):
            assert text[name] == (typed[name] or "")
        assert text["confidence"] == ("" if typed["error"] else str(typed["confidence"]))
        assert typed["alternatives"] is None if typed["error"] else len(typed["alternatives"]) == 9
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answers.csv", "answers.parquet"]


def test_lines_are_read(tmp_path: Path) -> None:
    two_lines = Image.new("L", (360, 360), 255)
    two_lines.paste(number(2, 0, 2), (0, 0))
    two_lines.paste(number(6, 7, 1), (0, 190))
    (tmp_path / "a.png").write_bytes(encoded(two_lines))
    result = digits("read", tmp_path / "a.png", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["text"], row["characters"]) == ("202\n671", "6")
    digits("read", tmp_path / "a.png", "-o", tmp_path / "a.parquet")
    (typed,) = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [len(one["box"]) for one in typed["characters"]] == [4] * 6
    assert digits("read", tmp_path / "a.png").stdout.splitlines()[1].startswith("202 / 671")


@pytest.fixture
def many(folder: Path, tmp_path: Path) -> Path:
    """A folder of 700 names."""
    many = tmp_path / "many"
    many.mkdir()
    for place in range(700):
        source = folder / str(place % 10) / f"{place % 3}.png" if place % 70 else folder / "cut.png"
        os.link(source, many / f"{place:05}.png")
    return many


def started(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_lines(part: Path, lines: int) -> None:
    for _ in range(3000):
        if part.exists() and part.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError("nothing is written")


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.csv"])
def test_killed_again_and_again_it_loses_and_doubles_nothing(many: Path, tmp_path: Path, name: str) -> None:
    output, part = tmp_path / name, tmp_path / f"{name}.part"
    command = ("predict", many, "-o", output, "--jobs", 1)
    for lines in (1, 200):
        process = started(*command)
        wait_for_lines(part, lines)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not output.exists()
        with part.open("ab") as file:
            file.write(b'{"file":"half a li')
    process = started(*command)
    wait_for_lines(part, 300)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == INTERRUPTED
    assert "The same command goes on from there." in said
    result = digits(*command)
    assert result.exit_code == SOME_BROKEN
    assert "700 pictures, " in result.stderr
    assert "of them by an earlier run" in result.stderr
    assert "Without an answer: 10 pictures." in result.stderr
    digits("predict", many, "-o", tmp_path / f"whole-{name}")
    assert output.read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    assert output.read_bytes().count(b"\n") >= 700
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.plan"))


def test_what_died_while_it_finished(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the answers and the file, and between the file and the end."""
    output = tmp_path / "answers.csv"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("app.cli.outputs.write_text", die)
        assert digits("predict", folder, "-o", output).exit_code == INTERRUPTED
    with monkeypatch.context() as patch:
        patch.setattr(run.Run, "_answers", lambda *_: iter([]))
        kept = (tmp_path / "answers.csv.plan").read_bytes()
        assert digits("predict", folder, "-o", output).exit_code == SOME_BROKEN
        written = output.read_bytes()
        (tmp_path / "answers.csv.plan").write_bytes(kept)
        result = digits("predict", folder, "-o", output)
        assert result.exit_code == 0
        assert "33 pictures, 33 of them by an earlier run" in result.stderr
    assert output.read_bytes() == written
    assert sorted(tmp_path.iterdir()) == [output]


def test_nothing_is_overwritten_or_mixed(folder: Path, many: Path, tmp_path: Path) -> None:
    output = tmp_path / "answers.jsonl"
    assert digits("predict", folder / "3", "-o", output).exit_code == 0
    again = digits("predict", folder / "4", "-o", output)
    assert again.exit_code == IMPOSSIBLE
    assert "is there already" in again.stderr
    assert digits("predict", folder / "4", "-o", output, "--anew").exit_code == 0
    assert set(labelled(rows(output)).values()) == {"4"}

    process = started("predict", many, "-o", tmp_path / "b.jsonl", "--jobs", 1)
    wait_for_lines(tmp_path / "b.jsonl.part", 1)
    at_once = digits("predict", many, "-o", tmp_path / "b.jsonl")
    process.kill()
    process.communicate()
    assert at_once.exit_code == IMPOSSIBLE
    assert "is being written by another program" in at_once.stderr
    other = digits("predict", folder, "-o", tmp_path / "b.jsonl")
    assert other.exit_code == IMPOSSIBLE
    assert "asked for something else" in other.stderr

    part = tmp_path / "b.jsonl.part"
    part.write_bytes(part.read_bytes().replace(b'"version":"', b'"version":"older '))
    newer = digits("predict", many, "-o", tmp_path / "b.jsonl")
    assert newer.exit_code == IMPOSSIBLE
    assert "begun with the model older " in newer.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "There is no file or folder nowhere."),
        (["."], "There is no picture in ."),
        (["a.png", "--alphabet", "klingon"], "There is no alphabet klingon. There are: chinese, digits, ukrainian."),
        (["a.png", "-o", "answers.doc"], "Say so: --format"),
        (["a.png", "--format", "parquet"], "Parquet is written to a file"),
        (["a.png", "--url", "http://127.0.0.1:1"], "does not answer"),
        (["a.zip"], "it is no ZIP archive"),
        (["a.parquet"], "cannot be read as Parquet"),
        (["b.parquet"], "columns of bytes: one, two. Say which: --column"),
        (["b.parquet", "--column", "three"], "has no column three"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    if arguments == ["."]:
        monkeypatch.chdir(tmp_path / "empty")
    os.link(folder / "3" / "0.png", tmp_path / "a.png")
    for name in ("a.zip", "a.parquet"):
        (tmp_path / name).write_bytes(b"PK nothing of the kind")
    pyarrow.parquet.write_table(pyarrow.table({"one": [b"x"], "two": [b"y"]}), tmp_path / "b.parquet")
    result = digits("predict", *arguments)
    assert result.exit_code == IMPOSSIBLE
    assert said in result.stderr
    assert result.stdout == ""


def test_without_pyarrow_it_says_what_to_install(folder: Path, tmp_path: Path) -> None:
    with left_out():
        result = digits("predict", folder / "3" / "0.png", "-o", tmp_path / "answers.parquet")
    assert result.exit_code == IMPOSSIBLE
    assert "pip install 'digit-recognition-app[parquet]'" in result.stderr
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True, slots=True)
class Deadly(Item):
    """Ends whoever opens it, as a decoder does that goes astray."""

    def load(self) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""


@pytest.fixture
def engine() -> Iterator[Local]:
    known = settings.load()
    engine = Local(Question("predict", "digits", known.models_dir, known.max_pixels), 2)
    yield engine
    engine.close()


def test_a_picture_that_kills_is_told_from_the_others(engine: Local, folder: Path) -> None:
    good = str(folder / "3" / "0.png")
    items = [Deadly(str(place), good) if place in (5, 40, 41) else Item(str(place), good) for place in range(200)]
    answers = [json.loads(line) for lines in engine.answers(items) for line in lines]
    assert [one["file"] for one in answers] == [str(place) for place in range(200)]
    assert {one["file"]: one["code"] for one in answers if "code" in one} == dict.fromkeys(
        ("5", "40", "41"), "too_laborious"
    )
    assert sum(one.get("label") == "3" for one in answers) == 197


def test_a_slow_one_does_not_let_the_others_pile_up(engine: Local, folder: Path) -> None:
    """The one that comes first is waited for; meanwhile no more than a few are taken from the source."""
    engine._workers[0].process.send_signal(signal.SIGSTOP)
    good = str(folder / "3" / "0.png")
    taken = 0

    def items() -> Iterator[Item]:
        nonlocal taken
        for place in range(5000):
            taken += 1
            if place == 2000:
                engine._workers[0].process.send_signal(signal.SIGCONT)
            yield Item(str(place), good)

    answers = engine.answers(items())
    engine._workers[0].process.send_signal(signal.SIGCONT)
    next(answers)
    assert taken <= 32 * (local.OUT_OF_ORDER * 2 + 2 * local.AHEAD)


def test_names_are_sorted_without_all_of_them_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 60_000
    names = (f"huge/{place * 7919 % count:08}-{'x' * 60}.png" for place in range(count))
    monkeypatch.setattr(plan, "_pictures_in", lambda *_: names)
    monkeypatch.setattr(plan, "NAMES_AT_ONCE", 2_000)
    tracemalloc.start()
    made = Plan.made(tmp_path / "plan", [str(tmp_path)], {})
    assert made.count == count
    for place, item in enumerate(made.items()):
        assert item.name.startswith(f"huge/{place:08}")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert place == count - 1
    assert most < 2_500_000, "the names alone are six million bytes"
    assert next(made.items(41_234)).name.startswith("huge/00041234")


def test_going_on_in_the_middle_of_a_table(tmp_path: Path) -> None:
    table = pyarrow.table({"picture": [bytes([place]) for place in range(200)]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=30)
    for start in (0, 1, 29, 30, 31, 95, 199, 200):
        found = list(tables.items(str(tmp_path / "t.parquet"), None, start))
        assert [one.where for one in found] == [bytes([place]) for place in range(start, 200)]
        assert [one.name.rpartition("/")[2] for one in found] == [str(place) for place in range(start, 200)]


def test_a_journal_is_one_program_s(tmp_path: Path) -> None:
    with Journal(tmp_path / "part") as journal:
        journal.write([b"one", b"two"])
        with pytest.raises(InUse):
            Journal(tmp_path / "part")
    (tmp_path / "part").write_bytes(b"one\ntwo\n" + b"x" * 200_000)
    with Journal(tmp_path / "part") as journal:
        assert list(journal.lines()) == [b"one", b"two"]


def test_what_changes_while_a_run_rests(folder: Path, tmp_path: Path) -> None:
    """A file that is gone is one without an answer; of an archive, nobody knows which members have been read."""
    pictures, archive = tmp_path / "pictures", tmp_path / "a.zip"
    pictures.mkdir()
    for place in range(3):
        os.link(folder / "3" / "0.png", pictures / f"{place}.png")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(folder / "3" / "0.png", "0.png")
    made = Plan.made(tmp_path / "plan", [str(pictures), str(archive)], {})
    (pictures / "1.png").unlink()
    with zipfile.ZipFile(archive, "a") as packed:
        packed.write(folder / "3" / "1.png", "1.png")
    items = made.items()
    loose = [next(items) for _ in range(3)]
    with pytest.raises(Unreadable, match="The file cannot be read: No such file or directory"):
        loose[1].load()
    with pytest.raises(NothingToRead, match=r"a\.zip has changed since the run was begun"):
        next(items)


def test_a_plan_that_was_never_finished_is_cleared_away(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".a[b].csv.plan.rest").mkdir()
    assert digits("predict", folder / "3", "-o", tmp_path / "a[b].csv").exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a[b].csv"]


def test_odd_names(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in (b"line\nbreak.png", b'quote".png', b"\xff\xfe.png", "шість.png".encode()):
        os.link(os.fsencode(folder / "6" / "0.png"), os.fsencode(odd) + b"/" + name)
    output = tmp_path / "answers.jsonl"
    assert digits("predict", odd, "-o", output).exit_code == 0
    assert {one["label"] for one in rows(output)} == {"6"}
    assert {os.fsencode(one["file"]) for one in rows(output)} == {os.fsencode(file) for file in odd.iterdir()}
    table = digits("predict", odd).stdout
    assert len(table.splitlines()) == 5
    for table_or_csv in ("answers.csv", "answers.parquet"):
        assert digits("predict", odd, "-o", tmp_path / table_or_csv).exit_code == 0
    with (tmp_path / "answers.csv").open(newline="", errors="surrogateescape") as file:
        assert {one["file"] for one in csv.DictReader(file)} == {str(file) for file in odd.iterdir()}
