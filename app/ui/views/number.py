"""Write a whole number on a wide pad; the answer comes when a stroke ends."""

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed
from app.ui import keeping, lines
from app.ui.alphabets import choose
from app.ui.canvas import answered, canvas
from app.ui.corrections import Look, asked_of, correct, look
from app.ui.keeping import Shown
from app.ui.originals import address_of
from app.ui.taken import take_along
from app.ui.texts import _, paragraph
from app.ui.trouble import refusal, show_trouble

ANSWER_KEY = "answer"

SIZE = 840, 280
"""Pixels of the drawing."""


def number() -> None:
    st.title(_("Write a number"), anchor=False)
    alphabet = choose()
    st.html(paragraph("lead", _("As many characters as there is room for, side by side. The answer grows with them.")))
    if alphabet.labels and not alphabet.lines:
        words = _("Of this alphabet only single characters can be read. Please choose another, or draw one character.")
        st.html(paragraph("quiet", words))
        return
    _pad_and_answer(alphabet, keeping.are_taken())


@st.fragment
def _pad_and_answer(alphabet: Alphabet, samples_are_taken: bool) -> None:
    """The only part that a stroke runs again."""
    with st.container(key="line"):
        with st.container(key="pad"):
            drawing = canvas("number", ANSWER_KEY, *SIZE)
        box, details = st.container(key=ANSWER_KEY), st.container(key="details")
    verdict = details.container() if samples_are_taken else None
    seen = asked = None
    with box:
        try:
            seen = look(drawing, alphabet.name) if drawing else None
            asked = asked_of(seen) if seen and samples_are_taken else None
        except ApiError as error:
            show_trouble(error)
        else:
            _show(seen, asked)
        st.html(answered(drawing))
    if seen:
        with details:
            _explain(drawing, seen, alphabet)
    if verdict:
        with verdict:
            keeping.below(asked)


def _show(seen: Look | None, asked: Shown | None) -> None:
    if not seen:
        st.html(paragraph("quiet", _("The answer appears here.")))
    elif isinstance(seen.result, Failed):
        dot = seen.result.code == "blank_image" and not seen.corrected
        words = _("Only a dot so far, or hardly more. Go on drawing.") if dot else refusal(seen.result)
        st.html(paragraph("quiet", words))
    else:
        st.html(lines.headline(seen.result) + keeping.mark(asked))


def _explain(drawing: bytes, seen: Look, alphabet: Alphabet) -> None:
    if not isinstance(seen.result, Failed):
        if seen.picture == drawing:
            size = SIZE
        else:
            from app.ui.pixels import size_of  # Pillow's memory, only for those who read a part

            size = size_of(seen.picture)
        if shown := lines.boxed(address_of(seen.picture), size, seen.result, _("What was found"), "ink"):
            st.html(shown)
    correct(drawing, seen, alphabet.name)
    if not isinstance(seen.result, Failed) and not seen.corrected:
        take_along(drawing, seen.result.read, "number.png", "/read/")
