"""The schema, the same in every database. A change of it takes a new file in `migrations/versions`."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """In UTC, to the microsecond. SQLite knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


IDENTIFIER = String(64).with_variant(String(64, collation="C"), "postgresql")
"""Sorted by its bytes, wherever it is kept."""

METADATA = MetaData()

SAMPLES = Table(
    "samples",
    METADATA,
    Column("id", IDENTIFIER, primary_key=True),
    Column("time", Moment, nullable=False),
    Column("alphabet", String(255), nullable=False),
    Column("label", String(64)),
    Column("reviewed", Boolean, nullable=False),
    Column("said", Moment, nullable=False, comment="when the label was given, or that there is none"),
    Column("answer", String(64)),
    Column("confidence", Double),
    Column("model", String(64)),
    Column("source", String(32), nullable=False),
    Column("visitor", String(64), comment="SHA-256 of the visitor's token"),
    Column("size", Integer, nullable=False, comment="bytes of the picture"),
    Column("sha256", String(64), nullable=False, comment="of the picture"),
    Column("picture", LargeBinary, nullable=False),
    Index("samples_by_time", "time", "id"),
    Index("samples_by_visitor", "visitor"),
)

DELETED = Table(
    "deleted",
    METADATA,
    Column("id_sha256", String(64), primary_key=True),
    Column("time", Moment, nullable=False),
)
"""Of a sample that was deleted nothing stays but this: it does not come back, and no data set holds it."""

FORGOTTEN = Table(
    "forgotten",
    METADATA,
    Column("visitor", String(64), primary_key=True),
    Column("time", Moment, nullable=False),
)
"""Whose samples up to that moment were deleted, also those that still wait elsewhere."""
