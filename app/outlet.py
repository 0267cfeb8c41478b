"""Lines to standard output that never wait for whoever reads it.

A reader that stalls would stop a server in the middle of its work. Here lines wait instead, in bounded memory; those
that find no room are dropped, and once it flows again a line says how many. The launcher uses it, too, so that
nothing large is imported.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

MOST_WAITING: Final = 1024 * 1024
"""Bytes that wait to be written."""

GATHERING_SECONDS: Final = 0.02
"""That a line waits for further ones: to wake a thread for each costs a server a fifth of its time."""


class Outlet:
    """Safe to share between threads."""

    def __init__(self, descriptor: int, notice: Callable[[int], bytes]) -> None:
        """
        Args:
            descriptor: of the file to write to.
            notice: the line that says how many lines are missing at its place.
        """
        self._descriptor = descriptor
        self._notice = notice
        self._lines: list[bytes] = []
        self._bytes = 0
        self._dropped = 0
        self._writing = False
        self._changed = threading.Condition()
        # It writes to the descriptor itself: a thread that the end of the program finds holding sys.stdout breaks it.
        threading.Thread(target=self._write, name="outlet", daemon=True).start()

    def put(self, line: bytes) -> None:
        """Have a line written, its end included, or dropped."""
        with self._changed:
            if self._bytes + len(line) > MOST_WAITING:
                self._dropped += 1
                return
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) == 1:
                self._changed.notify_all()

    def flush(self, seconds: float) -> None:
        """Wait until all is written, but no longer than so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._lines or self._writing), seconds)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines)
            time.sleep(GATHERING_SECONDS)
            with self._changed:
                self._writing = True
                content = b"".join(self._lines)
                if self._dropped:
                    content += self._notice(self._dropped)
                self._lines, self._bytes, self._dropped = [], 0, 0
            try:
                while content:
                    content = content[os.write(self._descriptor, content) :]
            except OSError:  # nobody reads any more, or the disk is full
                pass
