"""The page's file widget. Streamlit's, whose files stay while one looks at other pages, with a component beside it.

The component takes what is pasted and what a phone's own camera takes, has the browser shrink what is too large, and
says why where it cannot: Streamlit's widget would tell in a tooltip only.
"""

import json
from pathlib import Path
from typing import Final

import streamlit as st

from app import settings

KEY: Final = "files"

MEGABYTES: Final = 10
"""Of a file; Streamlit's widget takes no more."""

_FILES = Path(__file__).parent

_intake = st.components.v2.component(
    "intake",
    html=(_FILES / "intake.html").read_text(),
    css=(_FILES / "intake.css").read_text(),
    js=(_FILES / "intake.js").read_text(),
)


def intake(on_page: bool, shown: bool) -> None:
    """Show the widget or, on other pages, keep it while it has files; they are its value, `st.session_state[KEY]`.

    To be called outside all pages: what stands on a page is forgotten with it.
    """
    if not on_page and not st.session_state.get(KEY):
        return
    with st.container(key="intake" if on_page and shown else "intake-hidden"):
        limits = {"megabytes": MEGABYTES, "pixels": settings.load().max_pixels}
        if on_page:
            _intake(key="intake-component", data={"limits": json.dumps(limits)})
        st.file_uploader("One or many pictures, also dropped or pasted here", accept_multiple_files=True, key=KEY)
