"""Parquet tables with a picture in each row. PyArrow is an extra, imported where it is needed."""

import importlib
import os
from collections.abc import Iterator
from typing import Any, Final

from app.cli.items import Item

ROWS_AT_ONCE: Final = 64

_NAMES: Final = ("name", "path", "file", "file_name", "filename", "id", "key")
"""Columns that say what a picture is called."""


class NoTable(ValueError):
    """It is no table of pictures, or cannot be read here; the message says why."""


def is_table(name: str) -> bool:
    return name.lower().endswith(".parquet")


def in_folder(folder: str) -> list[str]:
    """The tables of a folder that has nothing else, sorted. Names that begin with . or _ are other programs' own."""
    with os.scandir(folder) as entries:
        found = list[str]()
        for entry in entries:
            if entry.name[0] in "._":
                continue
            if not is_table(entry.name):
                return []
            found.append(entry.path)
    return sorted(found)


def located(address: str) -> tuple[Any, str]:
    """PyArrow's file system of a path or a URL (s3://bucket/folder), and where in it that is. Raises NoTable."""
    arrow()
    systems = importlib.import_module("pyarrow.fs")
    if "://" not in address:
        return systems.LocalFileSystem(), os.path.abspath(address)  # noqa: PTH100 - PyArrow wants a string
    try:
        system, path = systems.FileSystem.from_uri(address)
    except (OSError, ValueError) as error:
        raise NoTable(f"{address}: {first_line(error)}") from None
    return system, path


def first_line(error: Exception) -> str:
    """Of what PyArrow says: further ones are for its makers."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def arrow() -> Any:
    """The module `pyarrow`. Raises NoTable."""
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise NoTable("Parquet needs PyArrow: pip install 'digit-recognition-app[parquet]'") from None


def parquet() -> Any:
    """The module `pyarrow.parquet`. Raises NoTable."""
    arrow()
    return importlib.import_module("pyarrow.parquet")


def rows(table: str, column: str | None) -> int:
    """How many a table has. Raises NoTable."""
    file = _opened(table)
    _columns(file, table, column)
    count: int = file.metadata.num_rows
    return count


def items(table: str, column: str | None, start: int) -> Iterator[Item]:
    """The pictures of a table from a row on; an empty cell is an empty file. Raises NoTable."""
    file = _opened(table)
    pictures, names = _columns(file, table, column)
    groups, place = list(range(file.num_row_groups)), 0
    while groups and place + (length := file.metadata.row_group(groups[0]).num_rows) <= start:
        place += length
        groups.pop(0)
    for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=groups, columns=[pictures, *names], use_threads=False):
        called = batch.column(names[0]) if names else None
        for row, cell in enumerate(batch.column(pictures)):
            if place >= start:
                name = place if called is None else called[row].as_py()
                yield Item(f"{table}/{name}", _data(cell.as_py()))
            place += 1


def _opened(table: str) -> Any:
    system, path = located(table)
    try:
        return parquet().ParquetFile(path, filesystem=system)
    except (OSError, ValueError) as error:  # PyArrow's own errors are among the latter
        raise NoTable(f"{table} cannot be read as Parquet: {first_line(error)}") from None


def _columns(file: Any, table: str, column: str | None) -> tuple[str, list[str]]:
    """The column with the pictures, and that with their names, if there is one. Raises NoTable."""
    schema = file.schema_arrow
    binary = [field.name for field in schema if _holds_bytes(field.type)]
    if column is not None and column not in binary:
        raise NoTable(f"{table} has no column {column} of pictures; columns of bytes: {', '.join(binary) or 'none'}.")
    if column is None and len(binary) != 1:
        known = f"columns of bytes: {', '.join(binary)}. Say which: --column" if binary else "no column of bytes."
        raise NoTable(f"It is not clear where {table} has its pictures; it has {known}")
    named = [name for name in _NAMES if name in schema.names and not _holds_bytes(schema.field(name).type)]
    return column or binary[0], named[:1]


def _holds_bytes(kind: Any) -> bool:
    """Whether a cell is a file: its bytes, or a structure with them, as data sets of pictures have it."""
    types = arrow().types
    if types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _data(cell: Any) -> bytes:
    return (cell.get("bytes") if isinstance(cell, dict) else cell) or b""
