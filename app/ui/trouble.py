"""Say that something is wrong, and try again by itself where that can help."""

import time
from html import escape

import streamlit as st

from app.ui.client import Trouble
from app.ui.session import client


def show_trouble(trouble: Trouble) -> None:
    pause = trouble.again_in
    if pause is None:
        _say(trouble)
        return
    failed_at = time.monotonic()

    @st.fragment(run_every=pause)
    def waiting() -> None:
        """Runs at once, to say it, and then after every pause until the API is back."""
        waited = time.monotonic() - failed_at >= pause / 2
        if waited and client().is_ready():
            st.rerun()
        _say(trouble)

    waiting()


def _say(trouble: Trouble) -> None:
    st.html(f'<p class="trouble" role="alert">{escape(str(trouble))}</p>')
