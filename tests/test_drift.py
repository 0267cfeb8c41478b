"""Answers against those of a model's record: what drifts is told, and what does not is not."""

import numpy as np
import pytest
from pydantic import ValidationError

from app import drift
from app.drift import BINS, Reference
from training.reference import reference_of, set_for

DIGITS = list("0123456789")
EVEN = Reference(
    pictures="drawings", count=1500, labels=dict.fromkeys(DIGITS, 0.1), confidence=(0,) * 7 + (0.01, 0.02, 0.97)
)


def test_the_index_is_the_sum_over_groups() -> None:
    """By hand: 0.1 * ln(0.6 / 0.5) - 0.1 * ln(0.4 / 0.5)."""
    found = drift.drift([0.5, 0.5], 1_000_000, [600_000, 400_000])
    assert found
    assert found.index == pytest.approx(0.040547, abs=1e-5)
    assert not found.matters


def test_what_is_drawn_from_the_record_itself_drifts_less_than_once_in_a_thousand() -> None:
    rng = np.random.default_rng(1)
    above = 0
    for count in [100, 300, 3000] * 300:
        found = drift.of_labels(EVEN, dict(zip(DIGITS, rng.multinomial(count, [0.1] * 10), strict=True)))
        assert found
        assert not found.matters
        above += found.index > found.by_chance
    assert above <= 4


@pytest.mark.parametrize("count", [99, 0])
def test_of_few_answers_nothing_is_said(count: int) -> None:
    assert drift.of_labels(EVEN, {"7": count}) is None


def test_one_label_for_all_and_doubt_everywhere_are_drifts() -> None:
    sevens, doubtful = drift.of_labels(EVEN, {"7": 100}), drift.of_confidence(EVEN, [0] * 4 + [30] * 4 + [0] * 2)
    assert sevens
    assert doubtful
    assert sevens.matters
    assert doubtful.matters


def test_some_more_doubt_is_none() -> None:
    found = drift.of_confidence(EVEN, [0] * 7 + [6, 12, 282])
    assert found
    assert not found.matters


def test_a_label_that_the_record_does_not_know_counts() -> None:
    found = drift.of_labels(EVEN, dict.fromkeys(DIGITS, 20) | {"x": 200})
    assert found
    assert found.matters


@pytest.mark.parametrize(("confidence", "tenth"), [(0, 0), (0.05, 0), (0.1, 0), (0.11, 1), (0.9, 8), (0.95, 9), (1, 9)])
def test_tenths(confidence: float, tenth: int) -> None:
    assert drift.bin_of(confidence) == tenth


def test_a_reference_of_answers_leaves_out_what_was_refused() -> None:
    answers = np.array([[0.95, 0.05], [0.3, 0.7], [0, 0], [0.99, 0.01]])
    assert reference_of(answers, ["a", "b"], "letters") == Reference(
        pictures="letters",
        count=3,
        labels={"a": 0.666667, "b": 0.333333},
        confidence=(0, 0, 0, 0, 0, 0, 0.333333, 0, 0, 0.666667),
    )


def test_drawings_are_the_reference_where_there_are_any() -> None:
    assert set_for(["MNIST test", "drawings"], "MNIST test") == "drawings"
    assert set_for(["MNIST test", "USPS"], "MNIST test") == "MNIST test"


def test_a_reference_has_all_tenths() -> None:
    with pytest.raises(ValidationError):
        Reference(pictures="x", count=1, labels={}, confidence=(1.0,) * (BINS - 1))
