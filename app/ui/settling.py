"""Drawings that are finished, as far as one can tell: no other one has followed for a while.

The page asks after every stroke. Answers to half a drawing are of no account for what /health/drift tells, so the page
calls them trials, and asks about what has settled once more, in a thread of its own.
"""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Final

AFTER: Final = 3.0
"""Seconds without another stroke."""

Ask = Callable[[], object]


class Settling:
    """Asks about the last of each visitor's drawings. Safe to share between threads."""

    def __init__(self, after: float = AFTER) -> None:
        self._after = after
        self._waiting: dict[object, tuple[float, Ask]] = {}
        """By visitor, in the order of the moments when they will have settled."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, visitor: object, ask: Ask) -> None:
        """Call `ask` later, in another thread, unless the visitor's next comes sooner; it has to raise nothing."""
        with self._changed:
            self._waiting.pop(visitor, None)
            self._waiting[visitor] = time.monotonic() + self._after, ask
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="settling", daemon=True)
                self._thread.start()
            self._changed.notify()

    def finish(self, visitor: object) -> None:
        """The visitor's last will have no other after it, as it was put away: call its `ask` soon."""
        with self._changed:
            if visitor in self._waiting:
                _due, ask = self._waiting.pop(visitor)
                self._waiting = {object(): (time.monotonic(), ask)} | self._waiting
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                visitor = next(iter(self._waiting))
                due, ask = self._waiting[visitor]
                if (left := due - time.monotonic()) > 0:
                    self._changed.wait(left)
                    continue
                del self._waiting[visitor]
            ask()


@cache
def of_all() -> Settling:
    """Of all visitors to this page."""
    return Settling()
