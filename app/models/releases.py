"""Models in a bucket, to be served by every task that looks there: `current.json` says which, and since when.

A model and the networks that stand beside it are one release. Their files lie at `models/SHA256.onnx`, named by what is
in them; `models/ALPHABET/NAME.json` says which files a release is of. Both never change, and whoever trains may write
them. `current.json` names for each alphabet the release that is served, and is written by those who may promote.
"""

import hashlib
import itertools
import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from app.models.bucket import Bucket, Changed, Missing, TooLarge
from app.models.shelf import BACK, FOUND, USED, Entry, NoSuchVersion, numbered, standing
from app.reading.loading import BESIDE, Served, loaded
from app.reading.recognizer import MODEL_FILE, ModelRecord, UnusableModel

CURRENT: Final = "current.json"

IMAGE: Final = "image"
"""Stands for no release: each task serves the model that it came with."""

MODEL_BYTES: Final = 64 * 1024 * 1024
"""Of a model file, at most."""

_MOST_TOLD: Final = 1024 * 1024
"""Bytes of what is told of models."""

_TOLD: Final = ("parents", "samples", "gate")
"""What a release tells of its model's record, beside the figures."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[\w-][\w.-]*$", max_length=100)]


class BrokenRelease(UnusableModel):
    """What lies in the bucket is not what was put there, or no release at all."""


class Release(BaseModel):
    """Files that are served together."""

    model_config = ConfigDict(frozen=True)

    name: Name
    """The version that its model's record names, with a number where another had the same."""
    files: dict[str, Sha256]
    record: dict[str, Any] = {}
    """What helps to choose it: how good it is, and where it comes from."""

    @field_validator("files")
    @classmethod
    def _of_ours(cls, files: dict[str, str]) -> dict[str, str]:
        if MODEL_FILE not in files or not files.keys() <= {MODEL_FILE, *BESIDE}:
            raise ValueError(f"{MODEL_FILE} is needed, beside which may stand {', '.join(BESIDE)}")
        return files


class State(BaseModel):
    """Of one alphabet."""

    model_config = ConfigDict(frozen=True)

    release: Release | None
    """What is served; None: `IMAGE`."""
    history: list[Entry]


_CURRENT: Final = TypeAdapter(dict[Name, State])


def current(bucket: Bucket, known: str = "") -> tuple[dict[str, State], str | None] | None:
    """What is to be served, by alphabet, and the etag that says so, None where nothing does; None where it is known.

    Raises BrokenRelease, BucketError.
    """
    try:
        found = bucket.get(CURRENT, _MOST_TOLD, known)
        return (_CURRENT.validate_json(found.data), found.etag) if found else None
    except Missing:
        return {}, None
    except (ValidationError, TooLarge):
        raise BrokenRelease(f"{CURRENT} is damaged.") from None


def fetched(bucket: Bucket, release: Release, alphabet: str) -> Served:
    """A release, tried out. Raises BrokenRelease, UnusableModel, BucketError."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / alphabet
        download(bucket, release, folder)
        return loaded(folder, alphabet)


def download(bucket: Bucket, release: Release, folder: Path) -> None:
    """The files of a release into a new folder. Raises BrokenRelease, BucketError."""
    folder.mkdir(parents=True)
    for name, checksum in release.files.items():
        (folder / name).write_bytes(_file(bucket, name, checksum))


def _file(bucket: Bucket, name: str, checksum: str) -> bytes:
    try:
        found = bucket.get(_key(checksum), MODEL_BYTES)
    except (Missing, TooLarge) as error:
        raise BrokenRelease(f"{name} cannot be used. {error}") from None
    assert found is not None
    if hashlib.sha256(found.data).hexdigest() != checksum:
        raise BrokenRelease(f"{name} is damaged: its SHA-256 is not {checksum}.")
    return found.data


def _key(checksum: str) -> str:
    return f"models/{checksum}.onnx"


class Releases:
    """Of one alphabet; what `Shelf` is for the models of one folder."""

    def __init__(self, bucket: Bucket, alphabet: str, beside: Path) -> None:
        """
        Args:
            beside: folder of what is put beside a model that comes without it.
        """
        self.alphabet = alphabet
        self._bucket, self._beside = bucket, beside
        self._folder = f"models/{alphabet}/"

    @property
    def history(self) -> list[Entry]:
        """What served when, the present one last; empty before the first change."""
        states, _ = self._states()
        return states[self.alphabet].history if self.alphabet in states else []

    @property
    def kept(self) -> list[str]:
        """The names of all releases."""
        keys = self._bucket.keys(self._folder)
        return [Path(key).stem for key in keys if key.endswith(".json")]

    def record(self, name: str) -> dict[str, Any]:
        """What a release tells of its model. Raises NoSuchVersion, BrokenRelease."""
        return self._release(name).record

    def put_aside(self, source: Path) -> str:
        """Keep the models of a folder, without serving them; the name that they are kept by.

        Raises UnusableModel, BucketError.
        """
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / self.alphabet
            folder.mkdir()
            for file in (*(self._beside / name for name in BESIDE), *(source / name for name in (*BESIDE, MODEL_FILE))):
                if file.exists():
                    shutil.copyfile(file, folder / file.name)
            record = loaded(folder, self.alphabet).recognizer.record
            files = {file.name: self._put(file) for file in folder.iterdir()}
        for number in itertools.count(1):
            release = Release(name=numbered(record.version, number), files=files, record=_told(record))
            try:
                self._bucket.put(f"{self._folder}{release.name}.json", release.model_dump_json(indent=2).encode())
            except Changed:
                if self._release(release.name).files != files:
                    continue
            return release.name
        raise AssertionError

    def use(self, name: str) -> str:
        """Have a release served, or `IMAGE`; its name. Raises NoSuchVersion, UnusableModel, BucketError."""
        return self._serve(name, USED)

    def back(self) -> str:
        """Have served what served before; once more: what served before that. Its name.

        Raises NoSuchVersion, UnusableModel, BucketError.
        """
        before = standing(self.history)[:-1]
        if not before:
            raise NoSuchVersion("Nothing served before, as far as is known.")
        return self._serve(before[-1], BACK)

    def _serve(self, name: str, how: str) -> str:
        states, etag = self._states()
        release = None if name == IMAGE else self._release(name)
        if release:
            fetched(self._bucket, release, self.alphabet)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        before = states[self.alphabet].history if self.alphabet in states else [Entry(IMAGE, now, FOUND)]
        states[self.alphabet] = State(release=release, history=[*before, Entry(name, now, how)])
        self._bucket.put(CURRENT, _CURRENT.dump_json(states, indent=2), etag)
        return name

    def _states(self) -> tuple[dict[str, State], str | None]:
        found = current(self._bucket)
        assert found is not None
        return found

    def _release(self, name: str) -> Release:
        try:
            found = self._bucket.get(f"{self._folder}{name}.json", _MOST_TOLD)
            assert found is not None
            return Release.model_validate_json(found.data)
        except Missing:
            raise NoSuchVersion(f"There is no version {name}. There are {', '.join([IMAGE, *self.kept])}.") from None
        except (ValidationError, TooLarge):
            raise BrokenRelease(f"{name} is damaged.") from None

    def _put(self, file: Path) -> str:
        data = file.read_bytes()
        checksum = hashlib.sha256(data).hexdigest()
        with suppress(Changed):  # it is there
            self._bucket.put(_key(checksum), data)
        return checksum


def _told(record: ModelRecord) -> dict[str, Any]:
    figures = {name: figure for name, figure in record.figures.items() if "low" in figure}
    return {"figures": figures} | {name: value for name, value in record.model_dump().items() if name in _TOLD}
