"""A component of our own: a folder with a script and a style, both called as it is; and cookies for those that ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st

_COOKIES: Final = Path(__file__).with_name("cookies.js")


def component(folder: Path, html: str, name: str = "", cookies: bool = False) -> Callable[..., Any]:
    """What shows it.

    Args:
        folder: where it is.
        html: that its script finds.
        name: as Streamlit knows it, if not as its folder is called.
        cookies: whether its script calls what is in cookies.js.
    """
    script, style = (folder / f"{folder.name}.{kind}" for kind in ("js", "css"))
    scripts = [_COOKIES, script] if cookies else [script]
    shows: Callable[..., Any] = st.components.v2.component(
        name or folder.name, html=html, css=style.read_text(), js="\n".join(one.read_text() for one in scripts)
    )
    return shows
