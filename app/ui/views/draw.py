"""Draw a character; the answer comes when the stroke ends."""

from html import escape

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized
from app.ui import answer as html
from app.ui import visitors
from app.ui.alphabets import choose
from app.ui.canvas import canvas
from app.ui.session import BATCH, answer_to, client
from app.ui.trouble import show_trouble

ANSWER_KEY = "answer"


def draw() -> None:
    st.title("Draw, and lift the pen")
    alphabet = choose()
    if alphabet.labels:
        st.html(f'<p class="lead">One of {html.listed(alphabet.labels)}. The answer comes by itself.</p>')
    _pad_and_answer(alphabet)


@st.fragment
def _pad_and_answer(alphabet: Alphabet) -> None:
    """The only part that a stroke runs again."""
    with st.container(key="draw"):
        with st.container(key="pad"):
            drawing = canvas("drawing", ANSWER_KEY)
        box, details = st.container(key=ANSWER_KEY), st.container(key="details")
    with box:
        try:
            answer = answer_to(drawing, alphabet.name) if drawing else None
        except ApiError as error:
            show_trouble(error)
            return
        _show(answer)
    if isinstance(answer, Recognized):
        with details:
            _explain(answer, alphabet)


def _show(answer: Recognized | Failed | None) -> None:
    if isinstance(answer, Recognized):
        st.html(html.headline(answer))
    elif answer:
        blank = answer.code == "blank_image"
        st.html(f'<p class="quiet">{"Only a dot so far. Go on drawing." if blank else escape(answer.error)}</p>')
    else:
        st.html('<p class="quiet">The answer appears here.</p>')


def _explain(answer: Recognized, alphabet: Alphabet) -> None:
    pictures = html.seen(answer.glyph, "What the model saw", "The drawing as the model saw it, 28 by 28 pixels")
    mattered = st.session_state.get("mattered", {}).get(html.request_of(answer))
    if mattered:
        pictures += html.seen(mattered, "What mattered", "The same picture, orange where erasing it costs confidence")
    st.html(html.chart(answer, alphabet.labels) + f'<div class="pictures">{pictures}</div>')
    if answer.glyph and not mattered and st.button("Which pixels mattered?", icon=":material/search_insights:"):
        try:
            _find_what_mattered(answer)
        except ApiError as error:
            show_trouble(error)
        else:
            st.rerun(scope="fragment")


def _find_what_mattered(answer: Recognized) -> None:
    from app.ui.saliency import highlight  # Pillow's memory, only for those who ask

    def ask(pictures: list[bytes]) -> list[Recognized | Failed]:
        visitors.count(len(pictures))
        parts = [pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH)]
        return [one for part in parts for one in client().predict_batch(part, answer.model.alphabet)]

    st.session_state["mattered"] = {html.request_of(answer): highlight(answer, ask)}
