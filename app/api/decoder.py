"""Decoding in a process of its own, which is killed and replaced where a picture takes it too long."""

import os
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from typing import Final

from app.api.sought import Found, Sought
from app.api.worker import Mistake, packed_task, unpacked_outcome
from app.reading.picture import ReadingError, TooLaborious

SECONDS: Final = 8.0
"""That a picture may take. One of 25 megapixels takes less than one, one of 120 up to three; on half a processor twice
that."""

_TO_START = 30.0
_ORPHANED = 5
"""Seconds after which a worker ends itself that nobody has killed in time."""

_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH")
"""All that the worker has of this process's: no keys."""


class WorkerFailed(RuntimeError):
    """The worker cannot be started."""


class Decoder:
    """A worker, started when it is first asked. For one thread, but for `close`."""

    def __init__(self, max_pixels: int, seconds: float = SECONDS) -> None:
        self._max_pixels = max_pixels
        self._seconds = seconds
        self._worker: tuple[subprocess.Popen[bytes], Connection] | None = None

    def find(self, data: bytes, sought: Sought[Found]) -> Found:
        """What is sought on a picture.

        Raises:
            ReadingError: the picture is to blame: also TooLaborious, where it took too much time or memory.
            WorkerFailed, Mistake
        """
        outcome = self._ask(data, sought)
        if isinstance(outcome, ReadingError | Mistake):
            raise outcome
        return outcome

    def close(self) -> None:
        """End the worker, whatever it does; its picture then counts as one that took too long."""
        if self._worker is not None:
            process, _ = self._worker
            process.kill()
            process.wait()

    def _ask(self, data: bytes, sought: Sought[Found]) -> Found | ReadingError | Mistake:
        task = packed_task(data, sought, self._max_pixels)
        if self._worker is not None and self._worker[0].poll() is not None:  # of no picture, or none is known
            self._discard()
        _, connection = self._worker or self._start()
        try:
            connection.send_bytes(task)
            if connection.poll(self._seconds):
                return unpacked_outcome(connection.recv_bytes(), sought)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            pass  # it has died of the picture, or is no longer in its right mind
        self._discard()
        raise TooLaborious

    def _start(self) -> tuple[subprocess.Popen[bytes], Connection]:
        ours, theirs = Pipe()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        limit = str(round(self._seconds) + _ORPHANED)
        try:
            with theirs:
                process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "app.api.worker", str(theirs.fileno()), limit],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # libtiff writes there what it thinks of every line
                    env=environment,
                    pass_fds=[theirs.fileno()],
                )
        except OSError:
            ours.close()
            raise WorkerFailed("The process that decodes pictures cannot be started.") from None
        self._worker = process, ours
        try:
            if ours.poll(_TO_START):
                ours.recv_bytes()
                return self._worker
        except (EOFError, OSError):
            pass
        self._discard()
        raise WorkerFailed("The process that decodes pictures ends before it is ready.")

    def _discard(self) -> None:
        if self._worker is not None:
            process, connection = self._worker
            process.kill()
            process.wait()
            connection.close()
            self._worker = None
