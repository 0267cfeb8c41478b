"""Where models lie that several tasks serve: a bucket of S3's, or a folder that they share. Both behave alike."""

import fcntl
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from app.models.shelf import at_once

S3: Final = "s3://"
"""What the address of a bucket begins with; any other is a folder's path."""


class BucketError(RuntimeError):
    """It cannot be read or written; the message says why."""


class Missing(BucketError):
    """Nothing has that key."""


class Changed(BucketError):
    """Somebody else has written there meanwhile."""


class TooLarge(BucketError):
    """There is more than was asked for."""


@dataclass(frozen=True)
class Object:
    data: bytes
    etag: str
    """Another one where the data are others."""


class Bucket(Protocol):
    """Objects by key, each written as a whole or not at all."""

    def get(self, key: str, most: int, known: str = "") -> Object | None:
        """At most so many bytes; None where the object's etag is the known one.

        Raises Missing, TooLarge, BucketError. May take seconds.
        """

    def put(self, key: str, data: bytes, etag: str | None = None) -> None:
        """Write where the object has this etag; None: where there is no object yet. Raises Changed, BucketError."""

    def keys(self, folder: str) -> list[str]:
        """Of the objects in a folder, which ends with a slash, in alphabetical order. Raises BucketError."""


def look_up(bucket: Bucket, key: str, most: int) -> Object | None:
    """At most so many bytes; None where nothing has that key. Raises TooLarge, BucketError."""
    try:
        return bucket.get(key, most)
    except Missing:
        return None


class Folder:
    """A bucket that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, most: int, known: str = "") -> Object | None:
        data = self._data(key, most)
        if data is None:
            raise Missing(f"There is no {key} in {self._folder}.")
        etag = hashlib.sha256(data).hexdigest()
        return None if etag == known else Object(data, etag)

    def put(self, key: str, data: bytes, etag: str | None = None) -> None:
        file = self._folder / key
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with (self._folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                present = file.read_bytes() if file.exists() else None
                if etag != (None if present is None else hashlib.sha256(present).hexdigest()):
                    raise Changed(f"{key} in {self._folder} has been written by somebody else.")
                with at_once(file) as part:
                    part.write_bytes(data)
        except OSError as error:
            raise BucketError(f"{self._folder} cannot be changed: {error.strerror}.") from None

    def keys(self, folder: str) -> list[str]:
        files = (file for file in (self._folder / folder).glob("*") if not file.name.startswith("."))
        return sorted(file.relative_to(self._folder).as_posix() for file in files if file.is_file())

    def _data(self, key: str, most: int) -> bytes | None:
        try:
            if not self._folder.is_dir():
                raise BucketError(f"There is no folder {self._folder}.")
            with (self._folder / key).open("rb") as file:
                data = file.read(most + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BucketError(f"{self._folder} cannot be read: {error.strerror}.") from None
        if len(data) > most:
            raise TooLarge(f"{key} has more than {most} bytes.")
        return data


def bucket_at(address: str) -> Bucket:
    """`s3://NAME`, or a folder's path."""
    if not address.startswith(S3):
        return Folder(Path(address))
    from app.models.s3 import S3Bucket  # with an HTTP client, which a folder does not need

    return S3Bucket(address.removeprefix(S3))
