"""Uploaded pictures of whole numbers, or lines of other characters: their texts, boxes and corrections."""

import csv
import io
from html import escape

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed
from app.ui import keeping, lines, progress
from app.ui.corrections import Look, asked_of, correct, is_corrected, look, looked_at
from app.ui.keeping import Shown
from app.ui.originals import Picture, address_of
from app.ui.session import texts_in
from app.ui.texts import _, paragraph
from app.ui.trouble import refusal, show_trouble, waiting


def show(pictures: list[Picture], alphabet: Alphabet) -> None:
    with st.container(key="answer"):
        if not pictures:
            st.html(paragraph("quiet", _("The answer appears here.")))
            return
        try:
            with waiting(_("Thinking…")):
                looks = _looks_at([picture.data for picture in pictures], alphabet.name)
        except ApiError as error:
            show_trouble(error)
            return
        asked = asked_of(looks[0]) if len(looks) == 1 and keeping.are_taken() else None
        _say(looks, asked)
    with st.container(key="details"):
        if len(pictures) > 1:
            _show_all(pictures, looks)
            chosen = _choose([picture.name for picture in pictures])
        else:
            chosen = 0
        _show_one(pictures[chosen], looks[chosen], alphabet, asked)


def _looks_at(pictures: list[bytes], alphabet: str) -> list[Look]:
    """Raises ApiError."""
    found = progress.answers_to_all(pictures, alphabet, texts_in)
    return [
        look(picture, alphabet) if is_corrected(picture, alphabet) else looked_at(result, picture)
        for picture, result in zip(pictures, found, strict=True)
    ]


def _say(looks: list[Look], asked: Shown | None) -> None:
    """The text, or what there is to say of many."""
    results = [one.result for one in looks]
    if len(looks) > 1:
        unread = sum(isinstance(result, Failed) for result in results)
        unsure = sum(not isinstance(result, Failed) and not result.sure for result in results)
        st.html(paragraph("lead summary", progress.counted(len(looks), unsure, unread)))
    elif isinstance(results[0], Failed):
        st.html(f'<p class="trouble" role="alert">{escape(refusal(results[0]))}</p>')
    else:
        st.html(lines.headline(results[0]) + keeping.mark(asked))


def _choose(names: list[str]) -> int:
    """Which of many pictures is shown by itself."""
    shown = st.selectbox(_("Look at one closely"), range(len(names)), format_func=lambda i: names[i])
    return shown if shown < len(names) else 0


def _show_one(picture: Picture, seen: Look, alphabet: Alphabet, asked: Shown | None) -> None:
    address = address_of(seen.picture)
    if address and not isinstance(seen.result, Failed):
        from app.ui.pixels import size_of  # Pillow's memory, only for those who send whole lines

        if shown := lines.boxed(address, size_of(seen.picture), seen.result, picture.name, "photo"):
            st.html(shown)
    if asked:
        keeping.below(asked)
    correct(picture.data, seen, alphabet.name)


def _show_all(pictures: list[Picture], looks: list[Look]) -> None:
    both = list(zip(pictures, looks, strict=True))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Download as CSV"), as_csv(pictures, looks), "texts.csv", "text/csv", icon=":material/download:"
        )
        if st.toggle(_("Doubtful ones first"), key="doubtful-first"):
            both.sort(key=lambda one: _certainty(one[1].result))
    rows = "".join(_row(picture, one) for picture, one in both)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (_("Picture"), _("Answer"), _("File")))
    st.html(f'<table class="answers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')


def _certainty(result: lines.Text | Failed) -> tuple[bool, float]:
    """For sorting: first what could not be read, then what is not sure, and the least confident of each."""
    return (False, 0.0) if isinstance(result, Failed) else (result.sure, result.read.confidence)


def _row(picture: Picture, seen: Look) -> str:
    address = address_of(seen.picture)
    thumb = f'<img src="{address}" alt="" loading="lazy"/>' if address else ""
    if isinstance(seen.result, Failed):
        mark, said = "unread", escape(refusal(seen.result))
    else:
        mark = "sure" if seen.result.sure else "unsure"
        said = f"<b>{escape(seen.result.read.text)}</b> {escape(lines.in_words(seen.result))}"
    return (
        f'<tr class="{mark}"><td class="wide">{thumb}</td><td class="said">{said}</td>'
        f'<td class="file">{escape(picture.name)}</td></tr>'
    )


def as_csv(pictures: list[Picture], looks: list[Look]) -> str:
    """One row a picture; `corrected` tells whether somebody has said what some of the characters are."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["file", "text", "confidence", "sure", "corrected", "error"])
    for picture, seen in zip(pictures, looks, strict=True):
        result = seen.result
        if isinstance(result, Failed):
            writer.writerow([picture.name, "", "", "", "", result.error])
        else:
            writer.writerow(
                [picture.name, result.read.text, f"{result.read.confidence:.4f}"]
                + ["yes" if fact else "no" for fact in (result.sure, bool(result.by_hand))]
                + [""]
            )
    return file.getvalue()
