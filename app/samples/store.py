"""What can be done with samples in a database."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from app.samples.database import Database, url_of
from app.samples.errors import UnknownSample
from app.samples.migration import check, migrate
from app.samples.sample import Sample, hashed, now
from app.samples.selection import OLDEST_FIRST, TOGETHER, Filters, Order, chosen
from app.samples.tables import DELETED, FORGOTTEN, SAMPLES
from app.settings import Settings

FIELDS: Final[list[Any]] = [SAMPLES.c[name] for name in Sample.__slots__]

PAGE_BYTES: Final = 8 * 1024 * 1024
"""Of a page's pictures."""

EVERYTHING: Final = Filters()

DELETED_TOGETHER: Final = 500
"""Samples that are deleted in one transaction, at most: others write between two of them."""

FORGOTTEN_FOR: Final = timedelta(days=30)
"""In which what a forgotten visitor has sent may still come from another machine's outbox."""


class Outcome(Enum):
    """What became of a sample that was to be kept."""

    KEPT = "kept"
    REPEATED = "repeated"
    """It is there, and its label is what it was, or newer than this one, or an admin's."""
    RELABELLED = "relabelled"
    DIFFERS = "differs"
    """Its id belongs to another picture, or to somebody else's."""
    DELETED = "deleted"
    """It was deleted before, and stays so."""
    NO_ROOM = "no_room"
    """There is no room for it in the file on this machine, or in the database."""


@dataclass(frozen=True)
class Receipt:
    """What was deleted."""

    ids: tuple[str, ...]
    time: datetime


@dataclass(frozen=True)
class Page:
    samples: list[Sample]
    next: str | None
    """Where the page after this one begins; None: there is none."""


@dataclass(frozen=True)
class Stat:
    """How many samples have all of this in common."""

    alphabet: str
    label: str | None
    reviewed: bool
    source: str
    samples: int
    right: int
    """Those of which the model's answer is the label."""
    bytes: int
    first: datetime


def keep(connection: Connection, sample: Sample, said: datetime | None = None) -> Outcome:
    """Keep a sample, or its label where it is there already; to do so again changes nothing.

    Args:
        connection: one that writes.
        sample: its `time` is when it was sent.
        said: when its label was given, where that was later.
    """
    said = said or sample.time
    digest = _digest(sample)
    found = connection.execute(
        select(SAMPLES.c.sha256, SAMPLES.c.visitor, SAMPLES.c.label, SAMPLES.c.reviewed, SAMPLES.c.said).where(
            SAMPLES.c.id == sample.id
        )
    ).first()
    if found is None:
        return _take(connection, sample, said, digest)
    if (found.sha256, found.visitor) != (digest, sample.visitor):
        return Outcome.DIFFERS
    if sample.label is None or sample.label == found.label or found.reviewed or said <= found.said:
        return Outcome.REPEATED
    connection.execute(update(SAMPLES).where(SAMPLES.c.id == sample.id).values(label=sample.label, said=said))
    return Outcome.RELABELLED


def _take(connection: Connection, sample: Sample, said: datetime, digest: str) -> Outcome:
    if connection.execute(select(DELETED.c.time).where(DELETED.c.id_sha256 == hashed(sample.id))).first():
        return Outcome.DELETED
    if sample.visitor is not None:
        forgotten = select(FORGOTTEN.c.time).where(FORGOTTEN.c.visitor == sample.visitor)
        if connection.execute(forgotten.where(FORGOTTEN.c.time >= sample.time)).first():
            return Outcome.DELETED
    values = {name: getattr(sample, name) for name in Sample.__slots__}
    connection.execute(insert(SAMPLES).values(**values, said=said, size=len(sample.picture), sha256=digest))
    return Outcome.KEPT


def refusals(connection: Connection, samples: Iterable[Sample]) -> dict[str, Outcome]:
    """Of those of some samples that `keep` would not take, by id, why."""
    wanted = {sample.id: sample for sample in samples}
    there = select(SAMPLES.c.id, SAMPLES.c.sha256, SAMPLES.c.visitor).where(SAMPLES.c.id.in_(wanted))
    refused = {
        row.id: Outcome.DIFFERS
        for row in connection.execute(there)
        if (row.sha256, row.visitor) != (_digest(wanted[row.id]), wanted[row.id].visitor)
    }
    hashes = {hashed(id): id for id in wanted}
    gone = connection.execute(select(DELETED.c.id_sha256).where(DELETED.c.id_sha256.in_(hashes))).scalars()
    return refused | {hashes[digest]: Outcome.DELETED for digest in gone}


def _digest(sample: Sample) -> str:
    return hashlib.sha256(sample.picture).hexdigest()


def forget(connection: Connection, visitor: str, until: datetime) -> Receipt:
    """Delete a visitor's samples up to a moment, and refuse those of them that come later from elsewhere.

    Only some are deleted, as by `remove`.
    """
    known = connection.execute(select(FORGOTTEN.c.time).where(FORGOTTEN.c.visitor == visitor)).scalar()
    if known is None:
        connection.execute(insert(FORGOTTEN).values(visitor=visitor, time=until))
    elif known < until:
        connection.execute(update(FORGOTTEN).where(FORGOTTEN.c.visitor == visitor).values(time=until))
    return remove(connection, SAMPLES.c.visitor == visitor, SAMPLES.c.time <= until)


def remove(connection: Connection, *conditions: ColumnElement[bool]) -> Receipt:
    """Delete samples for good: where there are more than DELETED_TOGETHER, only so many."""
    when = now()
    some = select(SAMPLES.c.id).where(*conditions).order_by(SAMPLES.c.id).limit(DELETED_TOGETHER)
    ids = tuple(connection.execute(some).scalars())
    if ids:
        connection.execute(delete(SAMPLES).where(SAMPLES.c.id.in_(ids)))
        connection.execute(insert(DELETED), [{"id_sha256": hashed(id), "time": when} for id in ids])
    return Receipt(ids, when)


def opened(setting: str) -> "Store":
    """The samples at a path or an address, with today's schema. Raises Unavailable."""
    database = Database(url_of(setting))
    migrate(database)
    return Store(database)


def opened_server(settings: Settings) -> "Store":
    """The samples on the server of the settings, with today's schema, or a later one where another migrates.

    Raises Unavailable.
    """
    database = Database(url_of(settings.samples_server), iam_region=settings.samples_iam_region)
    (migrate if settings.samples_migrate else check)(database)
    return Store(database)


class Store:
    """The samples in one database. Safe to share between threads. Everything raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def keep(self, sample: Sample) -> Outcome:
        with self.database.writing() as connection:
            return keep(connection, sample)

    def forget(self, visitor: str, until: datetime | None = None) -> Receipt:
        """Delete all samples of a visitor, told by the hash of the token, up to now or to another moment.

        Where that fails half-way, what is deleted by then stays so.
        """
        until = until or now()
        return self._to_the_last(lambda connection: forget(connection, visitor, until))

    def delete(self, id: str) -> Receipt:
        """Delete one sample. Raises UnknownSample."""
        receipt = self._to_the_last(lambda connection: remove(connection, SAMPLES.c.id == id))
        if not receipt.ids:
            raise UnknownSample
        return receipt

    def delete_before(self, moment: datetime) -> Receipt:
        """Delete the samples that were taken before a moment."""
        return self._to_the_last(lambda connection: remove(connection, SAMPLES.c.time < moment))

    def drop_marks(self) -> None:
        """Forget who was forgotten so long ago that nothing of theirs comes any more."""
        with self.database.writing() as connection:
            connection.execute(delete(FORGOTTEN).where(FORGOTTEN.c.time < now() - FORGOTTEN_FOR))

    def relabel(self, id: str, label: str) -> Sample:
        """Give a sample an admin's label, which stays whatever its visitor says later. Raises UnknownSample."""
        with self.database.writing() as connection:
            connection.execute(update(SAMPLES).where(SAMPLES.c.id == id).values(label=label, reviewed=True, said=now()))
            found = connection.execute(select(*FIELDS).where(SAMPLES.c.id == id)).first()
        if found is None:
            raise UnknownSample
        return sample_of(found)

    def sample(self, id: str) -> Sample:
        """Raises UnknownSample."""
        with self.database.reading() as connection:
            found = connection.execute(select(*FIELDS).where(SAMPLES.c.id == id)).first()
        if found is None:
            raise UnknownSample
        return sample_of(found)

    def page(
        self,
        filters: Filters,
        order: str = "newest",
        most: int = 50,
        after: str | None = None,
        most_bytes: int = PAGE_BYTES,
    ) -> Page:
        """Some samples in an order that Order knows, from where a former page ended. Raises WrongCursor."""
        sorting = Order(order)
        conditions = [*filters.conditions(), *sorting.conditions()]
        if after is not None:
            conditions.append(sorting.after(after))
        with self.database.reading() as connection:
            rows, more = chosen(connection, conditions, sorting.clauses(), most, most_bytes)
        return Page([sample_of(row) for row in rows], sorting.cursor(rows[-1]) if more else None)

    def each(self, filters: Filters = EVERYTHING) -> Iterator[Sample]:
        """All samples, the oldest first. Those that come or go meanwhile may be among them, or not."""
        conditions, more = filters.conditions(), True
        later: list[ColumnElement[bool]] = []
        while more:
            with self.database.reading() as connection:
                rows, more = chosen(connection, [*conditions, *later], OLDEST_FIRST)
            yield from map(sample_of, rows)
            if more:
                time, id = rows[-1].time, rows[-1].id
                later = [or_(SAMPLES.c.time > time, and_(SAMPLES.c.time == time, SAMPLES.c.id > id))]

    def stats(self) -> list[Stat]:
        """How many samples there are of each alphabet, label, verdict and source, with their bytes and time."""
        grouped = [SAMPLES.c[name] for name in ("alphabet", "label", "reviewed", "source")]
        right = func.sum(case((SAMPLES.c.label == SAMPLES.c.answer, 1), else_=0))
        counted = select(
            *grouped,
            func.count().label("samples"),
            right.label("right"),
            func.sum(SAMPLES.c.size).label("bytes"),
            func.min(SAMPLES.c.time).label("first"),
        )
        with self.database.reading() as connection:
            rows = connection.execute(counted.group_by(*grouped)).all()
        found = [Stat(**dict(row._mapping)) for row in rows]
        return sorted(found, key=lambda one: (one.alphabet, one.label is None, one.label or "", one.source))

    def count(self) -> int:
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(SAMPLES)).scalar_one()

    def take(self, samples: Iterable[Sample]) -> "Counter[Outcome]":
        """Keep many, a hundred in a transaction, and count what became of them."""
        counted: Counter[Outcome] = Counter()
        rest = iter(samples)
        while some := list(islice(rest, TOGETHER)):
            with self.database.writing() as connection:
                counted.update(keep(connection, sample) for sample in some)
        return counted

    def changed_pictures(self) -> list[str]:
        """The ids of samples whose picture is not what it was when it came."""
        with self.database.reading() as connection:
            digests = {row.id: row.sha256 for row in connection.execute(select(SAMPLES.c.id, SAMPLES.c.sha256))}
        return [one.id for one in self.each() if digests.get(one.id, _digest(one)) != _digest(one)]

    def deleted(self, ids_sha256: Iterable[str]) -> set[str]:
        """Which of these, hashes of ids, are of samples that were deleted."""
        with self.database.reading() as connection:
            return set(connection.execute(select(DELETED.c.id_sha256)).scalars()) & set(ids_sha256)

    def _to_the_last(self, some: Callable[[Connection], Receipt]) -> Receipt:
        """What is deleted by `some`, which is called again and again, until there are no more."""
        ids: list[str] = []
        while True:
            with self.database.writing() as connection:
                receipt = some(connection)
            ids += receipt.ids
            if len(receipt.ids) < DELETED_TOGETHER:
                break
        if ids:
            self.database.forget_pages()
        return Receipt(tuple(ids), receipt.time)


def sample_of(row: Row[Any]) -> Sample:
    return Sample(**{name: getattr(row, name) for name in Sample.__slots__})
