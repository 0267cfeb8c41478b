"""Whether what a model answers has drifted from what it answered when it was judged: the population stability index.

The index compares two distributions over the same groups, here labels or tenths of confidence: the sum over the groups
of the difference of their shares times the logarithm of the shares' ratio. It is 0 where they are the same; from 0.2 on
it is commonly taken for a change that matters. Of few answers it is large by chance alone, so that it has to be more
than chance explains, too (Yurdakul 2018).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

BINS: Final = 10
"""Parts of equal width that confidence is counted in."""

MATTERS: Final = 0.2
"""From which index on a drift is one that matters."""

FEWEST: Final = 100
"""Answers without which nothing is said."""

_Z: Final = 3.0902
"""One of a thousand values of a normal distribution is so many standard deviations above its mean, or more."""

_MISSED: Final = 0.5
"""Answers that each group is credited with: a share of zero has no logarithm."""

Share = Annotated[float, Field(ge=0, le=1)]


class Reference(BaseModel):
    """What a model answered to pictures that it was judged by, as its record keeps it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    pictures: str
    """The set's name."""
    count: Annotated[int, Field(ge=1)]
    labels: dict[str, Share]
    """The share of the answers that each label had; of labels that are missing here it had none."""
    confidence: Annotated[tuple[Share, ...], Field(min_length=BINS, max_length=BINS)]
    """The share of the answers in each tenth of confidence, the lowest first."""


@dataclass(frozen=True)
class Drift:
    index: float
    by_chance: float
    """What the index stays below in 999 of 1,000 cases where nothing has drifted."""

    @property
    def matters(self) -> bool:
        return self.index >= MATTERS and self.index > self.by_chance


def bin_of(confidence: float) -> int:
    """The tenth that a confidence is in; its limits are those of the lower one: 0.3 is in the third."""
    return int(np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1))


def drift(expected: Sequence[float], of: int, seen: Sequence[int]) -> Drift | None:
    """How far counts of answers are from what was to be expected; None where they are too few to tell.

    Args:
        expected: the share of each group.
        of: answers that these shares were measured on.
        seen: the count of each of the same groups.
    """
    if sum(seen) < FEWEST:
        return None
    before, now = _shares(np.asarray(expected) * of), _shares(np.asarray(seen, float))
    index = float(((now - before) * np.log(now / before)).sum())
    return Drift(index, (1 / of + 1 / sum(seen)) * _chi_square(len(expected) - 1))


def of_labels(reference: Reference, counts: Mapping[str, int]) -> Drift | None:
    """`counts`: answers by label."""
    labels = sorted(reference.labels.keys() | counts.keys())
    expected = [reference.labels.get(label, 0.0) for label in labels]
    return drift(expected, reference.count, [counts.get(label, 0) for label in labels])


def of_confidence(reference: Reference, counts: Sequence[int]) -> Drift | None:
    """`counts`: answers by tenth of confidence, the lowest first."""
    return drift(reference.confidence, reference.count, counts)


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    credited = counts + _MISSED
    shares: npt.NDArray[np.float64] = credited / credited.sum()
    return shares


def _chi_square(freedom: int) -> float:
    """The value that one of a thousand exceeds (Wilson and Hilferty 1931), of so many degrees of freedom."""
    part = 2 / (9 * max(1, freedom))
    return float(max(1, freedom) * (1 - part + _Z * sqrt(part)) ** 3)
