"""Shards of loose files, of archives and of other tables: pictures side by side, in the order in which they are read.

Where a shard ends follows from the pictures and the size alone, and all shards but the last are full: those that are
there say how many pictures are done, and the same command goes on behind them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow

from app.cli.items import Item, Unreadable
from app.cli.plan import Plan
from app.cli.progress import Progress
from app.cli.run import OtherRun, Outcome
from batch import shards
from batch.shards import Label

_SCHEMA: Final = pyarrow.schema([("name", pyarrow.string()), ("picture", pyarrow.binary())])

_OPTIONS: Final[dict[str, Any]] = {
    "compression": {"name": "zstd", "picture": "none"},  # pictures are compressed already
    "use_dictionary": ["name"],
    "write_statistics": ["name"],
}

GROUP_BYTES: Final = 8 * 1024 * 1024
"""Of pictures that a reader has in memory at a time."""

GROUP_ROWS: Final = 10_000


@dataclass(frozen=True)
class Pack:
    """`size`: bytes of pictures in a shard, at most, unless a single one has more."""

    sources: Sequence[str]
    output: str
    size: int
    column: str | None = None
    quiet: bool = False
    anew: bool = False

    def run(self, outcome: Outcome) -> None:
        """Write all shards, or those that are not there yet.

        Raises:
            OtherRun, plan.NothingToRead, archives.BrokenArchive, tables.NoTable, OSError
        """
        shards.refuse_to_read_and_write(self.sources, self.output)
        if self.anew:
            shards.remove_all(self.output)
        shards.make_folder(self.output)
        with TemporaryDirectory() as folder:
            plan = Plan.made(Path(folder, "plan"), self.sources, {}, self.column)
            asked = {"pictures": _checksum(plan.file), "size": self.size}
            there = self._there(asked)
            for label in there:
                outcome.answered += label.rows
                outcome.broken += label.broken
            outcome.before, outcome.passed_over = outcome.answered, plan.passed_over
            progress = Progress(plan.count, outcome.answered, quiet=self.quiet)
            try:
                loaded = _loaded(plan.items(outcome.answered), outcome)
                for number, groups in groupby(_groups(loaded, self.size, len(there)), itemgetter(0)):
                    label = shards.write(
                        shards.beside(self.output, _name(number)),
                        _told((table for _, table in groups), progress),
                        _SCHEMA,
                        asked,
                        lambda table: table["picture"].null_count,
                        **_OPTIONS,
                    )
                    outcome.answered += label.rows
                    outcome.broken += label.broken
            finally:
                progress.end()
        shards.clear_away(self.output)

    def _there(self, asked: dict[str, Any]) -> list[Label]:
        """The labels of the shards that are there. Raises OtherRun."""
        names = shards.names(self.output)
        labels = shards.labels(shards.beside(self.output, name) for name in names)
        known = [label for label in labels if label and label.asked == asked]
        if len(known) != len(names) or names != [_name(number) for number in range(len(names))]:
            raise OtherRun(f"{self.output} has shards of other pictures, or of another size. To begin anew: --anew")
        return known


def _loaded(items: Iterator[Item], outcome: Outcome) -> Iterator[tuple[str, bytes | None]]:
    """Names and bytes, None where there are none to be had."""
    for item in items:
        try:
            picture = item.load()
        except Unreadable as error:
            outcome.list(item.name, str(error))
            picture = None
        yield item.name.encode(errors="surrogateescape").decode(errors="replace"), picture


def _groups(
    pictures: Iterable[tuple[str, bytes | None]], size: int, number: int
) -> Iterator[tuple[int, pyarrow.Table]]:
    """Row groups, each with the number of its shard, which count from `number`."""
    rows = list[tuple[str, bytes | None]]()
    in_group = in_shard = 0
    for name, picture in pictures:
        length = len(picture or b"")
        full = in_shard > 0 and in_shard + length > size
        if rows and (full or in_group + length > GROUP_BYTES or len(rows) == GROUP_ROWS):
            yield number, _table(rows)
            rows, in_group = [], 0
        if full:
            number, in_shard = number + 1, 0
        rows.append((name, picture))
        in_group += length
        in_shard += length
    if rows:
        yield number, _table(rows)


def _table(rows: list[tuple[str, bytes | None]]) -> pyarrow.Table:
    names, pictures = zip(*rows, strict=True)
    return pyarrow.table([names, pictures], _SCHEMA)


def _told(tables: Iterable[pyarrow.Table], progress: Progress) -> Iterator[pyarrow.Table]:
    for table in tables:
        yield table
        progress.advance(table.num_rows)


def _name(number: int) -> str:
    return f"{number:05}.parquet"


def _checksum(file: Path) -> str:
    with file.open("rb") as plan:
        return hashlib.file_digest(plan, "sha256").hexdigest()
