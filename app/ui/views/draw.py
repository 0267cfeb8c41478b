"""Draw a character; the answer comes when the stroke ends."""

from html import escape

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized
from app.ui import answer as html
from app.ui import keeping, visitors
from app.ui.alphabets import choose, of_digits
from app.ui.canvas import answered, canvas
from app.ui.keeping import Shown
from app.ui.session import BATCH, client, drawing_s_answer, settle
from app.ui.taken import take_along
from app.ui.texts import _, ngettext, paragraph
from app.ui.trouble import refusal, show_trouble

ANSWER_KEY = "answer"

MOST_LISTED = 20
"""Labels that are listed above the pad; of more their number is said, so that the pad stays where it is."""


def draw() -> None:
    st.title(_("Draw, and lift the pen"), anchor=False)
    alphabet = choose()
    st.html(f'<p class="lead">{_lead(alphabet.labels)}</p>')
    _pad_and_answer(alphabet, keeping.are_taken())


def _lead(labels: list[str]) -> str:
    """What may be drawn, as HTML."""
    if not labels:
        return escape(_("A neural network that reads handwriting: draw one character."))
    if len(labels) <= MOST_LISTED:
        said = escape(_("A neural network that reads handwriting: draw one of {labels}."))
        return said.format(labels=f"<span>{html.listed(labels)}</span>")
    said = ngettext(
        "A neural network that reads handwriting: draw the {count} character that it knows.",
        "A neural network that reads handwriting: draw one of the {count} characters that it knows.",
        len(labels),
    )
    return escape(said).format(count=f"<b>{len(labels)}</b>")


@st.fragment
def _pad_and_answer(alphabet: Alphabet, samples_are_taken: bool) -> None:
    """The only part that a stroke runs again."""
    with st.container(key="draw"):
        with st.container(key="pad"):
            drawing = canvas("drawing", ANSWER_KEY)
        box, details = st.container(key=ANSWER_KEY), st.container(key="details")
    verdict = details.container() if samples_are_taken else None
    answer = asked = None
    with box:
        try:
            answer = drawing_s_answer(drawing, alphabet.name) if drawing else None
            if samples_are_taken:
                asked = keeping.one_character(drawing, answer, alphabet, keeping.CANVAS)
        except ApiError as error:
            show_trouble(error)
        else:
            _show(answer, asked)
        st.html(answered(drawing))
    settle(drawing, alphabet.name, isinstance(answer, Recognized))
    if isinstance(answer, Recognized):
        with details:
            _explain(answer, alphabet)
            name = "digit.png" if of_digits(answer.confidences) else "character.png"
            take_along(drawing, answer, name, "/predict/")
    if verdict:
        with verdict:
            keeping.below(asked)


def _show(answer: Recognized | Failed | None, asked: Shown | None) -> None:
    if isinstance(answer, Recognized):
        st.html(html.headline(answer) + keeping.mark(asked))
    elif answer:
        blank = answer.code == "blank_image"
        words = _("Only a dot so far, or hardly more. Go on drawing.") if blank else refusal(answer)
        st.html(paragraph("quiet", words))
    else:
        st.html(paragraph("quiet", _("The answer appears here.")))


def _explain(answer: Recognized, alphabet: Alphabet) -> None:
    pictures = html.seen(answer.glyph, _("What the model saw"), _("The drawing as the model saw it, 28 by 28 pixels"))
    mattered = st.session_state.get("mattered", {}).get(html.request_of(answer))
    if mattered:
        what = _("The same picture, orange where erasing it costs confidence")
        pictures += html.seen(mattered, _("What mattered"), what)
    chart, caution = (
        html.chart(answer, alphabet.labels, alphabet.names),
        html.caution(alphabet.figures, alphabet.labels),
    )
    st.html(f'{chart}{caution}<div class="pictures">{pictures}</div>')
    if answer.glyph and not mattered and st.button(_("Which pixels mattered?"), icon=":material/search_insights:"):
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
        return [one for part in parts for one in client().predict_batch(part, answer.model.alphabet, trial=True)]

    st.session_state["mattered"] = {html.request_of(answer): highlight(answer, ask)}
