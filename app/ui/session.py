"""What a run of the page needs again and again: the client for all, and the answers that this visitor has had."""

from functools import cache
from hashlib import sha256

import streamlit as st

from app import settings
from app.client.client import Client
from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized

BATCH = 16
"""Pictures a call: the API takes more, but a progress bar likes steps."""

_REMEMBERED = 200
"""Answers kept for a visitor: enough for undo and for a folder of pictures."""


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
