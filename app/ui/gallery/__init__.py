"""A small gallery of real handwriting to try, `<alphabet>/<label>-<number>.png` beside this file.

What they are stands in `<alphabet>/what.txt`, in one sentence for visitors.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.ui.texts import _

_FILES = Path(__file__).parent

_gallery = st.components.v2.component(
    "gallery",
    html='<div class="gallery" role="group"></div>',
    css=(_FILES / "gallery.css").read_text(),
    js=(_FILES / "gallery.js").read_text(),
)


@dataclass(frozen=True)
class Example:
    name: str
    png: bytes


def examples(alphabet: str, labels: list[str]) -> list[Example]:
    """In the order of the labels."""
    files = [file for label in labels for file in sorted((_FILES / alphabet).glob(f"{label}-*.png"))]
    return [Example(file.name, file.read_bytes()) for file in files]


def what(alphabet: str) -> str:
    """Whose handwriting the examples of an alphabet are; empty where nobody says."""
    file = _FILES / alphabet / "what.txt"
    return _(file.read_text().strip()) if file.exists() else ""


def pick(choices: list[Example], key: str) -> Example | None:
    """Show the examples as buttons; the one last pressed."""
    called = _("Handwritten {label}")
    shown = [
        {"name": called.format(label=one.name.partition("-")[0]), "picture": base64.b64encode(one.png).decode()}
        for one in choices
    ]
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    data = {"label": _("Examples"), "examples": json.dumps(shown)}
    state = _gallery(key=key, data=data, default={"picked": None}, on_picked_change=lambda: None)
    picked = state.get("picked")
    return choices[picked] if isinstance(picked, int) and 0 <= picked < len(choices) else None
