"""How much more may be kept."""

from typing import Final

from sqlalchemy import Connection, func, select

from app.samples.tables import SAMPLES

ROW_BYTES: Final = 500
"""What PostgreSQL keeps of a sample besides its picture, with its share of the indexes."""


def room_left(connection: Connection, most_bytes: int) -> int:
    """Bytes that samples may take in addition; none is left where it is not above 0."""
    if connection.dialect.name == "sqlite":
        return most_bytes - _used_in_file(connection)
    size = connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one()
    # Its files do not shrink by what is deleted, which it uses anew. To add up all takes long, and is seldom needed.
    return most_bytes - (size if size < most_bytes else _used_by_samples(connection))


def _used_in_file(connection: Connection) -> int:
    """What a file of SQLite's takes, less what is free in it."""
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _used_by_samples(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.sum(SAMPLES.c.size + ROW_BYTES), 0))).scalar_one())
