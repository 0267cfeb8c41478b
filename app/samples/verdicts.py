"""What people said of the answers, by day and by the model's version."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import case, func, or_, select
from sqlalchemy.sql import ColumnElement

from app.samples.sample import NOT_A_CHARACTER
from app.samples.store import Store
from app.samples.tables import SAMPLES

OTHER_VERSIONS: Final = 20
"""That nobody knows and that are told apart: anybody may send any text for one."""


@dataclass(frozen=True)
class Said:
    alphabet: str
    day: date
    """In UTC."""
    version: str
    """Empty where the sample does not say, and of the rarest, where there are too many."""
    right: int
    wrong: int
    no_character: int


def by_day(store: Store, since: datetime, known: Collection[str] = ()) -> list[Said]:
    """Of the samples that were taken since then and of which the answer is known, the earliest first.

    Versions are told apart that are `known`, and of the others those of the most samples. Raises Unavailable.
    """
    label, answer, time = SAMPLES.c.label, SAMPLES.c.answer, SAMPLES.c.time
    day = func.date(time if store.database.is_file else func.timezone("UTC", time)).label("day")
    conditions = (time >= since, label.is_not(None), answer.is_not(None))
    model = SAMPLES.c.model
    others = (
        select(model)
        .where(*conditions, model.is_not(None), model.not_in(known))
        .group_by(model)
        .order_by(func.count().desc(), model)
        .limit(OTHER_VERSIONS)
    )
    version = case((or_(model.in_(known), model.in_(others)), model), else_="").label("version")
    counted = (
        select(
            SAMPLES.c.alphabet,
            day,
            version,
            _count(label == answer),
            _count((label != answer) & (label != NOT_A_CHARACTER)),
            _count(label == NOT_A_CHARACTER),
        )
        .where(*conditions)
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
