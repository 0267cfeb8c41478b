"""A small gallery of real handwriting to try, `<alphabet>/<label>-<number>.png` beside this file."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_FILES = Path(__file__).parent

_gallery = st.components.v2.component(
    "gallery",
    html='<div class="gallery" role="group" aria-label="Examples"></div>',
    css=(_FILES / "gallery.css").read_text(),
    js=(_FILES / "gallery.js").read_text(),
)


@dataclass(frozen=True)
class Example:
    name: str
    png: bytes


def examples(alphabet: str) -> list[Example]:
    return [Example(file.name, file.read_bytes()) for file in sorted((_FILES / alphabet).glob("*.png"))]


def pick(choices: list[Example], key: str) -> Example | None:
    """Show the examples as buttons; the one last pressed."""
    shown = [{"label": one.name.partition("-")[0], "picture": base64.b64encode(one.png).decode()} for one in choices]
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    state = _gallery(
        key=key, data={"examples": json.dumps(shown)}, default={"picked": None}, on_picked_change=lambda: None
    )
    picked = state.get("picked")
    return choices[picked] if isinstance(picked, int) and 0 <= picked < len(choices) else None
