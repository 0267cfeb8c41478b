"""From the file on this machine to the database elsewhere: in batches, each sample once, whenever that is there.

What waits stands in the same tables. A batch is first written there, in one transaction, and then deleted here.
Where all ends between the two it is written again, which changes nothing: see `app.samples.store.keep`.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select

from app.samples.errors import BadValue, NoRoom, Unavailable
from app.samples.room import room_left
from app.samples.sample import Sample, now
from app.samples.selection import OLDEST_FIRST, TOGETHER, chosen
from app.samples.store import Outcome, Store, keep, opened_server, refusals, sample_of
from app.samples.tables import FORGOTTEN, SAMPLES
from app.settings import Settings

if TYPE_CHECKING:
    from app.samples.keeper import Watcher

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts to reach a database that is away."""

GATHERING_SECONDS: Final = 0.5
"""That what waits waits for more: each batch has its price on this machine's disk, which samples pay that come then."""

PARTING_SECONDS: Final = 2.0
"""That the end of a server waits for what still waits here."""

LATE: Final = timedelta(minutes=10)
"""After which somebody ought to look why a sample still waits."""

LATE_MESSAGE: Final = "Samples have waited in the outbox for too long."
"""In the log, once a minute; an alarm counts it."""

TOLD_EVERY: Final = 60.0

log = logging.getLogger(__name__)


class Outbox:
    """Moves samples, in a thread of its own where it is started.

    Safe to share between threads; several processes may have one each on the same file.
    """

    def __init__(self, local: Store, settings: Settings, watcher: "Watcher") -> None:
        """
        Args:
            local: where samples wait.
            settings: name the server that they are for.
            watcher: is told how it goes.
        """
        self._local = local
        self._settings = settings
        self._watcher = watcher
        self._remote: Store | None = None
        self._opening = Lock()
        self._away, self._full = "", False
        self._told_of_late = -TOLD_EVERY
        self._aside: set[str] = set()
        self._awake, self._ended = Event(), Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Move what waits, and from then on what comes, in a thread."""
        self._thread = Thread(target=self._run, name="outbox of samples", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something waits."""
        self._awake.set()

    def close(self) -> None:
        """Move what still waits, as far as it goes quickly; the rest is moved by the next server."""
        self._ended.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(PARTING_SECONDS)

    def remote(self) -> Store:
        """The database, as `opened_server` gives it. Raises Unavailable."""
        with self._opening:
            if self._remote is None:
                self._remote = opened_server(self._settings)
            return self._remote

    def refused(self, samples: Sequence[Sample]) -> dict[str, Outcome]:
        """Of samples that the database would refuse, by id, why; of none while it is away."""
        if self._away or not samples:
            return {}
        try:
            with self.remote().database.reading() as connection:
                full = room_left(connection, self._settings.samples_bytes) <= 0
                without_room = {sample.id: Outcome.NO_ROOM for sample in samples if full}
                return without_room | refusals(connection, samples)
        except Unavailable as error:
            self._tell(error)
            return {}

    def forget(self, visitor: str, until: datetime) -> int:
        """Delete a visitor's samples from the database, and count them; while it is away that waits, too."""
        if self._away:
            return 0
        try:
            return len(self.remote().forget(visitor, until).ids)
        except Unavailable as error:
            self._tell(error)
            return 0

    def _run(self) -> None:
        pause, last = FIRST_PAUSE, False
        while not last:
            last = self._ended.is_set()
            self._awake.clear()
            try:
                while self.move():
                    pass
            except Unavailable as error:
                self._tell(error)
                self._tell_of_late()
                self._ended.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except Exception:
                log.exception("A mistake of ours keeps samples from being moved.")
                self._tell_of_late()
                self._ended.wait(LONGEST_PAUSE)
            else:
                self._tell(None)
                pause = FIRST_PAUSE
                if not last:
                    self._awake.wait()
                    self._ended.wait(GATHERING_SECONDS)

    def move(self) -> int:
        """Move one batch, and tell how many samples it had. Raises Unavailable, and then all is as it was."""
        rows, forgotten = self.batch()
        if not rows and not forgotten:
            return 0
        remote = self.remote()
        if rows and not self._has_room(remote):
            written(remote, [], forgotten)
            raise NoRoom
        try:
            outcomes = written(remote, rows, forgotten)
        except BadValue:
            outcomes = self._one_by_one(remote, rows, forgotten)
        with self._local.database.writing() as connection:
            for row in rows:
                if row.id in outcomes:
                    here = (SAMPLES.c.id == row.id, SAMPLES.c.said == row.said)
                    connection.execute(delete(SAMPLES).where(*here))
            for one in forgotten:
                here = (FORGOTTEN.c.visitor == one.visitor, FORGOTTEN.c.time == one.time)
                connection.execute(delete(FORGOTTEN).where(*here))
            waiting = connection.execute(select(func.count()).select_from(SAMPLES)).scalar_one()
        if forgotten or not waiting:
            self._local.database.forget_pages()
        for id, outcome in outcomes.items():
            if outcome in (Outcome.DIFFERS, Outcome.DELETED):
                log.warning("A sample that waited is refused.", extra={"fields": {"id": id, "reason": outcome.value}})
        self._watcher.moved(len(outcomes), waiting)
        return len(outcomes) + len(forgotten)

    def batch(self) -> tuple[Sequence[Any], Sequence[Any]]:
        """What is moved next: rows of samples, the oldest first, and of visitors who are to be forgotten."""
        with self._local.database.reading() as connection:
            rows, _ = chosen(connection, [SAMPLES.c.id.not_in(self._aside)], OLDEST_FIRST)
            forgotten = connection.execute(select(FORGOTTEN).limit(TOGETHER)).all()
        return rows, forgotten

    def _has_room(self, remote: Store) -> bool:
        with remote.database.reading() as connection:
            return room_left(connection, self._settings.samples_bytes) > 0

    def _one_by_one(self, remote: Store, rows: Sequence[Any], forgotten: Sequence[Any]) -> dict[str, Outcome]:
        """As `written`, without those that the database cannot take: they stay here, and no others with them."""
        outcomes = written(remote, [], forgotten)
        for row in rows:
            try:
                outcomes |= written(remote, [row], [])
            except BadValue as error:
                self._aside.add(row.id)
                fields = {"id": row.id, "reason": str(error)}
                log.error("The database cannot take a sample, which stays in the outbox.", extra={"fields": fields})
        return outcomes

    def _tell(self, trouble: Unavailable | None) -> None:
        """In the log, where it is news."""
        full = isinstance(trouble, NoRoom)
        away = "" if full else str(trouble or "")
        if away and not self._away:
            log.error("The samples' database is away; samples wait in the outbox.", extra={"fields": {"reason": away}})
        elif self._away and not away:
            log.warning("The samples' database is back.")
        if full and not self._full:
            log.error("The samples' database is full; samples wait in the outbox.")
        self._away, self._full = away, full
        self._watcher.away(away)

    def _tell_of_late(self) -> None:
        """In the log, once a minute, where a sample has waited for long."""
        if time.monotonic() < self._told_of_late + TOLD_EVERY:
            return
        with suppress(Unavailable), self._local.database.reading() as connection:
            first = select(func.min(SAMPLES.c.said)).where(SAMPLES.c.id.not_in(self._aside))
            oldest = connection.execute(first).scalar()
            if oldest is not None and oldest < now() - LATE:
                log.error(LATE_MESSAGE, extra={"fields": {"seconds": round((now() - oldest).total_seconds())}})
                self._told_of_late = time.monotonic()


def written(remote: Store, rows: Sequence[Any], forgotten: Sequence[Any]) -> dict[str, Outcome]:
    """Each sample's outcome, once all is kept for good."""
    for one in forgotten:
        remote.forget(one.visitor, one.time)
    with remote.database.writing() as connection:
        return {row.id: keep(connection, sample_of(row), row.said) for row in rows}
