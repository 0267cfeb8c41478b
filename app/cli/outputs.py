"""What answers are written as: a table for people, JSON lines, CSV or Parquet."""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from app.cli import tables
from app.cli.answering import What

Format = Literal["table", "jsonl", "csv", "parquet"]

FORMATS: Final[dict[str, Format]] = {
    ".txt": "table",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
"""By the ending of a file's name."""

_COLUMNS: Final[dict[What, tuple[str, ...]]] = {
    "predict": ("file", "label", "case", "confidence", "sure", "second", "second_confidence", "error", "code"),
    "read": ("file", "text", "confidence", "sure", "characters", "error", "code"),
}
"""Of CSV; Parquet has all `alternatives`, and `characters` with their boxes, as lists of structures."""

_ROWS_TOGETHER: Final = 10_000


def write_text(lines: Iterable[bytes], target: TextIO, what: What, format: Format) -> None:
    """Lines of a journal as anything but Parquet, one after the other."""
    match format:
        case "jsonl":
            for line in lines:
                target.write(line.decode() + "\n")
        case "csv":
            rows = csv.DictWriter(target, _COLUMNS[what], lineterminator="\n")
            rows.writeheader()
            rows.writerows(_flat(json.loads(line), what) for line in lines)
        case _:
            for number, line in enumerate(lines):
                if number == 0:
                    target.write(f"{'answer':10}  {'confidence':>10}            file\n")
                target.write(_for_people(json.loads(line), what) + "\n")


def write_parquet(lines: Iterable[bytes], target: Path, what: What) -> None:
    """Raises tables.NoTable where it cannot be written here."""
    with tables.parquet().ParquetWriter(target, schema(what), compression="zstd") as writer:
        for table in as_tables(lines, what):
            writer.write_table(table)


def as_tables(lines: Iterable[bytes], what: What) -> Iterator[Any]:
    """Lines of a journal as PyArrow's tables, some thousand rows each. Raises tables.NoTable."""
    arrow, columns = tables.arrow(), schema(what)
    answers = (json.loads(line) for line in lines)
    while rows := [_nested(answer, what) for answer in islice(answers, _ROWS_TOGETHER)]:
        yield arrow.Table.from_pylist(rows, columns)


def schema(what: What) -> Any:
    """Of answers in Parquet. Raises tables.NoTable."""
    arrow = tables.arrow()
    text, number = arrow.string(), arrow.float64()
    likely = [arrow.field("label", text), arrow.field("confidence", number)]
    types = {
        "confidence": number,
        "second_confidence": number,
        "sure": arrow.bool_(),
        "characters": arrow.list_(arrow.struct([*likely, arrow.field("box", arrow.list_(number))])),
        "alternatives": arrow.list_(arrow.struct(likely)),
    }
    more = ("alternatives", "model") if what == "predict" else ("model",)
    return arrow.schema([(name, types.get(name, text)) for name in (*_COLUMNS[what], *more)])


def _flat(row: dict[str, Any], what: What) -> dict[str, Any]:
    """By the columns' names; what does not apply is None."""
    told = {name: row.get(name) for name in _COLUMNS[what]}
    if what == "predict":
        second = (row.get("alternatives") or [{}])[0]
        return told | {"second": second.get("label"), "second_confidence": second.get("confidence")}
    return told | {"characters": len(row["characters"]) if "characters" in row else None}


def _nested(row: dict[str, Any], what: What) -> dict[str, Any]:
    """As Parquet has it."""
    kept = "alternatives" if what == "predict" else "characters"
    in_unicode = row["file"].encode(errors="surrogateescape").decode(errors="replace")
    return _flat(row, what) | {
        "file": in_unicode,
        kept: row.get(kept),
        "model": row.get("model", {}).get("version"),
    }


def _for_people(row: dict[str, Any], what: What) -> str:
    if "error" in row:
        return f"{'-':10}  {'':10}            {_on_a_line(row['file'])}: {row['error']}"
    answer = row["label"] if what == "predict" else row["text"].replace("\n", " / ")
    if row.get("case") == "upper":
        answer = answer.upper()
    doubt = "" if row["sure"] else "not sure"
    return f"{answer:10}  {row['confidence']:10.2%}  {doubt:8}  {_on_a_line(row['file'])}"


def _on_a_line(name: str) -> str:
    """A name that breaks no line and tells the terminal nothing."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in name)
