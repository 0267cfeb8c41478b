"""One training at a time, wherever it runs: a lock in a bucket, which only one can write."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ValidationError

from app.models.bucket import Bucket, BucketError, Changed, Object, look_up

KEY: Final = "training/lock.json"

_MOST: Final = 1024
"""Bytes."""


class Held(RuntimeError):
    """Somebody else trains; the message says until when at most."""


class Lock(BaseModel):
    holder: str
    until: datetime
    """From then on it is free, whatever has become of its holder."""

    @property
    def free(self) -> bool:
        return self.until <= datetime.now(UTC)


@contextmanager
def alone(bucket: Bucket, most: timedelta) -> Iterator[None]:
    """Nobody else is in here meanwhile, if it takes no longer than `most`. Raises Held, BucketError."""
    holder = secrets.token_hex(8)
    found = look_up(bucket, KEY, _MOST)
    if found and not (lock := _lock(found)).free:
        raise Held(f"Another training has the lock, until {lock.until:%Y-%m-%d %H:%M} UTC at most.")
    try:
        _write(bucket, Lock(holder=holder, until=datetime.now(UTC) + most), found)
    except Changed:
        raise Held("Another training has taken the lock just now.") from None
    try:
        yield
    finally:
        with suppress(BucketError):  # then it is free once its time is over
            if (present := look_up(bucket, KEY, _MOST)) and _lock(present).holder == holder:
                _write(bucket, Lock(holder=holder, until=datetime.now(UTC)), present)


def _lock(found: Object) -> Lock:
    try:
        return Lock.model_validate_json(found.data)
    except ValidationError:
        raise BucketError(f"{KEY} is damaged. Delete it if no training runs.") from None


def _write(bucket: Bucket, lock: Lock, over: Object | None) -> None:
    bucket.put(KEY, lock.model_dump_json().encode(), over.etag if over else None)
