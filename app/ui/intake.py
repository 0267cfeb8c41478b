"""The page's file widget. Streamlit's, whose files stay while one looks at other pages, with a script beside it.

The script, `intake.js`, takes what is pasted and what a phone's own camera takes, has the browser shrink what is too
large, and says why where it cannot: Streamlit's widget would tell in a tooltip only.
"""

from html import escape
from typing import Final

import streamlit as st

from app import settings
from app.ui.texts import _

KEY: Final = "files"

MEGABYTES: Final = 10
"""Of a file; Streamlit's widget takes no more."""


def intake(on_page: bool, shown: bool) -> None:
    """Show the widget or, on other pages, keep it while it has files; they are its value, `st.session_state[KEY]`.

    To be called outside all pages: what stands on a page is forgotten with it.
    """
    if not on_page and not st.session_state.get(KEY):
        return
    too_large = _(
        "{name} has {size} MB. At most {limit} MB are read, and this browser cannot make it smaller. "
        "Please save it as a smaller PNG or JPEG."
    )
    take_photo = _("Take a photo")
    with st.container(key="intake" if on_page and shown else "intake-hidden"):
        st.html(
            f'<button type="button" class="photo-button">{escape(take_photo)}</button>'
            f'<div class="refused" role="alert" data-megabytes="{MEGABYTES}" '
            f'data-pixels="{settings.load().max_pixels}" data-too-large="{escape(too_large)}"></div>'
        )
        st.file_uploader(_("One or many pictures, also dropped or pasted here"), accept_multiple_files=True, key=KEY)
