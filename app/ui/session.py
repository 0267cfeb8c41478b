"""What a run of the page needs again and again: the client for all, and the answers that this visitor has had."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from functools import cache
from hashlib import sha256
from typing import TypeVar

import streamlit as st
from pydantic import TypeAdapter

from app import settings
from app.client.client import Client
from app.client.errors import ApiError
from app.client.models import Alphabet, Answer, Box, Failed, Problem, Read, ReadAnswer, Recognized
from app.client.retries import NEVER
from app.ui import settling, visitors

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

_KEPT_TEXT: TypeAdapter[ReadAnswer | Problem] = TypeAdapter(ReadAnswer | Problem)

_Kept = TypeVar("_Kept")


@cache
def client() -> Client:
    known = settings.load()
    key = known.api_keys[0].get_secret_value() if known.api_keys else None
    return Client(known.api_address, key, retries=NEVER)  # the page asks again itself, and says so


@st.cache_resource(ttl=60, show_spinner=False)
def _alphabets() -> list[Alphabet]:
    return client().alphabets()


def alphabets() -> list[Alphabet]:
    """What can be recognized; while the API is away what this visitor last heard of, be it nothing."""
    with suppress(ApiError):
        st.session_state["alphabets"] = _alphabets()
    known: list[Alphabet] = st.session_state.get("alphabets", [])
    return known


def drawing_s_answer(drawing: bytes, alphabet: str) -> Recognized | Failed:
    """What the API says of a drawing, be it half of one, asked once. Raises ApiError."""

    def ask(new: list[bytes]) -> Sequence[Recognized | Failed]:
        return [client().predict(new[0], alphabet, glyph=True, trial=True)]

    return _remembered(_KEPT, [drawing], alphabet, ask)[0]


_DRAWN = "drawn"
"""What the session has seen last of the pad, and by what it is known to `app.ui.settling`."""


def settle(drawing: bytes, alphabet: str, is_answered: bool) -> None:
    """Have an answer counted once it is one to a finished drawing; `drawing` is empty where all was wiped out."""
    visitor, before = st.session_state.setdefault(_DRAWN, (object(), b""))
    seen = _name(drawing, alphabet)
    if seen == before:
        return
    st.session_state[_DRAWN] = visitor, seen
    api = client()

    def ask() -> None:
        with suppress(ApiError):
            api.predict(drawing, alphabet)

    if is_answered:
        settling.of_all().put(visitor, ask)
    elif not drawing:
        settling.of_all().finish(visitor)


def answers_to(pictures: list[bytes], alphabet: str) -> list[Recognized | Failed]:
    """What the API says of at most `BATCH` pictures, with one call for all that are new. Raises ApiError."""

    def ask(new: list[bytes]) -> Sequence[Recognized | Failed]:
        if len(new) > 1:
            return client().predict_batch(new, alphabet, glyph=True)
        return [client().predict(new[0], alphabet, glyph=True)]

    answers = _remembered(_KEPT, pictures, alphabet, ask)
    return list(answers)


def texts_in(pictures: list[bytes], alphabet: str) -> list[Read | Failed]:
    """The lines that the API reads in at most `BATCH` pictures, each asked once. Raises ApiError."""

    def ask(new: list[bytes]) -> Sequence[Read | Failed]:
        return client().read_batch(new, alphabet) if len(new) > 1 else [client().read(new[0], alphabet)]

    answers = _remembered(_KEPT_TEXT, pictures, f"{alphabet} lines", ask)
    return list(answers)


def text_in(picture: bytes, alphabet: str, boxes: Sequence[Box] | None = None) -> Read | Failed:
    """As `texts_in`, for one picture; with `boxes`, the text of the characters in these."""

    def ask(new: list[bytes]) -> Sequence[Read | Failed]:
        return [client().read(new[0], alphabet, boxes)]

    where = "" if boxes is None else json.dumps(boxes)
    return _remembered(_KEPT_TEXT, [picture], f"{alphabet} lines{where}", ask)[0]


def _remembered(
    kept: TypeAdapter[_Kept],
    pictures: list[bytes],
    question: str,
    ask: Callable[[list[bytes]], Sequence[Recognized | Read | Failed]],
) -> list[_Kept]:
    """Answers to a question about pictures, with one call of `ask` for those about which it is new."""
    known: dict[bytes, str] = st.session_state.setdefault("answers", {})
    names = [_name(picture, question) for picture in pictures]
    new = {name: picture for name, picture in zip(names, pictures, strict=True) if name not in known}
    if new:
        visitors.count(len(new))
        with _LARGE if sum(map(len, new.values())) > _SMALL else nullcontext():
            answers = ask(list(new.values()))
        known.update((name, answer.model_dump_json()) for name, answer in zip(new, answers, strict=True))
    found = [kept.validate_json(known[name]) for name in names]
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


def _name(picture: bytes, question: str) -> bytes:
    name = sha256(question.encode() + b"\0")
    name.update(picture)
    return name.digest()
