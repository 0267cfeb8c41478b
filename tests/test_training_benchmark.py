"""The benchmark of training runs both recipes and writes what it saw."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.handwriting import DATA
from tests.test_training import ROOT


def test_both_recipes_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.training", "--data", str(DATA), "--output", str(tmp_path)]
    options = ["--seeds", "1", "--epochs", "2", "--plain-epochs", "1", "--limit", "120", "--target", "1"]
    finished = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    runs = json.loads((tmp_path / "training.json").read_text())["runs"]
    assert [(run["name"], len(run["course"])) for run in runs] == [("this recipe", 2), ("plain recipe", 1)]
    assert all(run["seconds_to_target"] == run["course"][0]["seconds"] > 0 for run in runs)
    assert "| this recipe, 2 epochs | 1 |" in (tmp_path / "training.md").read_text()
