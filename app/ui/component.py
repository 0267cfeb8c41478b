"""A component of our own: a folder with a script and a style, both called as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def component(folder: Path, html: str, name: str = "") -> Callable[..., Any]:
    """What shows it; `name`: as Streamlit knows it, if not as its folder is called."""
    script, style = (folder / f"{folder.name}.{kind}" for kind in ("js", "css"))
    shows: Callable[..., Any] = st.components.v2.component(
        name or folder.name, html=html, css=style.read_text(), js=script.read_text()
    )
    return shows
