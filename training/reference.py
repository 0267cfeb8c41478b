"""What a model answers to pictures that it is judged by, as its record keeps it for `app.drift` to compare with."""

from collections.abc import Iterable

import numpy as np

from app.drift import BINS, Reference, bin_of
from training.metrics import Floats

LIKE_VISITORS = "drawings"
"""The set whose pictures are most like what people send."""


def set_for(names: Iterable[str], test_name: str) -> str:
    """Which of an alphabet's sets is the reference: drawings where there are any, else the usual test set."""
    return LIKE_VISITORS if LIKE_VISITORS in names else test_name


def reference_of(probabilities: Floats, labels: list[str], pictures: str) -> Reference:
    """
    Args:
        probabilities: (n, labels), all zero where a picture was refused as blank.
        labels: the model's, in its order.
        pictures: the set's name.
    """
    answered = probabilities[probabilities.any(axis=1)]
    count = len(answered)
    of_labels = np.bincount(answered.argmax(axis=1), minlength=len(labels)) / count
    tenths = np.bincount([bin_of(float(best)) for best in answered.max(axis=1)], minlength=BINS) / count
    return Reference(
        pictures=pictures,
        count=count,
        labels={label: round(float(share), 6) for label, share in zip(labels, of_labels, strict=True)},
        confidence=tuple(round(float(share), 6) for share in tenths),
    )
