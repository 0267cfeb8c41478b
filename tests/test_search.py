"""A search end to end: trials on a few hundred real digits, gone on with, recorded, drawn and tracked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tests.support.handwriting import DATA
from tests.support.wandb_file import records
from tests.test_training import ROOT
from training import search as searching
from training.devices import Device


def search(output: Path, trials: int, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train_model.py", "--data", str(DATA), "--output", str(output), "--search", str(trials)]
    return subprocess.run(
        [*command, "--epochs", "1", "--limit", "90", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    output = tmp_path_factory.mktemp("run") / "digits"
    finished = search(output, 2, WANDB_MODE="offline")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return output, finished


def record_of(output: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((output / "search" / "search.json").read_text())
    return record


def test_the_record_has_every_trial_and_the_best(searched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, finished = searched
    record = record_of(output)
    assert len(record["trials"]) >= 2
    assert all(trial["losses"] and trial["settings"] for trial in record["trials"])
    complete = [trial for trial in record["trials"] if trial["state"] == "complete"]
    assert record["best"]["loss"] == min(trial["losses"][-1] for trial in complete)
    assert record["trials"][0]["settings"]["strength"] == 1  # what ships is tried first
    assert f"Best of {len(record['trials'])}: trial {record['best']['trial']}" in finished.stdout
    assert (output / "search" / "search-history.png").stat().st_size > 5000
    assert not (output / "search" / "data.pt").exists()


def test_each_trial_is_a_run_of_one_group(searched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, _ = searched
    runs = [record.run for file in output.glob("search/wandb/*/run-*.wandb") for record in records(file)]
    runs = [run for run in runs if run.run_id]
    assert {run.display_name for run in runs} >= {"trial-0", "trial-1"}
    assert {run.run_group for run in runs} == {"search-digits"}


def test_a_longer_search_goes_on(searched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, _ = searched
    before = record_of(output)["trials"]
    assert search(output, 6, "--no-track").returncode == 0
    after = record_of(output)
    assert after["trials"][: len(before)] == before
    assert len(after["trials"]) >= 6
    assert set(after["importance"]) == set(after["trials"][0]["settings"])
    assert (output / "search" / "search-importance.png").stat().st_size > 5000


def test_other_conditions_are_refused(searched: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    finished = search(searched[0], 9, "--no-track", "--seed", "2")
    assert finished.returncode == 1
    assert "made under other conditions" in finished.stderr
    assert "Traceback" not in finished.stderr


def parabola(trial: optuna.Trial, where: Device) -> float:
    assert where.threads >= 1
    value = trial.suggest_float("x", -1, 1) ** 2
    trial.report(value, step=1)
    return value


def test_a_trial_that_was_interrupted_is_given_up(tmp_path: Path) -> None:
    searching.run(parabola, 1, {"x": 0.5}, {}, tmp_path)
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path / 'study.db'}")
    interrupted = study.ask().number
    searching.run(parabola, 4, {"x": 0.5}, {}, tmp_path)
    assert study.trials[interrupted].state == TrialState.FAIL
    record = json.loads((tmp_path / "search.json").read_text())
    assert interrupted not in [trial["trial"] for trial in record["trials"]]
    assert record["best"]["loss"] <= 0.25


def broken(trial: optuna.Trial, where: Device) -> float:
    raise ZeroDivisionError


def test_a_trial_that_fails_ends_the_search(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="A trial failed"):
        searching.run(broken, 2, {"x": 0.5}, {}, tmp_path)
    assert "ZeroDivisionError" in capfd.readouterr().err
