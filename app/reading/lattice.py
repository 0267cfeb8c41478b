"""Which candidates of a line follow each other: ways from its first part to its last, and the texts that they say.

Each candidate is a character, dirt, or none, as the networks have it, each for itself. A way through the line says of
all at once what they are: those on it are something, and all others none. So a way's likelihood is the product of
(something / none) over the candidates on it, times a constant; the best way and the sum over all of them are found by
dynamic programming, as in a hidden Markov model (Rabiner 1989, doi:10.1109/5.18626).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

Said = tuple[int, ...]
"""A text: the kinds of its characters, in order."""

_LEAST_SHARE = math.exp(-10)
"""A candidate is no part of a likely text if it is what it is on a smaller share of the ways."""


@dataclass(frozen=True)
class Way:
    """The likeliest of those that say one text: the `candidates` on it and their `kinds`, in order; `share`: the
    logarithm of the share, of all ways, of those that say the same, wherever they cut.
    """

    candidates: list[int]
    kinds: list[int]
    share: float


class Lattice:
    """All ways through a line."""

    def __init__(self, spans: Integers, odds: Doubles, silent: int) -> None:
        """Add up all ways.

        Args:
            spans: (candidates, 2), of each its first part and the one after its last, no two alike; every part is a
                candidate itself.
            odds: (candidates, kinds): the logarithm of each kind's probability, for that of none.
            silent: the kind that says nothing.
        """
        self._odds, self._silent, self._after = odds, silent, spans[:, 1]
        self._ends = int(spans[:, 1].max())
        order = np.argsort(spans[:, 0], kind="stable")
        limits = np.searchsorted(spans[order, 0], np.arange(self._ends + 1))
        self._from = [order[limits[part] : limits[part + 1]] for part in range(self._ends)]
        every = np.logaddexp.reduce(odds, axis=1)
        before, after = np.full(self._ends + 1, -np.inf), np.full(self._ends + 1, -np.inf)
        before[0] = after[-1] = 0.0
        for part, own in enumerate(self._from):
            ends = self._after[own]
            before[ends] = np.logaddexp(before[ends], before[part] + every[own])
        for part, own in reversed(list(enumerate(self._from))):
            after[part] = np.logaddexp.reduce(after[self._after[own]] + every[own])
        self._everything = float(before[-1])
        shares = before[spans[:, 0], None] + odds + after[spans[:, 1], None] - self._everything
        self._likely = shares > math.log(_LEAST_SHARE)

    def texts(self, most: int) -> list[Said]:
        """The likeliest texts, the likeliest first: a beam search from part to part."""
        beams: list[dict[Said, float]] = [{} for _ in range(self._ends + 1)]
        beams[0][()] = 0.0
        for part, own in enumerate(self._from):
            best = sorted(beams[part].items(), key=lambda item: -item[1])[:most]
            for one in own.tolist():
                following = beams[self._after[one]]
                for kind in np.flatnonzero(self._likely[one]).tolist():
                    odds, letter = float(self._odds[one, kind]), () if kind == self._silent else (kind,)
                    for text, share in best:
                        longer = text + letter
                        following[longer] = _added(following.get(longer, -math.inf), share + odds)
        return [text for text, _ in sorted(beams[-1].items(), key=lambda item: -item[1])[:most]]

    def ways(self, texts: Sequence[Said]) -> list[Way | None]:
        """The likeliest way that says each of some texts; None where there is none."""
        longest = max(map(len, texts))
        said = np.zeros((len(texts), longest), np.int64)
        for place, text in enumerate(texts):
            said[place, : len(text)] = text
        shape = self._ends + 1, len(texts), longest + 1
        told, best, came = np.full(shape, -np.inf), np.full(shape, -np.inf), np.zeros(shape, np.int64)
        told[0, :, 0] = best[0, :, 0] = 0.0
        for part, own in enumerate(self._from):
            ends = self._after[own]
            silence = self._odds[own, self._silent][:, None, None]
            letters = self._odds[own][:, said]
            longer = told[part] + silence
            longer[:, :, 1:] = np.logaddexp(longer[:, :, 1:], told[part, :, :-1] + letters)
            told[ends] = np.logaddexp(told[ends], longer)
            quiet = best[part] + silence
            spoken = np.full_like(quiet, -np.inf)
            spoken[:, :, 1:] = best[part, :, :-1] + letters
            reached = np.maximum(quiet, spoken)
            better = reached > best[ends]
            best[ends] = np.where(better, reached, best[ends])
            came[ends] = np.where(better, 2 * own[:, None, None] + (spoken > quiet), came[ends])
        firsts = np.zeros(len(self._odds), np.int64)
        for part, own in enumerate(self._from):
            firsts[own] = part
        found: list[Way | None] = []
        for place, text in enumerate(texts):
            share = float(told[-1, place, len(text)]) - self._everything
            found.append(self._traced(came[:, place], firsts, text, share) if share > -math.inf else None)
        return found

    def _traced(self, came: Integers, firsts: Integers, text: Said, share: float) -> Way:
        candidates, kinds, part, left = list[int](), list[int](), self._ends, len(text)
        while part > 0:
            one, spoken = divmod(int(came[part, left]), 2)
            candidates.append(one)
            kinds.append(text[left - 1] if spoken else self._silent)
            part, left = int(firsts[one]), left - spoken
        return Way(candidates[::-1], kinds[::-1], share)


def _added(one: float, other: float) -> float:
    """The logarithm of a sum, of the logarithms of what is added."""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
