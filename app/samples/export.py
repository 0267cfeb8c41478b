"""Samples as a data set: a folder or a .zip of Parquet and PNG, with a manifest by which it has a version.

manifest.json says what is in it. samples-00000.parquet and so on have a row for each sample, in order of time and id,
with the name and the SHA-256 of its picture in pictures/. As the manifest has the SHA-256 of each of these, and the
version is made of them, whoever knows the version can tell whether anything was changed.
"""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from app.reading.picture import decode
from app.samples.sample import ID, Sample, hashed, media_type, now

FORMAT: Final = 1

MANIFEST: Final = "manifest.json"

SHARD_ROWS: Final = 10_000

_SHARD: Final = re.compile(r"samples-\d{5}\.parquet")

_COLUMNS: Final = [name for name in Sample.__slots__ if name != "picture"]

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a .zip, so that the same samples make the same one."""

Manifest = dict[str, Any]


class BrokenExport(Exception):
    """It is no export, or not what its manifest says; the message says where."""


class Export(NamedTuple):
    manifest: Manifest
    samples: Iterator[Sample]
    """Each is checked as it is read, and raises BrokenExport."""


class _Target(Protocol):
    def put(self, name: str, content: bytes) -> None: ...


class _Source(Protocol):
    def get(self, name: str) -> bytes:
        """Raises KeyError, OSError and zipfile.BadZipFile."""


def write(samples: Iterable[Sample], target: Path, shard_rows: int = SHARD_ROWS) -> Manifest:
    """Write a data set to a folder that is not there yet or empty, or to a file that ends in .zip; its manifest.

    What is there under this name is whole. Raises FileExistsError, OSError, and app.reading's errors.
    """
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise FileExistsError(f"{target} is there already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    with _writing(unfinished, zipped=target.suffix == ".zip") as files:
        manifest = _write(samples, files, shard_rows)
    if target.is_dir():
        target.rmdir()
    unfinished.rename(target)
    return manifest


def open_export(source: Path) -> Export:
    """The data set in a folder or a .zip. Raises BrokenExport."""
    files = _source(source)
    try:
        manifest = json.loads(files.get(MANIFEST))
        shards = [(str(shard["file"]), str(shard["sha256"])) for shard in manifest["shards"]]
        known = (manifest["format"], manifest["version"], manifest["count"], manifest["ids_sha256"])
    except (KeyError, OSError, ValueError, TypeError):
        raise BrokenExport(f"{source} is no export of samples: it has no {MANIFEST} that can be read.") from None
    if known[0] != FORMAT:
        raise BrokenExport(f"{source} has the format {known[0]}, and this version reads {FORMAT}.")
    if known[1] != version_of([sha256 for _, sha256 in shards]):
        raise BrokenExport(f"{source}: the version is not that of the shards; the manifest was changed.")
    rows: list[dict[str, Any]] = []
    for name, sha256 in shards:
        content = _read(files, name) if _SHARD.fullmatch(name) else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BrokenExport(f"{source}: {name} was changed, or is no shard.")
        rows += _rows(content)
    if len(rows) != known[2] or sorted(hashed(row["id"]) for row in rows) != known[3]:
        raise BrokenExport(f"{source}: the manifest counts other samples than there are.")
    return Export(manifest, _samples(files, rows))


def record_of(manifest: Manifest) -> dict[str, Any]:
    """What the record of a model says of the samples that it has learned from: enough to tell which these were not."""
    return {name: manifest[name] for name in ("version", "count", "ids_sha256")}


def version_of(shards_sha256: Sequence[str]) -> str:
    """Of a data set, by the SHA-256 of its shards, in their order."""
    return hashlib.sha256("".join(shards_sha256).encode()).hexdigest()[:16]


def _write(samples: Iterable[Sample], files: _Target, shard_rows: int) -> Manifest:
    rows = []
    for sample in samples:
        png = _as_png(sample.picture)
        name = f"pictures/{sample.id}.png"
        files.put(name, png)
        fields = {column: getattr(sample, column) for column in _COLUMNS}
        rows.append({**fields, "picture": name, "picture_sha256": hashlib.sha256(png).hexdigest()})
    rows.sort(key=lambda row: (row["time"], row["id"]))
    shards = []
    for number, start in enumerate(range(0, len(rows), shard_rows)):
        part = rows[start : start + shard_rows]
        name, content = f"samples-{number:05}.parquet", _parquet(part)
        files.put(name, content)
        shards.append({"file": name, "rows": len(part), "sha256": hashlib.sha256(content).hexdigest()})
    counts = Counter((row["alphabet"], row["label"]) for row in rows)
    manifest = {
        "format": FORMAT,
        "version": version_of([str(shard["sha256"]) for shard in shards]),
        "created": now().isoformat(timespec="seconds"),
        "columns": {field.name: str(field.type) for field in _schema()},
        "count": len(rows),
        "counts": [
            {"alphabet": alphabet, "label": label, "count": count}
            for (alphabet, label), count in sorted(counts.items(), key=lambda one: (one[0][0], one[0][1] or "", one[1]))
        ],
        "shards": shards,
        "ids_sha256": sorted(hashed(row["id"]) for row in rows),
    }
    files.put(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode())
    return manifest


def _as_png(picture: bytes) -> bytes:
    """The file itself where it is one, else what is read of it: upright, and of the size that the reader works with."""
    if media_type(picture) == "image/png":
        return picture
    file = io.BytesIO()
    decode(picture).image.save(file, "PNG")
    return file.getvalue()


def _schema() -> Any:
    import pyarrow as pa  # 55 MB, which the image does without

    kinds = {"reviewed": pa.bool_(), "confidence": pa.float64(), "time": pa.timestamp("us", "UTC")}
    names = [*_COLUMNS, "picture", "picture_sha256"]
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=_schema()), file)
    return file.getvalue()


def _rows(content: bytes) -> list[dict[str, Any]]:
    """Raises BrokenExport."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(content)).select(_schema().names).cast(_schema())
    except (pa.ArrowException, KeyError) as error:
        raise BrokenExport(f"A shard has other columns than samples have: {error}") from None
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _samples(files: _Source, rows: list[dict[str, Any]]) -> Iterator[Sample]:
    for row in rows:
        id = row["id"]
        content = _read(files, f"pictures/{id}.png") if ID.fullmatch(id) else b""
        if hashlib.sha256(content).hexdigest() != row["picture_sha256"]:
            raise BrokenExport(f"The picture of the sample {id} was changed.")
        fields = {name: row[name] for name in _COLUMNS}
        yield Sample(**fields | {"picture": content, "time": row["time"].astimezone(UTC)})


def _read(files: _Source, name: str) -> bytes:
    try:
        return files.get(name)
    except (KeyError, OSError, zipfile.BadZipFile):
        raise BrokenExport(f"{name} is missing, or cannot be read.") from None


@contextmanager
def _writing(place: Path, zipped: bool) -> Iterator[_Target]:
    """Files of a folder or of a .zip, of which nothing stays where it fails."""
    try:
        if zipped:
            with zipfile.ZipFile(place, "w") as archive:
                yield _ZipTarget(archive)
        else:
            shutil.rmtree(place, ignore_errors=True)
            (place / "pictures").mkdir(parents=True)
            yield _FolderTarget(place)
    except BaseException:
        place.unlink(missing_ok=True) if zipped else shutil.rmtree(place, ignore_errors=True)
        raise


class _FolderTarget:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        (self._folder / name).write_bytes(content)


class _ZipTarget:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def put(self, name: str, content: bytes) -> None:
        self._archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content)


def _source(source: Path) -> _Source:
    """Raises BrokenExport."""
    if source.is_dir():
        return _FolderSource(source)
    try:
        return _ZipSource(zipfile.ZipFile(source))
    except (OSError, zipfile.BadZipFile):
        raise BrokenExport(f"{source} is neither a folder nor a .zip.") from None


class _FolderSource:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


class _ZipSource:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def get(self, name: str) -> bytes:
        return self._archive.read(name)
