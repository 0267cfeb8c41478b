"""How good the answers are to pictures of which is known what they show."""

import heapq
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from app.cli.answering import Engine
from app.cli.items import Item
from app.cli.labelled import Labelled

KEPT: Final = 60
"""Pictures of each kind that are kept to be looked at."""

NO_ANSWER: Final = "none"
"""Stands among the answers for a picture that was refused."""

_GRID: Final = 20
"""Labels up to which all pairs of them are shown."""

_PAIRS: Final = 15


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture worth a look: what it shows, what was answered and how confidently."""

    item: Item
    label: str
    answer: str
    confidence: float


class _Foremost:
    """The first few by some number, the smallest first; memory stays flat."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Seen]] = []
        self._ties = count()

    def add(self, number: float, seen: Seen) -> None:
        keep = heapq.heappush if len(self._heap) < KEPT else heapq.heappushpop
        keep(self._heap, (-number, next(self._ties), seen))

    def all(self) -> list[Seen]:
        return [seen for _, _, seen in sorted(self._heap, key=lambda one: (-one[0], one[1]))]


@dataclass
class Judgement:
    """`confusion`: (label, answer) -> how many; `unknown`: labels that the model does not have, which are left out."""

    labels: list[str]
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    sure: int = 0
    right_of_sure: int = 0
    _wrong: _Foremost = field(default_factory=_Foremost)
    _doubtful: _Foremost = field(default_factory=_Foremost)

    def add(self, item: Item, label: str, row: dict[str, Any]) -> None:
        known = label if label in self.labels else label.lower()  # the case is no part of a label
        if known not in self.labels:
            self.unknown[label] += 1
            return
        answer, confidence = row.get("label", NO_ANSWER), row.get("confidence", 0.0)
        seen, sure = Seen(item, known, answer, confidence), bool(row.get("sure"))
        self.confusion[known, answer] += 1
        self.sure += sure
        self.right_of_sure += sure and answer == known
        if answer != known:
            self._wrong.add(-confidence, seen)
        elif not sure:
            self._doubtful.add(confidence, seen)

    @property
    def count(self) -> int:
        return self.confusion.total()

    @property
    def right(self) -> int:
        return sum(self.confusion[label, label] for label in self.labels)

    @property
    def wrong(self) -> list[Seen]:
        """The most confident first."""
        return self._wrong.all()

    @property
    def doubtful(self) -> list[Seen]:
        """Right and not sure, the least confident first."""
        return self._doubtful.all()

    def figures(self) -> dict[str, Any]:
        """For a program."""
        low, high = interval(self.right, self.count)
        return {
            "count": self.count,
            "right": self.right,
            "accuracy": self.right / max(1, self.count),
            "low": low,
            "high": high,
            "sure": self.sure,
            "right_of_sure": self.right_of_sure,
            "no_answer": sum(self.confusion[label, NO_ANSWER] for label in self.labels),
            "left_out": dict(self.unknown),
            "confusion": [
                {"label": label, "answer": answer, "count": times}
                for (label, answer), times in sorted(self.confusion.items())
            ],
        }

    def in_words(self) -> str:
        """For people."""
        figures = self.figures()
        accuracy, low, high = (100 * figures[name] for name in ("accuracy", "low", "high"))
        parts = [
            f"right: {self.right:,} of {self.count:,}, {accuracy:.2f}% (95% interval {low:.2f} to {high:.2f})",
            f"sure: {self.sure:,}, of which right {self.right_of_sure:,}; no answer: {figures['no_answer']:,}",
        ]
        if self.unknown:
            named = ", ".join(f"{label!r} ({times:,})" for label, times in self.unknown.most_common(10))
            parts.append(f"left out, since the model has no such label: {self.unknown.total():,}: {named}")
        parts += ["", *(self._grid() if len(self.labels) <= _GRID else self._pairs())]
        return "\n".join(parts)

    def _grid(self) -> list[str]:
        answers = [*self.labels, *([NO_ANSWER] if any(one == NO_ANSWER for _, one in self.confusion) else [])]
        width = 1 + max(5, *(len(f"{times:,}") for times in self.confusion.values()))
        rows = [f"{'':>8}" + "".join(f"{answer:>{width}}" for answer in answers) + f"{'right':>9}"]
        for label in self.labels:
            times = [self.confusion[label, answer] for answer in answers]
            if total := sum(times):
                cells = "".join(f"{one or '.':>{width}}" for one in times)
                rows.append(f"{label:>8}{cells}{self.confusion[label, label] / total:9.2%}")
        return ["rows: what is shown; columns: what is answered", *rows]

    def _pairs(self) -> list[str]:
        mistakes = Counter({pair: times for pair, times in self.confusion.items() if pair[0] != pair[1]})
        return [
            "most frequent mistakes",
            *(f"{label:>8} taken for {answer}: {times:,}" for (label, answer), times in mistakes.most_common(_PAIRS)),
        ]


def interval(right: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927, JASA 22:209)."""
    if not count:
        return 0.0, 1.0
    z, share = 1.959964, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def judged(engine: Engine, pictures: Iterable[Labelled], told: Callable[[int], None]) -> Judgement:
    """The judgement over all; `told` is called with the number of those that were answered. Raises CannotAnswer."""
    labels: list[tuple[Item, str]] = []

    def items() -> Iterable[Item]:
        for item, label in pictures:
            labels.append((item, label))
            yield item

    judgement = Judgement(engine.answerer.labels)
    for lines in engine.answers(items()):
        for (item, label), line in zip(labels, lines, strict=False):
            judgement.add(item, label, json.loads(line))
        del labels[: len(lines)]
        told(len(lines))
    return judgement
