"""What a run of the page needs again and again: the client for all, and the answers that this visitor has had."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cache
from hashlib import sha256

import streamlit as st
from pydantic import TypeAdapter

from app import settings
from app.client.client import Client
from app.client.errors import ApiError
from app.client.models import Alphabet, Answer, Failed, Problem, Recognized
from app.ui import visitors

BATCH = 16
"""Pictures a call: the API takes more, but a progress bar likes steps."""

_BATCH_BYTES = 8 * 1024 * 1024
"""All pictures of a call together, if there are several: the API takes no more than 10 MB."""

_SMALL = 256 * 1024

_LARGE = threading.Semaphore(2)
"""Calls with more than `_SMALL` bytes of pictures that are made at once: each holds copies of what it sends."""

_REMEMBERED = 150
"""Answers kept for a visitor: enough for undo and for a folder of pictures."""

_KEPT: TypeAdapter[Answer | Problem] = TypeAdapter(Answer | Problem)
"""Answers are kept as JSON: as objects they would take seven times the memory."""


@cache
def client() -> Client:
    known = settings.load()
    return Client(known.api_address, known.api_keys[0].get_secret_value() if known.api_keys else None)


@st.cache_data(ttl=60, show_spinner=False)
def _alphabets() -> list[Alphabet]:
    return client().alphabets()


def alphabets() -> list[Alphabet]:
    """What can be recognized; nothing while the API is away."""
    try:
        return _alphabets()
    except ApiError:
        return []


def answer_to(picture: bytes, alphabet: str) -> Recognized | Failed:
    """What the API says of a picture, asked once. Raises ApiError."""
    return answers_to([picture], alphabet)[0]


def answers_to(pictures: list[bytes], alphabet: str) -> list[Recognized | Failed]:
    """As `answer_to`, for at most `BATCH` pictures with one call for all that are new."""
    known: dict[bytes, str] = st.session_state.setdefault("answers", {})
    names = [_name(picture, alphabet) for picture in pictures]
    new = {name: picture for name, picture in zip(names, pictures, strict=True) if name not in known}
    if new:
        answers = _ask(list(new.values()), alphabet)
        known.update((name, answer.model_dump_json()) for name, answer in zip(new, answers, strict=True))
    found: list[Recognized | Failed] = [_KEPT.validate_json(known[name]) for name in names]
    while len(known) > _REMEMBERED:
        known.pop(next(iter(known)))
    return found


def batches(pictures: list[bytes]) -> Iterator[list[bytes]]:
    """Pictures in parts that `answers_to` takes."""
    part: list[bytes] = []
    for picture in pictures:
        if len(part) == BATCH or (part and sum(map(len, part)) + len(picture) > _BATCH_BYTES):
            yield part
            part = []
        part.append(picture)
    if part:
        yield part


def _name(picture: bytes, alphabet: str) -> bytes:
    name = sha256(alphabet.encode() + b"\0")
    name.update(picture)
    return name.digest()


def _ask(pictures: list[bytes], alphabet: str) -> Sequence[Recognized | Failed]:
    visitors.count(len(pictures))
    with _LARGE if sum(map(len, pictures)) > _SMALL else nullcontext():
        if len(pictures) > 1:
            return client().predict_batch(pictures, alphabet, glyph=True)
        return [client().predict(pictures[0], alphabet, glyph=True)]
