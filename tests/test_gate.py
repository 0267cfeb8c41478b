"""Which models may take the live one's place."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from training.gate import objections

LIVE = {
    "MNIST test": {"accuracy": 0.997, "count": 10000, "low": 0.9957, "high": 0.9979},
    "drawings": {"accuracy": 0.9933, "count": 1498, "low": 0.9878, "high": 0.9964},
    "calibration": {"expected_calibration_error": 0.002, "count": 10000},
}


@pytest.mark.parametrize(
    ("mnist", "said"),
    [
        ({"accuracy": 0.998}, []),
        ({"accuracy": 0.9958}, []),
        ({"accuracy": 0.9956}, ["MNIST test: 99.56%, and the live model 99.70%"]),
        (None, ["MNIST test: not measured"]),
    ],
)
def test_none_that_is_worse_or_was_not_measured(mnist: dict[str, float] | None, said: list[str]) -> None:
    new = {"drawings": {"accuracy": 0.9933}} | ({"MNIST test": mnist} if mnist else {})
    assert objections(LIVE, new) == said


def test_the_command_refuses_in_words(tmp_path: Path) -> None:
    live = Settings().models_dir / "digits" / "record.json"
    record = json.loads(live.read_text())
    shown = f"{record['figures']['drawings']['accuracy']:.2%}"
    for accuracy, expected in ((None, 0), (0.9, 1)):
        if accuracy:
            record["figures"]["drawings"]["accuracy"] = accuracy
        (tmp_path / "new.json").write_text(json.dumps(record))
        command = [sys.executable, "-m", "training.gate", "--live", str(live), "--new", str(tmp_path / "new.json")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == expected
    assert done.stderr.splitlines()[1:] == [f"drawings: 90.00%, and the live model {shown}"]
