"""Shards: Parquet tables side by side in a folder, on a file system or, by URL, in an object store.

A shard is written under another name and renamed when it is whole. So whatever has a shard's name is done, and what
ends a program at whatever time leaves nothing to mend: the names say what is left to do.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

from pyarrow import Schema, Table, fs
from pyarrow.parquet import ParquetFile, ParquetWriter

from app.cli import tables
from app.cli.plan import NothingToRead
from app.cli.run import OtherRun

_UNFINISHED: Final = ".part"
_LABEL: Final = b"digits"
"""In the Parquet file's own metadata, where its label stands."""

_FILES_AT_ONCE: Final = 32
"""That are asked for what they are: an object store answers late, but many at once."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Label:
    """What a shard says of itself. `asked`: all that decides over it; `broken`: rows without a picture or an answer."""

    asked: dict[str, Any]
    rows: int
    broken: int


def beside(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def names(folder: str) -> list[str]:
    """Of the shards in a folder, sorted; none where there is no folder. Raises OSError and tables.NoTable."""
    return [name for name in _names(folder) if tables.is_table(name) and name[0] not in "._"]


def sources(source: str) -> list[str]:
    """The addresses of the shards in a folder, or of the one that it is. Raises NothingToRead, NoTable, OSError."""
    if tables.is_table(source):
        return [source]
    found = [beside(source, name) for name in names(source)]
    if not found:
        raise NothingToRead(f"There is no Parquet table in {source}. To make some of pictures: pack")
    return found


def labels(addresses: Iterable[str]) -> list[Label | None]:
    """Of shards that are there; None of what was not written by these programs. Raises tables.NoTable."""
    return at_once(_label, addresses)


def at_once(work: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """The same of many files, in order."""
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        return list(threads.map(work, given))


def write(
    address: str,
    some: Iterable[Table],
    schema: Schema,
    asked: dict[str, Any],
    broken: Callable[[Table], int],
    **options: Any,
) -> Label:
    """A shard of tables; `broken`: how many rows of a table are. Raises OSError and tables.NoTable."""
    rows = lacking = 0
    with _whole(address) as stream, ParquetWriter(stream, schema, **options) as writer:
        for table in some:
            writer.write_table(table)
            rows += table.num_rows
            lacking += broken(table)
        label = Label(asked, rows, lacking)
        writer.add_key_value_metadata({_LABEL: json.dumps(vars(label)).encode()})
    return label


def make_folder(folder: str) -> None:
    """Raises OSError and tables.NoTable."""
    system, path = tables.located(folder)
    system.create_dir(path, recursive=True)


def remove_all(folder: str) -> None:
    """The shards in a folder that these programs have written, and what was left of unfinished ones.

    Raises OSError and tables.NoTable.
    """
    there = names(folder)
    known = labels(beside(folder, name) for name in there)
    _remove(folder, (name for name, label in zip(there, known, strict=True) if label))
    clear_away(folder)


def refuse_to_read_and_write(sources: Iterable[str], folder: str) -> None:
    """One and the same folder. Raises OtherRun and tables.NoTable."""
    system, path = tables.located(folder)
    for source in sources:
        other, place = tables.located(source)
        if other.equals(system) and path in (place, place.rpartition("/")[0]):
            raise OtherRun(f"{source} is in the folder that is to be written to.")


def clear_away(folder: str) -> None:
    """What was left of unfinished ones by programs that were killed. Raises OSError and tables.NoTable."""
    _remove(folder, (name for name in _names(folder) if name.endswith(_UNFINISHED)))


def _names(folder: str) -> list[str]:
    system, path = tables.located(folder)
    files = system.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return sorted(file.base_name for file in files if file.type == fs.FileType.File)


def _remove(folder: str, some: Iterable[str]) -> None:
    for name in some:
        system, path = tables.located(beside(folder, name))
        system.delete_file(path)


def _label(address: str) -> Label | None:
    system, path = tables.located(address)
    try:
        with ParquetFile(path, filesystem=system) as file:
            known = (file.metadata.metadata or {}).get(_LABEL)
    except (OSError, ValueError) as error:
        raise tables.NoTable(f"{address} cannot be read as Parquet: {tables.first_line(error)}") from None
    return Label(**json.loads(known)) if known else None


@contextmanager
def _whole(address: str) -> Iterator[Any]:
    """A stream to write to. The file has its name when this ends well, and is gone when it does not."""
    system, path = tables.located(address)
    folder, _, name = path.rpartition("/")
    unfinished = f"{folder}/.{name}.{uuid4().hex}{_UNFINISHED}"
    try:
        with system.open_output_stream(unfinished) as stream:
            yield stream
        system.move(unfinished, path)
    except BaseException:
        with suppress(OSError):
            system.delete_file(unfinished)
        raise
