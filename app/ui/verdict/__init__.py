"""What a visitor says of an answer, by one click: right, what it really was, or no character.

Our own component, because a click on one of Streamlit's widgets is lost where the connection is broken.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import streamlit as st

from app.ui.component import component
from app.ui.texts import _

_row = component(Path(__file__).parent, '<div class="verdict" role="group" hidden></div>', cookies=True)

_KEY: Final = "say-verdict"


class Verdict(NamedTuple):
    of: str
    """What it is said of."""
    label: str
    """What that is; empty: no character."""
    number: int
    """Grows with every click."""


@dataclass(frozen=True)
class Question:
    of: str
    """By which the answer is known."""
    right: str
    """The label that the answer has."""
    quick: tuple[str, ...] = ()
    """Other labels that are likely."""
    labels: tuple[tuple[str, str], ...] = ()
    """All labels, with what one reads; without any the answer can only be called right."""


@dataclass(frozen=True)
class Words:
    """What there is to say about what was said."""

    text: str = ""
    is_trouble: bool = False


def mark(question: Question | None) -> str:
    """HTML, not to be seen, that tells the row which answer it stands beside: the row may come later."""
    return f'<span hidden data-asked="{question.of}"></span>' if question else ""


def said() -> list[Verdict]:
    """What the browser has sent; the same again until it hears that it was taken."""
    widget: Any = st.session_state.get(_KEY) or {}
    try:
        sent = json.loads(str(widget.get("said") or "[]"))
    except ValueError:  # the browser is not to be trusted
        return []
    return [
        Verdict(*one)
        for one in (sent if isinstance(sent, list) else [])
        if isinstance(one, list) and [type(part) for part in one] == [str, str, int]
    ]


def ask(question: Question | None, label: str | None, taken: int, words: Words) -> None:
    """Show the row, of nothing where there is no question; a run follows a click, in which `said` has it.

    Args:
        question: what it is about.
        label: what was said of it so far.
        taken: the largest number of what was said, and has been heard.
        words: to be shown below.
    """
    texts = {
        "question": _("Is the answer right?"),
        "right": _("Right"),
        "itIs": _("It is…"),
        # Translators: what stands in braces is a character.
        "itIsThis": _("It is {label}"),
        "none": _("No character"),
    }
    data = {
        "of": question.of if question else "",
        "right": question.right if question else "",
        "quick": question.quick if question else (),
        "labels": question.labels if question else (),
        "said": label,
        "taken": taken,
        "words": {"text": words.text, "kind": "trouble" if words.is_trouble else ""},
        "texts": texts,
    }
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    _row(key=_KEY, data={"verdict": json.dumps(data)}, default={"said": ""}, on_said_change=lambda: None)
