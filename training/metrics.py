"""Figures from predictions: accuracy, intervals, calibration, telling digits from what is none."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]


def accuracy(probabilities: Floats, labels: Labels) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


def wilson(correct: int, count: int) -> tuple[float, float]:
    """The 95% interval of a proportion (Wilson 1927, JASA 22:209)."""
    z = 1.959963984540054
    share = correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return centre - half, centre + half


def share(right: npt.NDArray[np.bool_]) -> dict[str, float]:
    """As records keep it: how many are right, and the interval."""
    low, high = wilson(int(right.sum()), len(right))
    return {"accuracy": float(right.mean()), "count": len(right), "low": low, "high": high}


def calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017, arXiv:1706.04599)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = index == b
        if inside.any():
            error += inside.mean() * abs(float(right[inside].mean()) - float(confidence[inside].mean()))
    return float(error)


def cross_entropy(logits: Floats, labels: Labels) -> float:
    """Mean negative log-likelihood, in nats."""
    peak = logits.max(axis=1, keepdims=True)
    log_sum = peak[:, 0] + np.log(np.exp(logits - peak).sum(axis=1))
    return float((log_sum - logits[np.arange(len(labels)), labels]).mean())


def roc_area(positive: Floats, negative: Floats) -> float:
    """The probability that a positive scores higher than a negative, ties counted half (Mann-Whitney)."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, side="left")
    not_above = np.searchsorted(order, positive, side="right")
    return float((below + not_above).mean() / (2 * len(order)))


def temperature(logits: Floats, labels: Labels) -> float:
    """What to divide logits by for the least negative log-likelihood, found on a fine grid from 0.25 to 4."""
    candidates = np.exp(np.linspace(math.log(0.25), math.log(4), 241))
    return float(min(candidates, key=lambda candidate: cross_entropy(logits / candidate, labels)))


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
