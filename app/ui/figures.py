"""A model's figures as rows for a table, whatever groups its record has."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

_Z = 1.959964
"""95% of a normal distribution lies within this many standard deviations."""


@dataclass(frozen=True)
class Accuracy:
    name: str
    share: float
    count: int
    what: str = ""
    """What the pictures are, as the record tells."""

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% interval (1927): what the share may be, seen that it was measured on `count` pictures."""
        n, p = self.count, self.share
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        reach = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return max(0.0, centre - reach), min(1.0, centre + reach)


MANY = 4
"""From so many sets of one family on, such as the corruptions of MNIST-C, they get a table of their own."""


def families(rows: list[Accuracy]) -> tuple[list[Accuracy], dict[str, list[Accuracy]]]:
    """Sets that stand for themselves, and those of large families, by the first word of their names."""
    by_word: dict[str, list[Accuracy]] = {}
    for row in rows:
        by_word.setdefault(_family(row), []).append(row)
    large = {word: members for word, members in by_word.items() if len(members) >= MANY}
    return [row for row in rows if _family(row) not in large], large


def _family(row: Accuracy) -> str:
    return row.name.split()[0].rstrip(",")


def others(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Figures that are no accuracy, as name and value."""
    for name, inner in figures.items():
        if isinstance(inner, dict) and "accuracy" not in inner:
            for key, value in inner.items():
                if isinstance(value, int | float):
                    yield f"{name}: {key.replace('_', ' ')}", f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def accuracies(figures: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Accuracy]:
    """All groups that have an accuracy and a count, by their names from the outside in."""
    share, count = figures.get("accuracy"), figures.get("count")
    if isinstance(share, int | float) and isinstance(count, int) and count > 0:
        yield Accuracy(", ".join(path), float(share), count, str(figures.get("what", "")))
    for name, inner in figures.items():
        if isinstance(inner, dict):
            yield from accuracies(inner, (*path, name))
