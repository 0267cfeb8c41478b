"""The answers so far, one line of JSON for each picture, in the plan's order: where the journal ends, work goes on.

That is all there is to going on after an end of whatever kind. A line that was not finished is taken back; as many
lines as there are, so many pictures of the plan are done.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

SYNC_SECONDS: Final = 5.0
"""After which what was written is safe from a loss of power, too."""

BROKEN: Final = b'"error":'
"""In the line of each picture without an answer, and perhaps in others'."""


class InUse(RuntimeError):
    """Another program writes this journal at present."""


class Journal:
    """Opened, of whatever is there; for one program at a time."""

    def __init__(self, file: Path) -> None:
        """Raises InUse and OSError."""
        self.file = file
        self._lines = file.open("a+b", buffering=0)
        try:
            fcntl.flock(self._lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lines.close()
            raise InUse(f"{file} is being written by another program.") from None
        self._take_back_half_a_line()
        self._synced = time.monotonic()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def lines(self) -> Iterator[bytes]:
        """All that were there when this was called, without their ends."""
        with self.file.open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\n")

    def write(self, lines: list[bytes]) -> None:
        data = b"".join(line + b"\n" for line in lines)
        while data:
            data = data[self._lines.write(data) :]
        if time.monotonic() > self._synced + SYNC_SECONDS:
            self.sync()

    def clear(self) -> None:
        self._lines.truncate(0)

    def sync(self) -> None:
        os.fsync(self._lines.fileno())
        self._synced = time.monotonic()

    def _take_back_half_a_line(self) -> None:
        end = self._lines.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65_536)
            self._lines.seek(start)
            found = self._lines.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        self._lines.truncate(end)
