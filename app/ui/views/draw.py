"""Draw a character; the answer comes when the stroke ends."""

from html import escape

import streamlit as st

from app import settings
from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized
from app.ui import answer as html
from app.ui import visitors
from app.ui.alphabets import choose
from app.ui.canvas import answered, canvas
from app.ui.session import BATCH, answer_to, client
from app.ui.trouble import show_trouble
from app.ui.views.developers import public_address

ANSWER_KEY = "answer"


def draw() -> None:
    st.title("Draw, and lift the pen", anchor=False)
    alphabet = choose()
    what = f"one of <span>{html.listed(alphabet.labels)}</span>" if alphabet.labels else "one character"
    st.html(f'<p class="lead">A neural network that reads handwriting: draw {what}.</p>')
    _pad_and_answer(alphabet)


@st.fragment
def _pad_and_answer(alphabet: Alphabet) -> None:
    """The only part that a stroke runs again."""
    with st.container(key="draw"):
        with st.container(key="pad"):
            drawing = canvas("drawing", ANSWER_KEY)
        box, details = st.container(key=ANSWER_KEY), st.container(key="details")
    answer = None
    with box:
        try:
            answer = answer_to(drawing, alphabet.name) if drawing else None
        except ApiError as error:
            show_trouble(error)
        else:
            _show(answer)
        st.html(answered(drawing))
    if isinstance(answer, Recognized):
        with details:
            _explain(answer, alphabet)
            _take_along(drawing, answer)


def _show(answer: Recognized | Failed | None) -> None:
    if isinstance(answer, Recognized):
        st.html(html.headline(answer))
    elif answer:
        blank = answer.code == "blank_image"
        words = "Only a dot so far, or hardly more. Go on drawing." if blank else answer.error
        st.html(f'<p class="quiet">{escape(words)}</p>')
    else:
        st.html('<p class="quiet">The answer appears here.</p>')


def _explain(answer: Recognized, alphabet: Alphabet) -> None:
    pictures = html.seen(answer.glyph, "What the model saw", "The drawing as the model saw it, 28 by 28 pixels")
    mattered = st.session_state.get("mattered", {}).get(html.request_of(answer))
    if mattered:
        pictures += html.seen(mattered, "What mattered", "The same picture, orange where erasing it costs confidence")
    caution = html.caution(alphabet.figures)
    st.html(f'{html.chart(answer, alphabet.labels)}{caution}<div class="pictures">{pictures}</div>')
    if answer.glyph and not mattered and st.button("Which pixels mattered?", icon=":material/search_insights:"):
        try:
            _find_what_mattered(answer)
        except ApiError as error:
            show_trouble(error)
        else:
            st.rerun(scope="fragment")


def _take_along(drawing: bytes, answer: Recognized) -> None:
    taken = st.expander("This drawing as PNG, JSON and curl", icon=":material/ios_share:", on_change="rerun")
    if not taken.open:  # a stroke waits for nothing that nobody sees
        return
    with taken:
        st.download_button("The drawing as PNG", drawing, "digit.png", "image/png", icon=":material/download:")
        st.html('<p class="note">The answer, as the API gives it</p>')
        st.code(answer.model_dump_json(indent=2, exclude={"glyph"}), language=None, height=240)
        st.html('<p class="note">The same question from a shell, where the drawing lies</p>')
        key = " -H 'X-API-Key: YOUR_KEY'" if settings.load().api_keys else ""
        st.code(f"curl{key} -F file=@digit.png {public_address()}/predict/", language=None)


def _find_what_mattered(answer: Recognized) -> None:
    from app.ui.saliency import highlight  # Pillow's memory, only for those who ask

    def ask(pictures: list[bytes]) -> list[Recognized | Failed]:
        visitors.count(len(pictures))
        parts = [pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH)]
        return [one for part in parts for one in client().predict_batch(part, answer.model.alphabet)]

    st.session_state["mattered"] = {html.request_of(answer): highlight(answer, ask)}
