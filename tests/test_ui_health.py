"""What the page says of the answers' drift and of what people said of them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.client.models import Alphabet
from app.client.watching import Expected, Index, OfVersion, Verdicts, Watched
from app.ui.views.health import page

ALPHABET = Alphabet(name="digits", labels=["1", "7"], version="2")
STILL, DRIFTS = (Index(index=index, by_chance=0.1, drifts=index > 0.2) for index in (0.02, 0.5))


def watched(**changes: Any) -> Watched:
    fields: dict[str, Any] = {
        "alphabet": "digits",
        "version": "2",
        "since": datetime(2026, 11, 26, 9, 5, tzinfo=UTC),
        "answers": 1200,
        "unsure": 60,
        "labels": {"1": 300, "7": 900},
        "confidence": [0] * 9 + [1200],
        "expected": Expected(
            pictures="drawings", count=1498, labels={"1": 0.5, "7": 0.5}, confidence=[0.0] * 8 + [0.1, 0.9]
        ),
        "labels_drift": STILL,
        "confidence_drift": STILL,
        "warning": None,
        "versions": [OfVersion(version="2", answers=1200, unsure=60)],
        "verdicts": [],
    }
    return Watched(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, "sure", "Nothing has drifted"),
        ({"confidence_drift": DRIFTS}, "unsure", "not as sure as when the model was judged"),
        ({"labels_drift": DRIFTS}, "unsure", "far more or far less often"),
        ({"labels_drift": None, "confidence_drift": None, "answers": 99}, "none", "99 answers so far. From 100 on"),
        ({"labels_drift": None, "confidence_drift": None, "expected": None}, "none", "does not say what to expect"),
        ({"labels_drift": None, "confidence_drift": None, "answers": 0}, "none", "0 answers so far"),
    ],
)
def test_it_is_told_in_plain_words(changes: dict[str, Any], kind: str, words: str) -> None:
    shown = page(watched(**changes), ALPHABET)
    assert f'class="answer health {kind}"' in shown
    assert words in shown


def test_answers_are_shown_beside_what_was_expected() -> None:
    shown = page(watched(), ALPHABET)
    assert "1,200 answers since 2026-11-26 09:05 UTC, 5.0% of them not sure." in shown
    assert '<b>7</b><i style="--share:100.00%;--expected:66.67%" class=known></i><span>75.0%</span>' in shown
    assert "to 1,498 pictures that it was judged by (drawings)" in shown
    assert "<td>0.020</td><td>0.100</td><td>no</td>" in shown


def test_verdicts_are_told_by_version_and_by_day() -> None:
    verdicts = [
        Verdicts(day=date(2026, 11, 25), version="1", right=6, wrong=3, no_character=1),
        Verdicts(day=date(2026, 11, 26), version="2", right=9, wrong=1, no_character=0),
    ]
    shown = page(watched(verdicts=verdicts), ALPHABET)
    assert '<th scope="row">2</th><td>1,200</td><td>5.0%</td><td>10</td><td>10.0%</td><td>0.0%</td>' in shown
    assert '<th scope="row">1</th><td>0</td><td>–</td><td>10</td><td>30.0%</td><td>10.0%</td>' in shown
    assert shown.index("2026-11-26</th>") < shown.index("2026-11-25</th>")


def test_what_a_model_calls_its_labels_is_text() -> None:
    odd = ALPHABET.model_copy(update={"labels": ["<b>"]})
    assert "<b><b></b>" not in page(watched(), odd)
