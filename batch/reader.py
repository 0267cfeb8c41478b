"""What one core of the cluster does: a shard of pictures in, a shard of answers out.

It is the engine of one machine with one process, so that answers are the same and a picture that kills its reader is a
row like any other broken one. Pictures and answers go between this core and the file system alone, never through Ray's
object store: memory stays flat, and the cluster's head has nothing to carry.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from app.cli import outputs, tables
from app.cli.answering import CannotAnswer, Question
from app.cli.local import Local
from batch import shards

TELL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Work:
    """Of which shard, with its pictures in `column`, to make which; `asked` will be on its label."""

    source: str
    target: str
    column: str | None
    asked: dict[str, Any]


class Tally:
    """How far all are: one for the cluster. Whoever takes a dead one's place begins its shard again."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}
        self._deaths = 0

    def begin(self, source: str) -> None:
        self._deaths += source in self._done
        self._done[source] = 0

    def tell(self, source: str, pictures: int) -> None:
        self._done[source] = pictures

    def told(self) -> tuple[int, int]:
        """Pictures that are answered, and shards that were begun again."""
        return sum(self._done.values()), self._deaths


class ShardReader:
    """An actor. `models`: the files of the alphabet's folder by their names, the same for all machines."""

    def __init__(self, question: Question, models: dict[str, bytes], tally: Any) -> None:
        """Raises CannotAnswer."""
        self._folder = TemporaryDirectory()
        self._question = replace(question, models=Path(self._folder.name))
        self._tally = tally
        folder = self._question.models / question.alphabet
        folder.mkdir()
        for name, data in models.items():
            (folder / name).write_bytes(data)
        self._engine = Local(self._question, 1)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """`failed` is why there is no shard of answers, if there is none: the others are made all the same."""
        work: Work = row["item"]
        self._tally.begin.remote(work.source)
        try:
            lines = self._told(work.source, tables.items(work.source, work.column, 0))
            shards.write(
                work.target,
                outputs.as_tables(lines, self._question.what),
                outputs.schema(self._question.what),
                work.asked,
                lambda table: table.num_rows - table["code"].null_count,
                compression="zstd",
            )
        except (CannotAnswer, OSError, ValueError) as error:  # NoTable and PyArrow's are among the latter two
            self._engine.close()
            self._engine = Local(self._question, 1)  # the other has answers to come that nobody waits for any more
            return {"failed": f"{work.source}: {tables.first_line(error)}"}
        return {"failed": None}

    def _told(self, source: str, items: Iterable[Any]) -> Iterator[bytes]:
        """The lines that are answered to a shard's pictures; how many there are so far is told at times."""
        done, said = 0, time.monotonic()
        for lines in self._engine.answers(items):
            yield from lines
            done += len(lines)
            if time.monotonic() > said + TELL_SECONDS:
                said = time.monotonic()
                self._tally.tell.remote(source, done)
        self._tally.tell.remote(source, done)
