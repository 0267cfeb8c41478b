"""A choice among a few, in a browser's own small list, that is remembered: for the session, and in a cookie for later.

Our own component, because Streamlit's widgets cannot write cookies.
"""

import json
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import streamlit as st

from app.ui.component import component

_list = component(Path(__file__).parent, "<select></select>", cookies=True)


def remembered(name: str, options: Container[str], default: str) -> str:
    """What was chosen last, in this session or before it; `default` where that is no option any more."""
    widget: Any = st.session_state.get(_key(name)) or {}
    for chosen in (widget.get("chosen"), st.session_state.get(name), unquote(st.context.cookies.get(name, ""))):
        if chosen in options:
            st.session_state[name] = chosen  # the widget's own state ends where it is not shown
            return str(chosen)
    return default


def choice(name: str, label: str, options: Mapping[str, str], chosen: str) -> None:
    """Show the options, by value what one reads; a run follows a choice, in which `remembered` knows it.

    Args:
        name: of the cookie, and where in the session's state the choice is.
        label: for a screen reader.
        options: at least two.
        chosen: the one that is shown as chosen.
    """
    data = {"name": name, "label": label, "options": list(options.items()), "chosen": chosen}
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    _list(key=_key(name), data={"choice": json.dumps(data)}, default={"chosen": None}, on_chosen_change=lambda: None)


def _key(name: str) -> str:
    return f"choose-{name}"
