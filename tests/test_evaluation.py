"""Figures, against values worked out by hand or by a library; and one table, whoever is asked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.support.api import ROOT, serving
from tests.support.handwriting import DATA
from tests.support.ports import free_port
from training import metrics
from training.evaluate import spread


def test_wilson_against_scipy() -> None:
    for correct, count in ((0, 10), (95, 100), (9975, 10_000), (7, 7)):
        expected = stats.binomtest(correct, count).proportion_ci(0.95, method="wilson")
        assert metrics.wilson(correct, count) == pytest.approx((expected.low, expected.high))


def test_calibration_error() -> None:
    shares = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 8 + [1] * 2)
    assert metrics.calibration_error(shares, labels) == pytest.approx(0)
    assert metrics.calibration_error(shares, np.zeros(10, int)) == pytest.approx(0.2)


def test_roc_area_against_scipy() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 20, 300) + 3.0, rng.integers(0, 20, 200) + 0.0
    statistic = stats.mannwhitneyu(positive, negative).statistic
    assert metrics.roc_area(positive, negative) == pytest.approx(statistic / (300 * 200))


def test_the_spread_is_of_what_all_seeds_were_asked() -> None:
    """Other seeds are asked about glyphs alone, and of a case nothing is known then."""
    one = {"letters": {"accuracy": 0.9}, "letters, case": {"accuracy": 0.8}, "calibration": {"error": 0.01}}
    found = spread([one, {"letters": {"accuracy": 0.7}}])
    assert found == {
        "letters": {"mean": pytest.approx(0.8), "deviation": pytest.approx(0.02**0.5), "values": [0.9, 0.7]}
    }


def test_temperature_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 10)) * 3
    labels = np.array([rng.choice(10, p=row) for row in metrics.softmax(logits)])
    assert metrics.temperature(2 * logits, labels) == pytest.approx(2, rel=0.05)


def evaluate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.evaluate", "--data", str(DATA), "--count", "40", "--only", "test"]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_running_api_gives_the_same_table(tmp_path: Path) -> None:
    here = evaluate()
    with serving(tmp_path) as server:
        there = evaluate("--api", server.url)
    assert here.returncode == 0, here.stderr
    assert "MNIST test" in here.stdout
    assert there.stdout == here.stdout


def test_an_api_that_is_not_there_is_named() -> None:
    finished = evaluate("--api", f"http://127.0.0.1:{free_port()}")
    assert finished.returncode == 1
    assert "The API does not answer" in finished.stderr
    assert "Traceback" not in finished.stderr
