"""Figures, against values worked out by hand or by a library."""

import numpy as np
import pytest
from scipy import stats

from training import evaluation


def test_wilson_against_scipy() -> None:
    for correct, count in ((0, 10), (95, 100), (9975, 10_000), (7, 7)):
        expected = stats.binomtest(correct, count).proportion_ci(0.95, method="wilson")
        assert evaluation.wilson(correct, count) == pytest.approx((expected.low, expected.high))


def test_calibration_error() -> None:
    shares = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 8 + [1] * 2)
    assert evaluation.calibration_error(shares, labels) == pytest.approx(0)
    assert evaluation.calibration_error(shares, np.zeros(10, int)) == pytest.approx(0.2)


def test_roc_area_against_scipy() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 20, 300) + 3.0, rng.integers(0, 20, 200) + 0.0
    statistic = stats.mannwhitneyu(positive, negative).statistic
    assert evaluation.roc_area(positive, negative) == pytest.approx(statistic / (300 * 200))


def test_temperature_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 10)) * 3
    labels = np.array([rng.choice(10, p=row) for row in evaluation.softmax(logits)])
    assert evaluation.temperature(2 * logits, labels) == pytest.approx(2, rel=0.05)
