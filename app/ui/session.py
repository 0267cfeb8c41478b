"""What a run of the page needs again and again: the client for all, and the answers that this visitor has had."""

import threading
from collections.abc import Iterator
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

_LARGE = threading.Semaphore(2)
"""Calls with a batch or a picture of more than `_SMALL` at once: each holds copies of what it sends."""

_SMALL = 256 * 1024

_REMEMBERED = 150
"""Answers kept for a visitor: enough for undo and for a folder of pictures."""

_KEPT: TypeAdapter[Answer | Recognized | Problem | Failed] = TypeAdapter(Answer | Recognized | Problem | Failed)
"""Answers are kept as JSON, in a fifth of the memory that they take as objects."""


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
    known: dict[bytes, Recognized | Failed] = st.session_state.setdefault("answers", {})
    names = [sha256(alphabet.encode() + b"\0" + picture).digest() for picture in pictures]
    new = {name: picture for name, picture in zip(names, pictures, strict=True) if name not in known}
    if new:
        known.update(zip(new, _ask(list(new.values()), alphabet), strict=True))
    found = [known[name] for name in names]
    while len(known) > max(_REMEMBERED, BATCH):
        known.pop(next(iter(known)))
    return found


def _ask(pictures: list[bytes], alphabet: str) -> list[Recognized | Failed]:
    if len(pictures) > 1:
        return client().predict_batch(pictures, alphabet, glyph=True)
    return [client().predict(pictures[0], alphabet, glyph=True)]
