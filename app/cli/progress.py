"""How far it is, with rate and remaining time, on the standard error: a bar on a terminal, else a line at times."""

import sys
import time
from collections import deque
from typing import Final, TextIO

REDRAW_SECONDS: Final = 0.2
LINE_SECONDS: Final = 30.0
WINDOW_SECONDS: Final = 20.0
"""Over which the rate is taken."""

_BAR: Final = 24


class Progress:
    """Of so many pictures, of which some were done before."""

    def __init__(self, count: int, done: int = 0, target: TextIO | None = None, quiet: bool = False) -> None:
        self._target = target or sys.stderr
        self._count, self._done = count, done
        self._bar = self._target.isatty()
        self._quiet = quiet
        now = time.monotonic()
        self._seen = deque([(now, done)])
        self._said = now if not self._bar else 0.0

    def advance(self, pictures: int) -> None:
        self._done += pictures
        now = time.monotonic()
        if self._quiet or now < self._said + (REDRAW_SECONDS if self._bar else LINE_SECONDS):
            return
        self._said = now
        self._seen.append((now, self._done))
        while len(self._seen) > 2 and self._seen[1][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
        self._say(in_words(self._done, self._count, self.rate()))

    def rate(self) -> float:
        """Pictures a second, of late."""
        (since, before), (now, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - since) if now > since else 0.0

    def end(self) -> None:
        """Take the bar away, for what is said next."""
        if self._bar and not self._quiet:
            self._target.write("\r\x1b[K")
            self._target.flush()

    def _say(self, words: str) -> None:
        full = round(_BAR * self._done / self._count) if self._count else _BAR
        self._target.write(f"\r{'█' * full}{'░' * (_BAR - full)}  {words}\x1b[K" if self._bar else f"{words}\n")
        self._target.flush()


def in_words(done: int, count: int, rate: float) -> str:
    share = 100 * done / count if count else 100.0
    left = f", {span((count - done) / rate)} left" if rate else ""
    return f"{done:,} of {count:,} ({share:.1f}%), {rate:,.0f} a second{left}"


def span(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
