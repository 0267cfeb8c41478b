"""Who answers: this machine's cores or a server, for the commands the same."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Protocol

from app.cli.items import Item
from app.client.models import Failed, Read, Recognized

What = Literal["predict", "read"]

TOGETHER: Final = 32
"""Pictures that are handed over at a time, and go through the network together."""


class CannotAnswer(RuntimeError):
    """No picture can be answered, or no further one; the message says why."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """The model that answers."""

    alphabet: str
    version: str
    labels: list[str]


@dataclass(frozen=True)
class Question:
    """What the processes of this machine are to do."""

    what: What
    alphabet: str
    models: Path
    max_pixels: int


class Engine(Protocol):
    answerer: Answerer

    def answers(self, items: Iterable[Item]) -> Iterator[list[bytes]]:
        """A line for each picture, in order, some at a time. Raises CannotAnswer."""

    def close(self) -> None: ...


def line_of(name: str, answer: Recognized | Read | Failed) -> bytes:
    """A line of a journal: what a picture is called, and what an API would answer of it."""
    told = answer.model_dump_json(exclude_unset=True).encode()
    return b'{"file":' + _quoted(name) + b"," + told[1:]


def _quoted(name: str) -> bytes:
    try:
        return json.dumps(name, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a file's name may be any bytes
        return json.dumps(name).encode()


def chunks(items: Iterable[Item], size: int = TOGETHER) -> Iterator[list[Item]]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk
