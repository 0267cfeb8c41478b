"""Pictures of which is known what they show: in folders named by it, or listed in a CSV file."""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from app.cli.items import Item
from app.cli.plan import NothingToRead, Plan

_FILE: Final = ("file", "path", "name", "image", "filename", "file_name")
_LABEL: Final = ("label", "labels", "class", "text", "character", "digit")
"""Columns of a CSV file, by their headings."""

Labelled = tuple[Item, str]


def count(source: Path, folder: Path) -> int:
    """How many there are, found out with a `folder` to write in. Raises NothingToRead, BrokenArchive and OSError."""
    if _is_list(source):
        return sum(1 for _ in _listed(source))
    return _plan(source, folder).count


def pictures(source: Path, folder: Path) -> Iterator[Labelled]:
    """Each with its label, in the plan's or the file's order. Raises as `count` does."""
    if _is_list(source):
        yield from _listed(source)
        return
    for item in _plan(source, folder).items():
        yield item, PurePosixPath(item.name).parent.name


def _is_list(source: Path) -> bool:
    return source.suffix.lower() == ".csv"


def _plan(source: Path, folder: Path) -> Plan:
    file = folder / "plan"
    return Plan.found(file) if file.exists() else Plan.made(file, [str(source)], {})


def _listed(source: Path) -> Iterator[Labelled]:
    """Files' names are from the folder in which the list lies."""
    with source.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        headings = rows.fieldnames or []
        file = next((one for one in headings if one.strip().lower() in _FILE), None)
        label = next((one for one in headings if one.strip().lower() in _LABEL), None)
        if file is None or label is None:
            raise NothingToRead(f"{source} needs the headings file and label; it has {', '.join(headings) or 'none'}.")
        for row in rows:
            name = str(source.parent / (row[file] or ""))
            yield Item(name, name), (row[label] or "").strip()
