"""What people said of the answers, by day and by the model's version."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.sql import ColumnElement

from app.samples.sample import NOT_A_CHARACTER
from app.samples.store import Store
from app.samples.tables import SAMPLES


@dataclass(frozen=True)
class Said:
    alphabet: str
    day: date
    """In UTC."""
    version: str
    """Empty where the sample does not say."""
    right: int
    wrong: int
    no_character: int


def by_day(store: Store, since: datetime) -> list[Said]:
    """Of the samples that were taken since then and of which the answer is known, the earliest first.

    Raises Unavailable.
    """
    label, answer, time = SAMPLES.c.label, SAMPLES.c.answer, SAMPLES.c.time
    day = func.date(time if store.database.is_file else func.timezone("UTC", time)).label("day")
    version = func.coalesce(SAMPLES.c.model, "").label("version")
    counted = (
        select(
            SAMPLES.c.alphabet,
            day,
            version,
            _count(label == answer),
            _count((label != answer) & (label != NOT_A_CHARACTER)),
            _count(label == NOT_A_CHARACTER),
        )
        .where(time >= since, label.is_not(None), answer.is_not(None))
        .group_by(SAMPLES.c.alphabet, day, version)
        .order_by(day, SAMPLES.c.alphabet, version)
    )
    with store.database.reading() as connection:
        rows = connection.execute(counted).all()
    return [Said(alphabet, _date(day), *rest) for alphabet, day, *rest in rows]


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _date(found: date | str) -> date:
    """SQLite knows no dates."""
    return found if isinstance(found, date) else date.fromisoformat(found)
