"""Other ways in: files, the camera, examples of real handwriting."""

import csv
import io
from dataclasses import dataclass
from html import escape

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet, Failed, Recognized
from app.ui import answer as html
from app.ui import gallery
from app.ui.alphabets import choose
from app.ui.originals import address_of
from app.ui.session import BATCH, answers_to, batches
from app.ui.trouble import show_trouble

TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]

FILES, CAMERA, EXAMPLES = ":material/upload_file: Files", ":material/photo_camera: Camera", ":material/apps: Examples"


@dataclass(frozen=True)
class Picture:
    name: str
    data: bytes


def upload() -> None:
    st.title("Upload pictures")
    st.html('<p class="lead">Photos, scans or drawings, one character each. Dark on light or light on dark.</p>')
    alphabet = choose()
    pictures = _pictures(alphabet)
    if not pictures:
        return
    try:
        results = _ask(pictures, alphabet)
    except ApiError as error:
        show_trouble(error)
        return
    if len(pictures) == 1:
        _show_one(pictures[0], results[0], alphabet)
    else:
        _show_all(pictures, results)


def _pictures(alphabet: Alphabet) -> list[Picture]:
    examples = gallery.examples(alphabet.name)
    ways = [FILES, CAMERA, EXAMPLES] if examples else [FILES, CAMERA]
    way = st.segmented_control("Take them from", ways, default=FILES, required=True)
    if way == CAMERA:
        photo = st.camera_input("Hold the paper so that one character fills the middle")
        return [Picture("camera.jpg", photo.getvalue())] if photo else []
    if way == EXAMPLES:
        st.html('<p class="note">Digits that people wrote by hand, from the MNIST test set. Pick one.</p>')
        example = gallery.pick(examples, key="gallery")
        return [Picture(example.name, example.png)] if example else []
    files = st.file_uploader("One or many pictures, also by drag and drop", TYPES, accept_multiple_files=True)
    return [Picture(file.name, file.getvalue()) for file in files]


def _ask(pictures: list[Picture], alphabet: Alphabet) -> list[Recognized | Failed]:
    results: list[Recognized | Failed] = []
    bar = st.progress(0.0, "Looking at the pictures") if len(pictures) > BATCH else None
    for part in batches([picture.data for picture in pictures]):
        results += answers_to(part, alphabet.name)
        if bar:
            bar.progress(len(results) / len(pictures), f"{len(results)} of {len(pictures)} pictures")
    if bar:
        bar.empty()
    return results


def _show_one(picture: Picture, result: Recognized | Failed, alphabet: Alphabet) -> None:
    left, right = st.columns(2, gap="large")
    with right, st.container(key="answer"):
        if isinstance(result, Failed):
            st.html(f'<p class="trouble" role="alert">{escape(result.error)}</p>')
        else:
            st.html(html.headline(result) + html.chart(result, alphabet.labels))
    with left:
        shown = html.seen(address_of(picture.data), "Your picture", picture.name, "photo")
        if isinstance(result, Recognized):
            shown += html.seen(result.glyph, "What the model saw", "The picture as the model saw it, 28 by 28 pixels")
        st.html(f'<div class="pictures">{shown}</div>')


def _show_all(pictures: list[Picture], results: list[Recognized | Failed]) -> None:
    unread = sum(isinstance(result, Failed) for result in results)
    unsure = sum(isinstance(result, Recognized) and not result.sure for result in results)
    st.html(f'<p class="lead" role="status">{len(results)} pictures: {_counted(unsure, unread)}</p>')
    rows = "".join(_row(picture, result) for picture, result in zip(pictures, results, strict=True))
    st.html(
        '<div class="scroll"><table><thead><tr><th scope="col">Picture</th><th scope="col">As the model saw it</th>'
        f'<th scope="col">File</th><th scope="col">Answer</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    st.download_button(
        "Download as CSV", as_csv(pictures, results), "answers.csv", "text/csv", icon=":material/download:"
    )


def _counted(unsure: int, unread: int) -> str:
    parts = [f"{unsure} not sure"] * bool(unsure) + [f"{unread} not readable"] * bool(unread)
    return " and ".join(parts) + "." if parts else "all recognized."


def _row(picture: Picture, result: Recognized | Failed) -> str:
    address = address_of(picture.data)
    thumb = f'<img src="{address}" alt="" loading="lazy"/>' if address else ""
    if isinstance(result, Failed):
        saw, said = "", escape(result.error)
    else:
        saw = f'<img class="glyph" src="{escape(result.glyph or "")}" alt=""/>'
        said = f"<b>{escape(result.label)}</b> {escape(html.in_words(result))}"
    return f"<tr><td>{thumb}</td><td>{saw}</td><td>{escape(picture.name)}</td><td>{said}</td></tr>"


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
