"""Who may look after samples: whoever knows a key of `DIGITS_ADMIN_KEYS`, or has signed in as somebody who may."""

from typing import Final

import streamlit as st

from app import settings
from app.client.client import Client
from app.client.errors import ApiError, Refused, WrongKey
from app.client.retries import NEVER
from app.ui import sign_in, visitors
from app.ui.texts import _, paragraph
from app.ui.trouble import show_trouble

_KEY: Final = "admin-key"


def is_admitted() -> bool:
    """Whether it need not be asked."""
    return bool(_known_key())


def admitted() -> Client | None:
    """The API as an admin asks it; where nobody is known to be one, the key is asked for."""
    if key := _known_key():
        return _client(key)
    st.html(paragraph("lead", _("For those who look after the drawings that were kept.")))
    with st.form("admit", border=False):
        typed = st.text_input(_("Admin key"), type="password", autocomplete="off")
        pressed = st.form_submit_button(_("Open"), icon=":material/key:")
    if pressed and typed and _is_right(typed.strip()):
        st.session_state[_KEY] = typed.strip()
        st.rerun()
    return None


def leave() -> None:
    """Forget the key that was typed."""
    st.session_state.pop(_KEY, None)


def _known_key() -> str:
    typed = st.session_state.get(_KEY, "")
    if not typed and sign_in.is_admin() and (keys := settings.load().admin_keys):
        return keys[0].get_secret_value()
    return str(typed)


def _is_right(key: str) -> bool:
    """Whether the API takes it; says why it does not."""
    try:
        visitors.count(1)  # the API lets this process ask as often as it likes, and so lets it guess
        with _new_client(key) as api:
            api.samples(limit=1)
    except WrongKey:
        st.html(paragraph("trouble", _("This is not an admin key.")))
    except Refused:
        st.html(paragraph("trouble", _("Samples are not looked after here: DIGITS_ADMIN_KEYS has no key in it.")))
    except ApiError as error:
        show_trouble(error)
    else:
        return True
    return False


@st.cache_resource(max_entries=16, show_spinner=False)
def _client(key: str) -> Client:
    return _new_client(key)


def _new_client(key: str) -> Client:
    return Client(settings.load().api_address, key, retries=NEVER)  # an admin sees what failed, and does it again
