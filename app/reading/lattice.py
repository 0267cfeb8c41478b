"""Which candidates of a line follow each other: the likeliest way from its first part to its last.

Each candidate is a character, dirt, or none, as the networks have it, each for itself. A way through the line says of
all at once what they are: those on it are something, and all others none. So a way's likelihood is the product of
(something / none) over the candidates on it, times a constant; the best way and the sum over all of them are found by
dynamic programming, as in a hidden Markov model (Rabiner 1989, doi:10.1109/5.18626).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Way:
    """`candidates` on it and the `kinds` that they are, in order; `certainty`: of each, the share of the ways on which
    its kind stands there, whatever ink exactly is taken for it; `share`: of those that say the same, wherever they cut.
    """

    candidates: list[int]
    kinds: list[int]
    certainty: list[float]
    share: float


def best_way(spans: Integers, odds: Doubles, silent: int) -> Way:
    """The likeliest way through a line.

    Args:
        spans: (candidates, 2), of each its first part and the one after its last; every part is a candidate itself.
        odds: (candidates, kinds): the logarithm of each kind's probability, for that of none.
        silent: the kind that says nothing.
    """
    ends, pairs = int(spans[:, 1].max()), spans.tolist()
    kinds = odds.argmax(axis=1)
    of_best, of_all = odds[np.arange(len(odds)), kinds].tolist(), np.logaddexp.reduce(odds, axis=1).tolist()
    best, before, after = ([0.0] + [-math.inf] * ends for _ in range(3))
    after.reverse()
    came = [-1] * (ends + 1)
    order = np.argsort(spans[:, 0], kind="stable").tolist()
    for one in order:
        first, end = pairs[one]
        before[end] = _added(before[end], before[first] + of_all[one])
        if best[first] + of_best[one] > best[end]:
            best[end], came[end] = best[first] + of_best[one], one
    for one in reversed(order):
        first, end = pairs[one]
        after[first] = _added(after[first], after[end] + of_all[one])
    way, place = list[int](), ends
    while place > 0:
        way.append(came[place])
        place = pairs[came[place]][0]
    way.reverse()
    shares = np.exp(np.array(before)[spans[:, 0], None] + odds + np.array(after)[spans[:, 1], None] - before[ends])
    return Way(
        way,
        [int(kinds[one]) for one in way],
        [_certainty(spans, shares[:, kinds[one]], one) for one in way],
        _share_of([int(kinds[one]) for one in way if kinds[one] != silent], spans, odds, silent, order, before[ends]),
    )


def _certainty(spans: Integers, shares: Doubles, one: int) -> float:
    """Of those together that have most of their parts in common with a candidate: no two of them are on one way."""
    first, after = spans[one]
    common = np.minimum(spans[:, 1], after) - np.maximum(spans[:, 0], first)
    union = np.maximum(spans[:, 1], after) - np.minimum(spans[:, 0], first)
    return min(1.0, float(shares[2 * common > union].sum()))


def _share_of(
    said: list[int], spans: Integers, odds: Doubles, silent: int, order: list[int], everything: float
) -> float:
    """Of all ways, of those that say this; `everything` is the logarithm of all of them together."""
    told = np.full((int(spans[:, 1].max()) + 1, len(said) + 1), -np.inf)
    told[0, 0] = 0.0
    for one in order:
        first, after = spans[one]
        told[after] = np.logaddexp(told[after], told[first] + odds[one, silent])
        told[after, 1:] = np.logaddexp(told[after, 1:], told[first, :-1] + odds[one, said])
    return math.exp(min(0.0, float(told[-1, -1]) - everything))


def _added(one: float, other: float) -> float:
    """The logarithm of a sum, of the logarithms of what is added."""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
