"""Judging a change of the reading code: every kind of set is read, and what changed is told picture by picture."""

import csv
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.reading.recognizer import Recognizer
from app.settings import Settings
from tests.support.handwriting import DATA
from tests.support.pictures import drawn, encoded
from training.answers import Answers
from training.datasets import NO_CHARACTER
from training.evaluation_sets import EvaluationSet, glyph_of_file
from training.reading_report import Outcomes, table_of
from training.reading_sets import made, real

ROOT = Path(__file__).parent.parent


def evaluate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "training.evaluate", "--data", str(DATA), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"COLUMNS": "160"},
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "others.zip"
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["file", "label", "kind"])
    with zipfile.ZipFile(file, "w") as content:
        for label in range(10):
            rows.writerow([f"{label}.png", label, "pad" if label < 4 else "scan"])
            content.writestr(f"{label}.png", encoded(drawn(label)))
        content.writestr("others.csv", table.getvalue())
    return file


def test_the_command_before_and_after_a_change(archive: Path, tmp_path: Path) -> None:
    kept = tmp_path / "before.json"
    arguments = ("--reading", "--count", "2", "--only", "s", "--real", str(archive))
    before = evaluate(*arguments, "--save", str(kept))
    assert before.returncode == 0, before.stderr
    rows = {line.split("  ")[0].strip(): line.split() for line in before.stdout.splitlines() if line.strip()}
    assert {"frames", "thin pens", "photographs, Wolf first", "others: pad", "others: scan"} <= set(rows)
    assert rows["others: pad"][2:] == ["2", "100.00", "0.00", "0.00"]
    after = evaluate(*arguments, "--against", str(kept))
    assert "now wrong" in after.stdout
    (pad,) = (line.split() for line in after.stdout.splitlines() if "others: pad" in line)
    assert pad[-3:] == ["100.00", "0", "0"]


def test_what_cannot_be_asked() -> None:
    assert "there is no file nowhere.zip" in evaluate("--reading", "--real", "nowhere.zip").stderr
    assert "need --reading" in evaluate("--save", "kept.json").stderr


def test_most_of_what_is_hard_is_read_today() -> None:
    """But for binarised photographs: that those are read worse is why they are not binarised."""
    recognizer = Recognizer(Settings().models_dir / "digits" / "model.onnx")
    for one in (one.first(10) for one in made(DATA)):
        if "first" not in one.name:
            outcomes = _outcomes(recognizer, one)
            assert outcomes.right.mean() >= 0.8, one.name
            assert one.name != "blank paper" or outcomes.refused.mean() >= 0.8


def _outcomes(recognizer: Recognizer, one: EvaluationSet) -> Outcomes:
    glyphs = [glyph_of_file(one.file, recognizer.record.cleaning, index) for index in range(len(one.labels))]
    return Outcomes.of(Answers.of(recognizer, one.labels, glyphs), recognizer.labels, recognizer.record.sure_from)


def test_folders_are_labels(tmp_path: Path) -> None:
    file = tmp_path / "registers.zip"
    with zipfile.ZipFile(file, "w") as content:
        content.writestr("3/a.png", encoded(drawn(3)))
        content.writestr("8/b.png", encoded(drawn(8)))
    (one,) = real([file])
    assert one.name == "registers: all"
    assert one.labels.tolist() == [3, 8]
    assert one.file(1) == encoded(drawn(8))


def test_what_counts_as_right() -> None:
    shares = np.array([[0.95, 0.05], [0.4, 0.6], [0, 0], [0.95, 0.05], [0.4, 0.6], [0, 0]], np.float32)
    labels = np.array([0, 0, 0, NO_CHARACTER, NO_CHARACTER, NO_CHARACTER])
    now = Outcomes.of(Answers(labels, np.zeros((6, 28, 28), np.float32), shares), ["a", "b"], sure_from=0.9)
    assert now.right.tolist() == [True, False, False, False, True, True]
    assert now.sure_and_wrong.tolist() == [False, False, False, True, False, False]
    assert now.refused.tolist() == [False, False, True, False, False, True]
    before = Outcomes(now.expected, ["b", "a", "-", "a", "b", "-"], [False] * 6)
    (row,) = zip(*(column.cells for column in table_of({"one": now}, {"one": before}).columns), strict=True)
    assert row[-3:] == ("66.67", "1", "2")
