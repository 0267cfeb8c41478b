"""A drawing pad for a Streamlit page, square or wide, with brush, eraser, undo and redo, and drawings put aside.

Our own component, because the published ones wait before they send (streamlit-drawable-canvas: 200 ms after the
stroke), have a fixed size in pixels and no name for a screen reader. Strokes live in the browser, as lines rather
than pixels: they survive a re-run, another page and a reload, and are drawn anew at any size or theme.
"""

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.ui.texts import _

_FILES = Path(__file__).parent

_SCRIPTS = ("words.js", "strokes.js", "history.js", "recent.js", "watch.js", "canvas.js")
"""One after the other they are one module: Streamlit takes no more."""


@cache
def _pad(width: int, height: int) -> Callable[..., Any]:
    """A component for each shape, so that its place is known, and nothing jumps, before the script runs."""
    shape = f'class="pad{" wide" if width > height else ""}" style="--ratio: {width / height:g}"'
    return st.components.v2.component(
        f"{width}x{height}_drawing_pad",
        html=(_FILES / "canvas.html").read_text().replace('class="pad"', shape),
        css=(_FILES / "canvas.css").read_text(),
        js="\n".join((_FILES / script).read_text() for script in _SCRIPTS),
    )


def canvas(key: str, answer_key: str, width: int = 280, height: int = 280) -> bytes:
    """Show the pad; a run follows each finished stroke, and each rest of the pen in one.

    Args:
        key: of the widget; the browser keeps its drawings by it.
        answer_key: of the `st.container` that shows the answer and, by `answered`, to which drawing. A screen reader is
            told when it changes; while it is not to the last drawing, its attribute `data-waiting` says what to do.
        width: of the picture, in pixels; the pad has its shape at any size. A key's never changes.
        height: likewise.

    Returns:
        The drawing as a PNG, black on white; blank for a dot, empty when nothing is drawn.
    """
    paper = {"name": f"{key}-pad", "size": {"width": width, "height": height}}
    data = {"answerKey": answer_key, "texts": json.dumps(_texts()), "paper": json.dumps(paper)}
    state = _pad(width, height)(key=key, data=data, default={"drawing": ""}, on_drawing_change=lambda: None)
    drawing = _bytes_of(state.get("drawing"))
    # Not in `data`: Streamlit fails to cache messages of the component's size that change from run to run.
    st.html(f'<span data-taken="{_name(drawing)}"></span>')
    return drawing


def _texts() -> dict[str, str]:
    """What the scripts write and say, by the names that they have for it."""
    return {
        "drawingArea": _("Drawing area"),
        "drawHere": _("Draw here"),
        "tools": _("Drawing tools"),
        "brush": _("Brush"),
        "eraser": _("Eraser"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "clear": _("Clear"),
        "next": _("Next drawing"),
        "putThisAside": _("Put this drawing aside"),
        "putAside": _("Drawings put aside"),
        # Translators: what stands in braces is a label, as it was recognized.
        "bringBack": _("Bring back {label}"),
        "bringBackADrawing": _("Bring back a drawing"),
        # Translators: keys stand in backquotes; letters, Delete and Ctrl are the same everywhere.
        "keys": _(
            "By keyboard: `←` `→` `↑` `↓` move the pen, `Space` puts it down and lifts it. `E` eraser, `Delete` clear, "
            "`N` next, `Ctrl+Z` undo, `Ctrl+Y` redo."
        ),
        "thinking": _("Thinking…"),
        "away": _(
            "This page cannot reach its server. Your drawing is kept, and answered as soon as the server is back."
        ),
    }


def answered(drawing: bytes) -> str:
    """HTML, not to be seen, that tells the pad which drawing the answer beside it is to."""
    return f'<span data-drawing="{_name(drawing)}"></span>'


def _name(drawing: bytes) -> str:
    """By which the pad knows it: a PNG ends with the checksums of all before."""
    return base64.b64encode(drawing)[-32:].decode()


def _bytes_of(data_url: object) -> bytes:
    """What a data URL holds; nothing for what is none: the browser is not to be trusted."""
    _, _, encoded = str(data_url or "").partition(";base64,")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:  # no base64, or not even ASCII
        return b""
