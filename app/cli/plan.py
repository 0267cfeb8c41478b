"""What there is to read: written down before the first picture is read, and then read on from any place in it.

The pictures of a folder may be a million. Their names are sorted in parts, which are then merged, so that never more
than one part is in memory; the same folder gives the same order. Of an archive or a table only its name stands in the
plan: their own lists are read on the way.
"""

import heapq
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

from app.cli import archives, tables
from app.cli.items import Item

ENDINGS: Final = frozenset(("png", "jpg", "jpeg", "jfif", "webp", "avif", "gif", "bmp", "tif", "tiff", "heic", "heif"))
"""Of what is taken for a picture in a folder or an archive; a file that is named itself may be called anything."""

STANDARD_INPUT: Final = "-"

NAMES_AT_ONCE: Final = 100_000
"""That are sorted in memory: about 15 MB."""


class NothingToRead(ValueError):
    """A source is not there, or there is no picture in it; the message says which."""


@dataclass(frozen=True)
class Plan:
    """`asked`: all that decides over the answers, by which a plan is known again; `passed_over`: files whose ending is
    none of a picture's.
    """

    file: Path
    asked: dict[str, Any]
    count: int
    passed_over: int = 0
    _body: int = field(default=0, repr=False)
    """Where the sources begin in the file."""

    @classmethod
    def made(cls, file: Path, sources: Sequence[str], asked: dict[str, Any], column: str | None = None) -> "Plan":
        """Write down what the sources have. The file is there when it is whole. Raises NothingToRead and OSError."""
        with TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
            body, counted = Path(folder, "body"), _Counted()
            with body.open("w") as lines:
                for source in sources:
                    _write(source, column, lines, Path(folder), counted)
            if not counted.pictures:
                raise NothingToRead(f"There is no picture in {', '.join(sources)}.")
            whole = Path(folder, "whole")
            with whole.open("wb") as target:
                head = {"asked": asked, "count": counted.pictures, "passed_over": counted.passed_over}
                target.write(json.dumps(head).encode() + b"\n")
                with body.open("rb") as rest:
                    while block := rest.read(1 << 20):
                        target.write(block)
                target.flush()
                os.fsync(target.fileno())
            whole.replace(file)
        return cls.found(file)

    @classmethod
    def found(cls, file: Path) -> "Plan":
        """One that was made before. Raises OSError, and ValueError where it is none."""
        with file.open("rb") as lines:
            head = json.loads(lines.readline())
            return cls(file, head["asked"], head["count"], head["passed_over"], lines.tell())

    def items(self, start: int = 0) -> Iterator[Item]:
        """The pictures from a place on. Raises archives.BrokenArchive, tables.NoTable and OSError."""
        with self.file.open("rb") as lines:
            lines.seek(self._body)
            for line in lines:
                entry = json.loads(line)
                if isinstance(entry, str):
                    if start == 0:
                        yield Item(entry, entry)
                    else:
                        start -= 1
                    continue
                if start < entry["count"]:
                    yield from _items(entry, start)
                start = max(0, start - entry["count"])


def _items(entry: dict[str, Any], start: int) -> Iterator[Item]:
    """Of an archive, a table or the standard input, from a place on. Raises NothingToRead where it has changed."""
    if "input" in entry:
        return iter([Item(STANDARD_INPUT, sys.stdin.buffer.read())])
    file = entry.get("table") or entry["archive"]
    if entry["state"] != _state(file):
        raise NothingToRead(f"{file} has changed since the run was begun. To begin anew: --anew")
    if "table" in entry:
        return tables.items(entry["table"], entry["column"], start)
    pictures = (one for one in archives.members(file) if _is_picture(one.name))
    return (Item(f"{one.archive}/{one.name}", one) for one in islice(pictures, start, None))


def _state(file: str) -> list[int]:
    """Size and time of change: by which a file is known to be the same."""
    known = Path(file).stat()
    return [known.st_size, known.st_mtime_ns]


@dataclass
class _Counted:
    pictures: int = 0
    passed_over: int = 0


def _write(source: str, column: str | None, lines: TextIO, folder: Path, counted: _Counted) -> None:
    """The lines of one source. Raises NothingToRead and OSError."""
    entry: dict[str, Any] | str
    if Path(source).is_dir():
        if shards := tables.in_folder(source):
            for shard in shards:
                _write(shard, column, lines, folder, counted)
        else:
            _write_folder(source, lines, folder, counted)
        return
    if source == STANDARD_INPUT:
        entry, count = {"input": source, "count": 1}, 1
    elif not Path(source).is_file():
        raise NothingToRead(f"There is no file or folder {source}.")
    elif tables.is_table(source):
        count = tables.rows(source, column)
        entry = {"table": source, "column": column, "count": count, "state": _state(source)}
    elif archives.is_archive(source):
        count = 0
        for member in archives.members(source):
            count += _is_picture(member.name)
            counted.passed_over += not _is_picture(member.name)
        entry = {"archive": source, "count": count, "state": _state(source)}
    else:
        entry, count = source, 1
    lines.write(json.dumps(entry) + "\n")
    counted.pictures += count


def _write_folder(source: str, lines: TextIO, folder: Path, counted: _Counted) -> None:
    """The pictures in a folder and all below it, sorted."""
    names = _pictures_in(source, counted)
    with ExitStack() as parts:
        sorted_parts = list[TextIO]()
        while part := sorted(json.dumps(name) + "\n" for name in islice(names, NAMES_AT_ONCE)):
            file = parts.enter_context(Path(folder, f"part-{len(sorted_parts)}").open("w+"))
            file.writelines(part)
            file.seek(0)
            sorted_parts.append(file)
            counted.pictures += len(part)
        lines.writelines(heapq.merge(*sorted_parts))


def _pictures_in(folder: str, counted: _Counted) -> Iterator[str]:
    """Their names, in whatever order the file system has them. Linked folders are not gone into: they may be loops."""
    folders = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif _is_picture(entry.name) and entry.is_file():
                    yield entry.path
                else:
                    counted.passed_over += 1


def _is_picture(name: str) -> bool:
    """By its ending. Files of which the name begins with a dot are other programs' own."""
    base = name.rpartition("/")[2]
    return not base.startswith(".") and base.rpartition(".")[2].lower() in ENDINGS
