"""Which samples, in what order, a page at a time."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, takewhile
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from app.samples.errors import WrongCursor
from app.samples.sample import ID, NOT_A_CHARACTER
from app.samples.tables import SAMPLES

TOGETHER: Final = 100
"""Samples that are read at once, at most."""

BYTES_TOGETHER: Final = 16 * 1024 * 1024
"""Of their pictures; one sample is read however large it is."""

LONGEST_CURSOR: Final = 200
"""Characters; none that is given out has as many."""

_UNKNOWN: Final = 2.0
"""In place of a confidence that nobody has told: behind all that are."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """All that are set must hold."""

    alphabet: str | None = None
    label: str | None = None
    answer: str | None = None
    source: str | None = None
    verdict: str | None = None
    """"none", "right", "wrong" or "not_a_character"."""
    reviewed: bool | None = None
    before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        named = ("alphabet", "label", "answer", "source", "reviewed")
        found = [SAMPLES.c[name] == value for name in named if (value := getattr(self, name)) is not None]
        if self.before is not None:
            found.append(SAMPLES.c.time < self.before)
        label, answer = SAMPLES.c.label, SAMPLES.c.answer
        verdicts = {
            "none": label.is_(None),
            "right": label == answer,
            "wrong": and_(label != answer, label != NOT_A_CHARACTER),
            "not_a_character": label == NOT_A_CHARACTER,
        }
        return found if self.verdict is None else [*found, verdicts[self.verdict]]


class Order:
    """By a key and then by the id, which makes it one."""

    def __init__(self, name: str) -> None:
        """
        Args:
            name: "doubtful", the least confident answers first; "newest"; or "suspect", likely errors of labels
                first: those to which the model gave the least probability.
        """
        confidence, same = SAMPLES.c.confidence, SAMPLES.c.label == SAMPLES.c.answer
        self._name = name
        self._key: ColumnElement[Any] = {
            "doubtful": func.coalesce(confidence, _UNKNOWN),
            "newest": SAMPLES.c.time,
            "suspect": case((same, confidence), else_=1 - confidence),
        }[name]

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a sample must have to have a place in it."""
        if self._name != "suspect":
            return []
        return [SAMPLES.c[name].is_not(None) for name in ("label", "answer", "confidence")]

    def clauses(self) -> list[ColumnElement[Any]]:
        if self._name == "newest":
            return [self._key.desc(), SAMPLES.c.id.desc()]
        return [self._key, SAMPLES.c.id]

    def cursor(self, row: Row[Any]) -> str:
        """What tells where a sample stands."""
        key: Any
        match self._name:
            case "newest":
                key = row.time.isoformat()
            case "doubtful":
                key = _UNKNOWN if row.confidence is None else row.confidence
            case _:
                key = row.confidence if row.label == row.answer else 1 - row.confidence
        return base64.urlsafe_b64encode(json.dumps([key, row.id]).encode()).decode()

    def after(self, cursor: str) -> ColumnElement[bool]:
        """Those that come after it. Raises WrongCursor."""
        if len(cursor) > LONGEST_CURSOR:  # also one so deeply nested that nothing could read it
            raise WrongCursor
        try:
            key, id = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
            key = datetime.fromisoformat(key).astimezone(UTC) if self._name == "newest" else float(key)
            if not ID.fullmatch(id):
                raise WrongCursor
        except (binascii.Error, ValueError, TypeError, OverflowError):
            raise WrongCursor from None
        if self._name == "newest":
            return or_(self._key < key, and_(self._key == key, SAMPLES.c.id < id))
        return or_(self._key > key, and_(self._key == key, SAMPLES.c.id > id))


OLDEST_FIRST: Final[list[ColumnElement[Any]]] = [SAMPLES.c.time, SAMPLES.c.id]


def chosen(
    connection: Connection,
    conditions: list[ColumnElement[bool]],
    order: list[ColumnElement[Any]],
    most: int = TOGETHER,
    most_bytes: int = BYTES_TOGETHER,
) -> tuple[list[Row[Any]], bool]:
    """The first rows of samples, as many as fit, but one at least; and whether there are more."""
    sizes = connection.execute(
        select(SAMPLES.c.id, SAMPLES.c.size).where(*conditions).order_by(*order).limit(most + 1)
    ).all()
    fitting = sum(1 for _ in takewhile(lambda total: total <= most_bytes, accumulate(row.size for row in sizes)))
    ids = [row.id for row in sizes[: max(1, min(most, fitting))]]
    rows: dict[str, Any] = {row.id: row for row in connection.execute(select(SAMPLES).where(SAMPLES.c.id.in_(ids)))}
    return [rows[id] for id in ids], len(ids) < len(sizes)
