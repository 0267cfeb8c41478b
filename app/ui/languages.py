"""Which language the page speaks: its browser's, until the visitor chooses another."""

import streamlit as st

from app.ui import texts
from app.ui.choice import choice, remembered
from app.ui.texts import CHOSEN, LANGUAGES, _


def choose() -> None:
    """Show what there is; to be called before any text."""
    # Not the header: a browser may send another one with its websocket than with pages.
    browsers = texts.of_visitor({}, {"Accept-Language": st.context.locale or ""})
    st.session_state[CHOSEN] = remembered(CHOSEN, LANGUAGES, browsers)
    with st.container(key="language"):
        choice(CHOSEN, _("Language"), LANGUAGES, texts.language())
        st.html(f'<span data-language="{texts.language()}"></span>')
