"""Keeps samples for a server, in a thread of its own, so that no prediction waits for a disk or for a database.

This module is light. SQLAlchemy comes with the first sample.
"""

import logging
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Protocol

from app.samples.errors import NoRoom, SampleDeleted, SampleDiffers, Unavailable
from app.samples.sample import Sample
from app.settings import Settings

if TYPE_CHECKING:
    from app.samples.outbox import Outbox
    from app.samples.store import Outcome, Store

TOGETHER: Final = 64
"""Samples that are written in one transaction, where so many wait."""

MOST_WAITING: Final = 64 * 1024 * 1024
"""Bytes of pictures that wait to be written, while a disk does not answer."""

PARTING_SECONDS: Final = 2.0
"""That the end of a server waits for what is under way."""

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Is told what becomes of samples, in whatever thread."""

    def sample(self, outcome: str) -> None:
        """One was kept, repeated, relabelled or refused; see app.samples.store.Outcome, or "unavailable"."""

    def moved(self, samples: int, waiting: int) -> None:
        """So many have gone from the outbox to the database, and so many still wait there."""

    def away(self, reason: str) -> None:
        """The database cannot be asked, for a reason; or can be, where that is empty."""


@dataclass(frozen=True, slots=True)
class _Keep:
    sample: Sample
    done: "Future[str]" = field(default_factory=Future)

    @property
    def bytes(self) -> int:
        return len(self.sample.picture)

    def finish(self, outcome: "Outcome") -> None:
        from app.samples.store import Outcome

        match outcome:
            case Outcome.DIFFERS:
                self.done.set_exception(SampleDiffers())
            case Outcome.DELETED:
                self.done.set_exception(SampleDeleted())
            case Outcome.NO_ROOM:
                self.done.set_exception(NoRoom())
            case _:
                self.done.set_result(self.sample.id)


@dataclass(frozen=True, slots=True)
class _Forget:
    visitor: str
    until: datetime
    done: "Future[int]" = field(default_factory=Future)
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Look:
    """Whether something waits in the outbox."""

    done: "Future[None]" = field(default_factory=Future)
    bytes: int = 0


_Work = _Keep | _Forget | _Look


class Keeper:
    """Safe to share between threads. Nothing is opened before it is first asked for something.

    What is kept is written to a file on this machine: the database, where that is one, else the outbox before it.
    """

    def __init__(self, settings: Settings, watcher: Watcher) -> None:
        self._settings = settings
        self._server = settings.samples_server
        self._file = settings.samples_file
        self._most_bytes = settings.samples_bytes
        self._watcher = watcher
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._starting, self._opening = Lock(), Lock()
        self._local: Store | None = None
        self._outbox: Outbox | None = None
        self._waiting_bytes = 0
        self._trouble = ""

    def resume(self) -> None:
        """Move what an earlier server has left in the outbox."""
        if self._server and _has_samples(self._file):
            self._put(_Look())

    def keep(self, sample: Sample) -> "Future[str]":
        """Keep a sample, and give its id: from then on it is there, even if the power fails.

        The future raises SampleDiffers, SampleDeleted and Unavailable.
        """
        work = _Keep(sample)
        if self._waiting_bytes + len(sample.picture) > MOST_WAITING:
            self._watcher.sample("unavailable")
            work.done.set_exception(Unavailable("Too many samples wait to be written."))
        else:
            self._put(work)
        return work.done

    def forget(self, visitor: str, until: datetime) -> "Future[int]":
        """Delete a visitor's samples up to a moment, and count them. The future raises Unavailable.

        Where the database is away, those there are deleted once it is back.
        """
        work = _Forget(visitor, until)
        self._put(work)
        return work.done

    def store(self) -> "Store":
        """The database, to be asked in a thread that may wait for it. Raises Unavailable."""
        local = self._opened()
        return local if self._outbox is None else self._outbox.remote()

    def close(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(PARTING_SECONDS)
        if self._outbox is not None:
            self._outbox.close()

    def _put(self, work: _Work) -> None:
        with self._starting:
            self._waiting_bytes += work.bytes
            if self._thread is None:
                self._thread = Thread(target=self._run, name="samples", daemon=True)
                self._thread.start()
        self._queue.put(work)

    def _opened(self) -> "Store":
        from app.samples.outbox import Outbox
        from app.samples.store import opened

        with self._opening:
            if self._local is None:
                self._local = opened(str(self._file))
                if self._server:
                    self._outbox = Outbox(self._local, self._settings, self._watcher)
                    self._outbox.start()
            return self._local

    def _run(self) -> None:
        while works := self._taken():
            try:
                self._write(works)
            except Exception as error:  # whatever it is, whoever waits is told, and others are served
                if not isinstance(error, Unavailable):
                    log.exception("A mistake of ours keeps samples from being kept.")
                self._tell(str(error))
                for work in works:
                    if not work.done.done():
                        self._watcher.sample("unavailable")
                        work.done.set_exception(error)
            with self._starting:
                self._waiting_bytes -= sum(work.bytes for work in works)

    def _taken(self) -> list[_Work]:
        """What waits, at least one; nothing when all is to end."""
        works: list[_Work] = []
        while len(works) < TOGETHER:
            try:
                work = self._queue.get(block=not works)
            except Empty:
                break
            if work is None:
                if works:
                    self._queue.put(None)
                break
            if work.done.set_running_or_notify_cancel():
                works.append(work)
            else:
                with self._starting:
                    self._waiting_bytes -= work.bytes
        return works

    def _write(self, works: Sequence[_Work]) -> None:
        """What is to be kept in one transaction, and then what is to be deleted. Raises Unavailable: of those that
        nobody has been told of by then, nothing was kept, and it may be that not all was deleted.
        """
        from app.samples.room import room_left
        from app.samples.store import Outcome, keep

        local = self._opened()
        keeps = [work for work in works if isinstance(work, _Keep)]
        forgets = [work for work in works if isinstance(work, _Forget)]
        refused = self._outbox.refused([work.sample for work in keeps]) if self._outbox else {}
        outcomes = []
        if keeps:
            with local.database.writing() as connection:
                room = room_left(connection, self._most_bytes)
                for work in keeps:
                    room -= work.bytes
                    if work.sample.id in refused:
                        outcomes.append(refused[work.sample.id])
                    else:
                        outcomes.append(keep(connection, work.sample) if room > 0 else Outcome.NO_ROOM)
        self._tell(str(NoRoom()) if Outcome.NO_ROOM in outcomes else "")
        for kept, outcome in zip(keeps, outcomes, strict=True):
            self._watcher.sample(outcome.value)
            kept.finish(outcome)
        try:
            for forgotten in forgets:
                count = len(local.forget(forgotten.visitor, forgotten.until).ids)
                elsewhere = self._outbox.forget(forgotten.visitor, forgotten.until) if self._outbox else 0
                forgotten.done.set_result(count + elsewhere)
        finally:
            if self._outbox is not None:
                self._outbox.wake()

    def _tell(self, trouble: str) -> None:
        """In the log, where it is news."""
        if trouble and trouble != self._trouble:
            log.error("Samples are not kept.", extra={"fields": {"reason": trouble}})
        elif self._trouble and not trouble:
            log.warning("Samples are kept again.")
        self._trouble = trouble


def _has_samples(file: Path) -> bool:
    """Whether an outbox holds any, at the cost of a moment."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT EXISTS (SELECT 1 FROM samples) OR EXISTS (SELECT 1 FROM forgotten)"
            return bool(connection.execute(query).fetchone()[0])
    except sqlite3.Error:  # the tables are not there yet, or something that is told when it is opened
        return True
