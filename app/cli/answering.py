"""Who answers: this machine's cores or a server, for the commands the same."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from pydantic_core import to_json

from app.cli.items import Item

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


def line_of(name: str, answer: dict[str, Any]) -> bytes:
    """A line of a journal: what a picture is called, and what an API would answer of it."""
    told = {"file": name, **answer}
    try:
        return to_json(told)
    except ValueError:  # a file's name may be any bytes
        return json.dumps(told).encode()


def chunks(items: Iterable[Item], size: int = TOGETHER) -> Iterator[list[Item]]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk
