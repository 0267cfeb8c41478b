"""A drawing to take along: as a PNG, with its answer as the API gives it and the same question from a shell."""

import streamlit as st

from app.client.models import Read, Recognized
from app.ui.texts import _, paragraph
from app.ui.views.developers import curl


def take_along(drawing: bytes, answer: Recognized | Read, name: str, call: str) -> None:
    """Offer it, where somebody wants it.

    Args:
        drawing: a PNG.
        answer: to it.
        name: of the file.
        call: by which the API was asked, such as /predict/.
    """
    taken = st.expander(_("This drawing as PNG, JSON and curl"), icon=":material/ios_share:", on_change="rerun")
    if not taken.open:  # a stroke waits for nothing that nobody sees
        return
    with taken:
        st.download_button(_("The drawing as PNG"), drawing, name, "image/png", icon=":material/download:")
        st.html(paragraph("note", _("The answer, as the API gives it")))
        st.code(answer.model_dump_json(indent=2, exclude={"glyph"}), language=None, height=240)
        st.html(paragraph("note", _("The same question from a shell, where the drawing lies")))
        st.code(curl(name, answer.model.alphabet, call), language=None)
