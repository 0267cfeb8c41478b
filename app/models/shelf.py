"""An alphabet's models of before, and what served when.

Its folder holds what is served: `model.onnx` and what belongs to it. A copy of each that ever was lies in `versions`;
`history.json` tells which served from when. An API that runs takes up what is put there: see `app.api.models`.
"""

import fcntl
import filecmp
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from app.reading.loading import BESIDE, loaded
from app.reading.recognizer import MODEL_FILE, UnusableModel

RECORD_FILE: Final = "record.json"
"""What a model file says of itself, for people to read."""

WEIGHTS_FILE: Final = "mnist_larger_cnn.pth"
"""The weights in float32, from which a training can go on."""

HISTORY_FILE: Final = "history.json"

_FILES: Final = (*BESIDE, RECORD_FILE, WEIGHTS_FILE, MODEL_FILE)
"""In the order in which they are put in place: the model, which all the others are about, is the last."""

FOUND, INSTALLED, USED, BACK = "found", "installed", "use", "back"
"""How a model came to serve: it was there when the history began, or was put there by hand; or by a command."""


class NoSuchVersion(LookupError):
    """There is no such version, or none to go back to; the message says what there is."""


@dataclass(frozen=True)
class Entry:
    """A line of the history."""

    name: str
    """Of the version's folder: the version that its record names, with a number where another had the same."""
    since: str
    """ISO 8601, UTC."""
    how: str


_ENTRIES: Final = TypeAdapter(list[Entry])


class Shelf:
    """Of one alphabet. Its changes are made by one process at a time, and each file's place is taken at once."""

    def __init__(self, models: Path, alphabet: str) -> None:
        self.alphabet = alphabet
        self.folder = models / alphabet
        self._versions = self.folder / "versions"

    @property
    def history(self) -> list[Entry]:
        """What served when, the present one last; empty before the first change. Raises UnusableModel."""
        file = self.folder / HISTORY_FILE
        try:
            return _ENTRIES.validate_json(file.read_bytes()) if file.exists() else []
        except ValidationError:
            told = f"{self.alphabet}/{HISTORY_FILE} is damaged. Without it, the history begins anew."
            raise UnusableModel(told) from None

    @property
    def kept(self) -> list[str]:
        """The names of all versions, as they were kept."""
        folders = [folder for folder in self._versions.glob("*/") if not folder.name.startswith(".")]
        return [folder.name for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime)]

    def record(self, name: str) -> dict[str, Any]:
        """Of a version."""
        record: dict[str, Any] = json.loads((self._versions / name / RECORD_FILE).read_text())
        return record

    def put(self, source: Path) -> str:
        """Serve what lies in another folder: a model, what belongs beside one, or both; the name that it is kept by.

        Beside a new model stands what is there. Raises UnusableModel, and changes nothing then.
        """
        with self._alone():
            self._keep_present()
            given = {file: source / file for file in _FILES if (source / file).exists()}
            if MODEL_FILE not in given:
                given = {file: self.folder / file for file in _FILES if (self.folder / file).exists()} | given
            else:
                given = {file: self.folder / file for file in BESIDE if (self.folder / file).exists()} | given
            name = self._kept(given)
            self._serve(name, INSTALLED)
        return name

    def put_aside(self, source: Path) -> str:
        """Keep what lies in another folder, without serving it; the name that it is kept by."""
        with self._alone():
            return self._kept({file: source / file for file in _FILES if (source / file).exists()})

    def use(self, name: str) -> str:
        """Serve a version that is kept; its name. Raises NoSuchVersion, UnusableModel."""
        with self._alone():
            self._keep_present()
            if name not in self.kept:
                raise NoSuchVersion(f"There is no version {name}. There are {', '.join(self.kept)}.")
            self._serve(name, USED)
        return name

    def back(self) -> str:
        """Serve what served before and is still kept; once more: what served before that. Its name.

        Raises NoSuchVersion, UnusableModel.
        """
        with self._alone():
            usable = self._keep_present()
            before = standing(self.history)
            if usable:
                before = before[:-1]
            while before and not (self._versions / before[-1]).exists():
                before.pop()
            if not before:
                raise NoSuchVersion("Nothing served before, as far as is known.")
            self._serve(before[-1], BACK if usable else USED)
        return before[-1]

    def prune(self, keep: int) -> list[str]:
        """Delete all versions but so many, of which one is served and the others served last or were put aside last.

        The names of those deleted; the history stays. Raises ValueError where none is to be kept.
        """
        if keep < 1:
            raise ValueError("What is served stays: keep 1 or more.")
        with self._alone():
            self._keep_present()
            served = {entry.name: (place, entry.since) for place, entry in enumerate(self.history)}

            def last(name: str) -> tuple[bool, float, int]:
                """When it served or was put aside; what is served is the last of all."""
                if name not in served:
                    return False, (self._versions / name).stat().st_mtime, 0
                place, since = served[name]
                return place == len(self.history) - 1, datetime.fromisoformat(since).timestamp(), place

            deleted = sorted(self.kept, key=last, reverse=True)[keep:]
            for name in deleted:
                shutil.rmtree(self._versions / name)
        return deleted

    def served(self) -> list[Path]:
        """Folders of what is kept and has served, the last one first. Raises UnusableModel."""
        names = dict.fromkeys(entry.name for entry in reversed(self.history))
        return [self._versions / name for name in names if (self._versions / name).exists()]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._versions.mkdir(parents=True, exist_ok=True)
        with (self._versions / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep_present(self) -> bool:
        """Keep what is there to be served, which may have been put there by hand; False where it cannot be used."""
        try:
            name = self._kept({file: self.folder / file for file in _FILES if (self.folder / file).exists()})
        except UnusableModel:
            return False
        if not (history := self.history) or history[-1].name != name:
            since = datetime.fromtimestamp((self.folder / MODEL_FILE).stat().st_mtime, UTC)
            self._write([*history, Entry(name, since.isoformat(timespec="seconds"), FOUND)])
        return True

    def _kept(self, files: dict[str, Path]) -> str:
        """Keep these, unless they are; the name that they have. Raises UnusableModel."""
        with tempfile.TemporaryDirectory(prefix=".", dir=self._versions) as made:
            fresh = Path(made) / self.folder.name
            fresh.mkdir()
            for name, file in files.items():
                shutil.copyfile(file, fresh / name)
            record = loaded(fresh, self.folder.name).recognizer.record
            numbers = itertools.count(1)
            while (kept := self._versions / (name := numbered(record.version, next(numbers)))).exists():
                if all(_same(kept / file, fresh / file) for file in (MODEL_FILE, *BESIDE)):
                    return name
            if RECORD_FILE not in files:
                (fresh / RECORD_FILE).write_text(record.model_dump_json(indent=2))
            fresh.rename(kept)
        return name

    def _serve(self, name: str, how: str) -> None:
        source = self._versions / name
        loaded(source, self.folder.name)
        for file in _FILES:
            if _same(source / file, self.folder / file):
                continue
            if (source / file).exists():
                replace(source / file, self.folder / file)
            else:
                (self.folder / file).unlink(missing_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._write([*self.history, Entry(name, now, how)])

    def _write(self, history: list[Entry]) -> None:
        text = json.dumps([asdict(entry) for entry in history], indent=2, ensure_ascii=False)
        with at_once(self.folder / HISTORY_FILE) as part:
            part.write_text(text + "\n")


def numbered(version: str, number: int) -> str:
    """The name that a version is kept by; a number tells it from others of the same."""
    name = re.sub(r"[^\w.-]|^\.+", "-", version)
    return name if number == 1 else f"{name}.{number}"


def standing(history: list[Entry]) -> list[str]:
    """What one can go back through, the present version last: each step back takes the one that it left away."""
    names: list[str] = []
    for entry in history:
        if entry.how == BACK:
            names.pop()
        elif names[-1:] != [entry.name]:
            names.append(entry.name)
    return names


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return filecmp.cmp(one, other, shallow=False)
    return one.exists() == other.exists()


def replace(source: Path, target: Path) -> None:
    """Copy a file to where another may be: whoever reads there finds the whole of one of the two."""
    with at_once(target) as part:
        shutil.copyfile(source, part)


@contextmanager
def at_once(target: Path) -> Iterator[Path]:
    """A file beside `target` to be written, which then takes its place."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
