"""Which candidates of a line follow each other: the likeliest way from its first part to its last.

Each candidate is a character, dirt, or none, as the networks have it, each for itself. A way through the line says of
all at once what they are: those on it are something, and all others none. So a way's likelihood is the product of
(something / none) over the candidates on it, times a constant; the best way and the sum over all of them are found by
dynamic programming, as in a hidden Markov model (Rabiner 1989, doi:10.1109/5.18626).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def best_way(spans: Sequence[tuple[int, int]], odds: Doubles) -> tuple[list[tuple[int, int]], float]:
    """The likeliest way through a line.

    Args:
        spans: of each candidate, its first part and the one after its last; every part is a candidate itself.
        odds: (candidates, kinds): the logarithm of each kind's probability, for that of none.

    Returns:
        The candidates on the way and the kind of each, in order, and the logarithm of the way's share of all ways.
    """
    ends = max(after for _, after in spans)
    best, everything = np.full(ends + 1, -np.inf), np.full(ends + 1, -np.inf)
    best[0] = everything[0] = 0.0
    came: list[int] = [-1] * (ends + 1)
    kinds = odds.argmax(axis=1)
    of_best = odds[np.arange(len(odds)), kinds]
    of_all = np.logaddexp.reduce(odds, axis=1)
    for candidate in sorted(range(len(spans)), key=lambda one: spans[one][0]):
        first, after = spans[candidate]
        everything[after] = np.logaddexp(everything[after], everything[first] + of_all[candidate])
        if best[first] + of_best[candidate] > best[after]:
            best[after], came[after] = best[first] + of_best[candidate], candidate
    way, place = [], ends
    while place > 0:
        way.append((came[place], int(kinds[came[place]])))
        place = spans[came[place]][0]
    return way[::-1], float(best[-1] - everything[-1])
