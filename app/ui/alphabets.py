"""Which alphabet is meant; nobody is asked while there is only one."""

import streamlit as st

from app.client.models import Alphabet
from app.ui.session import alphabets

UNKNOWN = Alphabet(name="", labels=[], version="")
"""The API's own default, while it cannot be asked for its alphabets."""


def choose() -> Alphabet:
    known = {one.name: one for one in alphabets()}
    if len(known) < 2:
        return next(iter(known.values()), UNKNOWN)
    name = st.segmented_control(
        "Alphabet", list(known), format_func=title, default=next(iter(known)), required=True, key="alphabet"
    )
    return known[name]


def title(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
