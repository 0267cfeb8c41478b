"""Samples for tests, and looks at where they are kept."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from app.samples.sample import Sample
from app.samples.store import Store
from app.samples.tables import METADATA
from tests.support.api import Server
from tests.support.pictures import drawn, encoded

VISITOR = "the-token-of-a-visitor"
ANOTHER = "the-token-of-another-one"
START = datetime(2026, 11, 1, 12, 0, 0, 123456, UTC)
PNG = encoded(drawn(5))

_NUMBERS = itertools.count()


def sample(**fields: Any) -> Sample:
    """One with fields as given, later than the one before."""
    number = next(_NUMBERS)
    plain = Sample(
        id=f"sample-{number:04}",
        picture=PNG,
        alphabet="digits",
        time=START + timedelta(seconds=number),
        source="canvas",
    )
    return replace(plain, **fields)


def post(server: Server, picture: bytes = PNG, visitor: str | None = None, **fields: str | None) -> requests.Response:
    headers = {"X-Visitor": visitor} if visitor else {}
    files = {"file": ("picture", picture)}
    return requests.post(server.url + "/samples/", files=files, data=fields, headers=headers, timeout=30)


def delete_mine(server: Server, visitor: str) -> int:
    answer = requests.delete(server.url + "/samples/mine", headers={"X-Visitor": visitor}, timeout=30)
    assert answer.ok, answer.text
    return int(answer.json()["deleted"])


def clear(store: Store) -> None:
    """As if there had never been any."""
    with store.database.writing() as connection:
        for table in METADATA.tables.values():
            connection.execute(table.delete())


def reasons(server: Server, message: str) -> list[object]:
    """Of all lines in the log with a message, of which there is one at least, the reasons."""
    wait_until(lambda: any(line["message"] == message for line in server.log()))
    return [line.get("reason") for line in server.log() if line["message"] == message]


def holds(folder: Path, contents: Sequence[bytes]) -> bool:
    """Whether any file there holds one of these."""
    found = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return any(content in file for content in contents for file in found)


def wait_until(true: Callable[[], bool], seconds: float = 40) -> None:
    """Look again and again, until something is true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
