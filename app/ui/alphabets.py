"""Which alphabet is meant; nobody is asked while there is only one."""

from collections.abc import Iterable

import streamlit as st

from app import settings
from app.client.models import Alphabet
from app.ui.choice import choice, remembered
from app.ui.session import alphabets
from app.ui.texts import _

CHOSEN = "alphabet"

UNKNOWN = Alphabet(name="", labels=[], version="")
"""The API's own default, while it cannot be asked for its alphabets."""


def choose() -> Alphabet:
    """The chosen one; the list of them is shown where there are several."""
    known = chosen_first(alphabets())
    if len(known) > 1:
        titles = {one.name: title(one) for one in sorted(known, key=lambda one: (not _is_default(one), title(one)))}
        with st.container(key="alphabet"):
            choice(CHOSEN, _("Alphabet"), titles, known[0].name)
    return known[0] if known else UNKNOWN


def chosen_first(known: list[Alphabet]) -> list[Alphabet]:
    """Of several, the one chosen last is the first; before any choice, the API's default."""
    default = next((one.name for one in known if _is_default(one)), known[0].name if known else "")
    chosen = remembered(CHOSEN, [one.name for one in known], default)
    return sorted(known, key=lambda one: one.name != chosen)


def _is_default(alphabet: Alphabet) -> bool:
    return alphabet.name == settings.load().default_alphabet


def title(alphabet: Alphabet) -> str:
    return _(alphabet.title or alphabet.name.replace("_", " ").replace("-", " ").capitalize())


def of_digits(labels: Iterable[str]) -> bool:
    """Whether all of an alphabet's labels are digits, so that one may say so."""
    return all(label.isdecimal() for label in labels)
