"""Whether a visitor agrees that drawings are kept to learn from, asked once; and how to take them all back.

Our own component, because Streamlit's widgets cannot write cookies: `consent`, yes or no, and `visitor`, a token made
in the browser that is known to nobody else, and by which the drawings are deleted.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from app.ui.component import component
from app.ui.texts import _

_question = component(Path(__file__).parent, '<div class="consent" role="group" hidden></div>', cookies=True)

_KEY: Final = "ask-consent"

_REMEMBERED: Final = "consent"
"""Where the session has what was said last: the widget's own state ends where it is not shown."""

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Consent:
    said: str = ""
    """yes or no; empty before somebody has said so."""
    visitor: str = ""
    """The token; empty where there is none."""
    wish: str = ""
    """The name of the wish that all be deleted; empty where there is none."""

    @property
    def given(self) -> bool:
        return self.said == "yes" and bool(self.visitor)


def remembered() -> Consent:
    """What was said last, in this session or before it."""
    widget: Any = st.session_state.get(_KEY) or {}
    known = _parsed(widget.get("said")) or st.session_state.get(_REMEMBERED)
    if not isinstance(known, Consent):
        cookies = st.context.cookies
        known = _of(cookies.get("consent"), cookies.get("visitor"), "")
    st.session_state[_REMEMBERED] = known
    return known


def ask(consent: Consent, may_ask: bool, deleted: str, said: str) -> None:
    """Show what there is to say or to ask; a run follows what the visitor answers, in which `remembered` knows it.

    Args:
        consent: what is known.
        may_ask: whether this is the moment, where nothing is known yet.
        deleted: the wish that was heard last.
        said: what has become of the last that was asked for; empty for what there is always to say.
    """
    texts = {
        "question": _(
            "May your drawings be kept, so that the recognizer learns from them? Only those of which you say what they "
            "are, and no name or address with them. You can delete them whenever you like."
        ),
        "agree": _("Yes, keep them"),
        "refuse": _("No"),
        "kept": _("Your drawings may be kept."),
        "notKept": _("Your drawings are not kept."),
        "delete": _("Delete my drawings"),
        "stop": _("Keep no more"),
        "again": _("Keep them"),
    }
    data = {"consent": consent.said, "deleted": deleted, "mayAsk": may_ask, "said": said, "texts": texts}
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    _question(key=_KEY, data={"consent": json.dumps(data)}, default={"said": ""}, on_said_change=lambda: None)


def _parsed(said: object) -> Consent | None:
    """What the component says; None where it is nothing, or nothing of ours: the browser is not to be trusted."""
    try:
        value = json.loads(str(said or "null"))
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return _of(value.get("consent"), value.get("visitor"), value.get("wish"))


def _of(said: object, visitor: object, wish: object) -> Consent:
    token, named = (one if isinstance(one, str) and _TOKEN.fullmatch(one) else "" for one in (visitor, wish))
    return Consent(str(said) if said in ("yes", "no") else "", token, named)
