"""What there is to say of a surge."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.simulation.fleet import MINUTE, Asked, Minute, Surge


@dataclass(frozen=True)
class Summary:
    """Of a surge by one of the settings. Shares are of those who first asked in it, 0 to 1."""

    before: int
    """Tasks before it."""
    most: int
    refused: float
    """Who was told to come back, once or more often."""
    failed: float
    """Who gave up."""
    p99: list[float]
    """Seconds until an answer, by the minute of the first try; 0 where nobody had one."""
    tasks: list[int]
    """At the beginning of each minute."""

    @property
    def worst(self) -> float:
        """The highest p99 of a minute."""
        return max(self.p99)


def summary(surge: Surge, asked: Sequence[Asked], minutes: Sequence[Minute]) -> Summary:
    amid = [one for one in asked if 0 <= one.since - surge.before < surge.lasts]
    times: list[list[float]] = [[] for _ in range(math.ceil(surge.ends / MINUTE))]
    for one in asked:
        if one.answered:
            times[int(one.since / MINUTE)].append(one.seconds)
    return Summary(
        before=minutes[0].tasks,
        most=max(minute.tasks for minute in minutes),
        refused=sum(one.tries > 1 or not one.answered for one in amid) / len(amid),
        failed=sum(not one.answered for one in amid) / len(amid),
        p99=[statistics.quantiles(some, n=100)[98] if len(some) > 1 else 0.0 for some in times],
        tasks=[minute.tasks for minute in minutes],
    )
