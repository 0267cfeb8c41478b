"""Accuracies are found in any record, with the interval that their count allows."""

import pytest
from scipy.stats import binomtest

from app.ui.figures import Accuracy, accuracies, families, others
from app.ui.views.quality import in_words


def test_groups_are_found_at_any_depth() -> None:
    figures = {
        "validation": {"MNIST": {"accuracy": 0.96, "count": 100}, "note": "x"},
        "MNIST test": {"accuracy": 0.9958, "count": 10000, "per class": {"7": {"accuracy": 1, "count": 1028}}},
        "speed": {"milliseconds": 0.2},
        "drawn": {"accuracy": 0.5, "count": 2, "what": "drawn by hand"},
        "empty": {"accuracy": 1.0, "count": 0},
    }
    assert [(one.name, one.share, one.count, one.what) for one in accuracies(figures)] == [
        ("validation, MNIST", 0.96, 100, ""),
        ("MNIST test", 0.9958, 10000, ""),
        ("MNIST test, per class, 7", 1.0, 1028, ""),
        ("drawn", 0.5, 2, "drawn by hand"),
    ]


@pytest.mark.parametrize(("right", "count"), [(95, 100), (9958, 10000), (10, 10), (0, 10)])
def test_interval_is_scipy_s(right: int, count: int) -> None:
    expected = binomtest(right, count).proportion_ci(method="wilson")
    assert Accuracy("", right / count, count).interval == pytest.approx((expected.low, expected.high))


def test_a_large_family_stands_apart() -> None:
    corruptions = [Accuracy(f"MNIST-C {kind}", 0.9, 100) for kind in ("fog", "noise", "blur", "mean")]
    test = Accuracy("MNIST test", 0.99, 100)
    validation = [Accuracy(f"validation, {name}", 0.9, 100) for name in ("MNIST", "small", "damaged", "drawings")]
    large = {"MNIST-C": corruptions, "validation": validation}
    assert families([test, *corruptions, *validation]) == ([test], large)
    assert families([test, *corruptions[:3]]) == ([test, *corruptions[:3]], {})


def test_other_figures_are_listed_by_name() -> None:
    figures = {"calibration": {"expected_calibration_error": 0.00421, "count": 10000}, "t": {"accuracy": 1, "count": 1}}
    assert list(others(figures)) == [
        ("calibration: expected calibration error", "0.00421"),
        ("calibration: count", "10,000"),
    ]


@pytest.mark.parametrize(
    ("name", "share", "says"),
    [
        ("drawings", 0.9933, "It is wrong on about <b>7</b> of 1,000 drawings."),
        ("drawings", 0.9998, "It is wrong on fewer than 1 of 1,000 drawings."),
        ("<a> test", 0.9, "It is wrong on about <b>100</b> of 1,000 pictures (&lt;a&gt; test)."),
    ],
)
def test_a_figure_as_a_sentence(name: str, share: float, says: str) -> None:
    assert in_words(Accuracy(name, share, 1000)) == says
