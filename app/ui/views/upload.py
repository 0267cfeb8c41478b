"""Other ways in: files, the camera, examples of real handwriting."""

import csv
import io
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized
from app.ui import answer as html
from app.ui import gallery, intake, keeping, progress
from app.ui.alphabets import choose, of_digits
from app.ui.keeping import Shown
from app.ui.originals import Picture, address_of
from app.ui.session import answers_to
from app.ui.texts import N_, _, paragraph
from app.ui.trouble import refusal, show_trouble, waiting
from app.ui.views import upload_lines

FILES, CAMERA, EXAMPLES = N_("Files"), N_("Camera"), N_("Examples")
_ICONS = {FILES: "upload_file", CAMERA: "photo_camera", EXAMPLES: "apps"}

CHARACTERS, LINES = "characters", "lines"

_WAY, _SHOWS = "way", "shows"


def from_files() -> bool:
    """Whether the file widget is the chosen way in."""
    return bool(st.session_state.get(_WAY, FILES) == FILES)


def upload(above: DeltaGenerator) -> None:
    """Show the page; `above` is the place above the file widget."""
    with above:
        st.title(_("Upload pictures"), anchor=False)
        st.html(paragraph("lead", _("Photos, scans or drawings. Dark on light or light on dark.")))
        with waiting(_("Asking…")):
            alphabet = choose()
        with st.container(horizontal=True):
            shows = _ask_what_they_show(alphabet) if alphabet.lines else CHARACTERS
            examples = gallery.examples(alphabet.name, alphabet.labels) if shows == CHARACTERS else []
            way = _ask_way([FILES, CAMERA, EXAMPLES] if examples else [FILES, CAMERA])
    pictures = _pictures(way, alphabet, examples, shows)
    if shows == LINES:
        upload_lines.show(pictures, alphabet)
        return
    with st.container(key="answer"):
        if not pictures:
            st.html(paragraph("quiet", _("The answer appears here.")))
            return
        try:
            with waiting(_("Thinking…")):
                results = progress.answers_to_all([picture.data for picture in pictures], alphabet.name, answers_to)
        except ApiError as error:
            show_trouble(error)
            return
        asked = _asked(pictures, results, alphabet, way)
        _say(results, asked)
    if len(pictures) == 1:
        if keeping.are_taken():
            keeping.below(asked)
        _show_one(pictures[0], results[0], alphabet)
    else:
        _show_all(pictures, results)


def _ask_what_they_show(alphabet: Alphabet) -> str:
    shown = {
        CHARACTERS: _("One character each"),
        LINES: _("Whole numbers") if of_digits(alphabet.labels) else _("Whole lines"),
    }
    return st.segmented_control(
        _("They show"), list(shown), format_func=lambda one: shown[one], default=CHARACTERS, required=True, key=_SHOWS
    )


def _ask_way(ways: list[str]) -> str:
    if st.session_state.get(_WAY, FILES) not in ways:
        del st.session_state[_WAY]
    return st.segmented_control(
        _("Take them from"), ways, format_func=_shown_way, default=FILES, required=True, key=_WAY
    )


def _shown_way(way: str) -> str:
    return f":material/{_ICONS[way]}: {_(way)}"


def _pictures(way: str, alphabet: Alphabet, examples: list[gallery.Example], shows: str) -> list[Picture]:
    if way == CAMERA:
        photo = st.camera_input(
            _("Hold the paper so that one character fills the middle")
            if shows == CHARACTERS
            else _("Hold the paper so that what is to be read fills the middle")
        )
        return [Picture("camera.jpg", photo.getvalue())] if photo else []
    if way == EXAMPLES:
        st.html(paragraph("note", " ".join(filter(None, (gallery.what(alphabet.name), _("Pick one."))))))
        example = gallery.pick(examples, key=f"gallery-{alphabet.name}")
        return [Picture(example.name, example.png)] if example else []
    return [Picture(file.name, file.getvalue()) for file in st.session_state[intake.KEY]]


def _asked(pictures: list[Picture], results: list[Recognized | Failed], alphabet: Alphabet, way: str) -> Shown | None:
    """Of what something may be said: of one picture of the visitor's own; those of the gallery are known."""
    if len(pictures) > 1 or way == EXAMPLES or not keeping.are_taken():
        return None
    source = keeping.CAMERA if way == CAMERA else keeping.UPLOAD
    return keeping.one_character(pictures[0].data, results[0], alphabet, source)


def _say(results: list[Recognized | Failed], asked: Shown | None) -> None:
    """The answer, or what there is to say of many."""
    if len(results) > 1:
        unread = sum(isinstance(result, Failed) for result in results)
        unsure = sum(isinstance(result, Recognized) and not result.sure for result in results)
        st.html(paragraph("lead summary", progress.counted(len(results), unsure, unread)))
    elif isinstance(results[0], Failed):
        st.html(f'<p class="trouble" role="alert">{escape(refusal(results[0]))}</p>')
    else:
        st.html(html.headline(results[0]) + keeping.mark(asked))


def _show_one(picture: Picture, result: Recognized | Failed, alphabet: Alphabet) -> None:
    shown = html.seen(address_of(picture.data), _("Your picture"), picture.name, "photo")
    chart = ""
    if isinstance(result, Recognized):
        shown += html.seen(result.glyph, _("What the model saw"), _("The picture as the model saw it, 28 by 28 pixels"))
        chart = html.chart(result, alphabet.labels, alphabet.names)
    with st.container(key="details"):
        st.html(f'{chart}<div class="pictures">{shown}</div>')


def _show_all(pictures: list[Picture], results: list[Recognized | Failed]) -> None:
    both = list(zip(pictures, results, strict=True))
    with st.container(key="details"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                _("Download as CSV"), as_csv(pictures, results), "answers.csv", "text/csv", icon=":material/download:"
            )
            if st.toggle(_("Doubtful ones first"), key="doubtful-first"):
                both.sort(key=lambda one: _certainty(one[1]))
        rows = "".join(_row(picture, result) for picture, result in both)
        columns = _("Picture"), _("Answer"), _("As the model saw it"), _("File")
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
        st.html(f'<table class="answers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')


def _certainty(result: Recognized | Failed) -> tuple[bool, float]:
    """For sorting: first what could not be read, then what is not sure, and the least confident of each."""
    return (False, 0.0) if isinstance(result, Failed) else (result.sure, result.confidence)


def _row(picture: Picture, result: Recognized | Failed) -> str:
    address = address_of(picture.data)
    thumb = f'<img src="{address}" alt="" loading="lazy"/>' if address else ""
    if isinstance(result, Failed):
        mark, saw, said = "unread", "", escape(refusal(result))
    else:
        mark = "sure" if result.sure else "unsure"
        saw = f'<img class="glyph" src="{escape(result.glyph or "")}" alt=""/>'
        name = html.name_and_case(result)
        said = f"<b>{escape(result.label)}</b> {escape(f'{name}. ' if name else '')}{escape(html.in_words(result))}"
    return (
        f'<tr class="{mark}"><td>{thumb}</td><td class="said">{said}</td><td>{saw}</td>'
        f'<td class="file">{escape(picture.name)}</td></tr>'
    )


def as_csv(pictures: list[Picture], results: list[Recognized | Failed]) -> str:
    """One row a picture; `second` is the best of the other labels."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["file", "label", "confidence", "sure", "second", "second_confidence", "error"])
    for picture, result in zip(pictures, results, strict=True):
        if isinstance(result, Failed):
            writer.writerow([picture.name, "", "", "", "", "", result.error])
        else:
            second = result.alternatives[0] if result.alternatives else None
            writer.writerow(
                [picture.name, result.label, f"{result.confidence:.4f}", "yes" if result.sure else "no"]
                + ([second.label, f"{second.confidence:.4f}", ""] if second else ["", "", ""])
            )
    return file.getvalue()
