"""Corrections of a text that was read: which part of the picture it is in, where its characters are, which they are.

Boxes are drawn in `streamlit-drawable-canvas`. It is imported when somebody opens the corrections: it takes memory, and
cannot be imported without Streamlit's runtime.
"""

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from html import escape
from math import inf
from statistics import median
from typing import Any, Final
from urllib.parse import urljoin

import streamlit as st

from app.client.models import Box, Failed, Read
from app.ui import keeping, lines
from app.ui.keeping import Piece, Shown
from app.ui.lines import Text
from app.ui.originals import address_of
from app.ui.session import text_in
from app.ui.texts import N_, _, ngettext, paragraph

BOXES, PART = N_("Correct the boxes"), N_("Read a part only")

_KEPT: Final = 16
"""Corrected pictures of a visitor."""

_SENDS_AFTER: Final = 0.4
"""Seconds after which the canvas has sent a change; it waits for another one first."""

_WIDE, _NARROW, _HIGH = 840, 288, 560
"""Pixels on the screen that the canvas takes at most, on phones the narrower: it does not shrink by itself."""

_LINE, _FONT = 2, 16

_LEAST: Final = 8
"""Pixels on the screen: a click leaves a smaller box."""

_CLEAR, _DOUBTFUL = "#0b63ce", "#c25700"

_NUMBER: Final = "strokeDashOffset"
"""What the canvas keeps with a box and does not use, where nothing is dashed: here, which of those found it was."""

_PRESSED: Final = "pressed"

_CORRECTED: Final = ("blank_image", "too_much_writing", "empty_box")
"""Why the API may find no text where a person may: the codes of its errors."""


@dataclass(frozen=True)
class Correction:
    part: bytes = b""
    """A picture of the part that is to be read; empty for all of it."""
    boxes: tuple[Box, ...] | None = None
    """Of the characters in the part's pixels, in reading order; None for those that are found."""
    labels: tuple[tuple[int, str], ...] = ()
    """What somebody says that some of them are, by index."""


@dataclass(frozen=True)
class Look:
    """What was read in a picture, as somebody has corrected it."""

    picture: bytes
    """In whose pixels the boxes are: the picture, or its part."""
    result: Text | Failed
    corrected: bool = False


def looked_at(result: Read | Failed, picture: bytes) -> Look:
    """Without corrections."""
    return Look(picture, Text(result) if isinstance(result, Read) else result)


def look(picture: bytes, alphabet: str) -> Look:
    """What was read in a picture. Raises ApiError."""
    known = _known(picture, alphabet)
    shown = known.part or picture
    result = text_in(shown, alphabet, known.boxes)
    if isinstance(result, Failed):
        return Look(shown, result, known.boxes is not None)
    return Look(shown, lines.with_labels(result, dict(known.labels)), known != Correction())


def asked_of(seen: Look) -> Shown | None:
    """What may be said of a text, if there is one: that it is right, as it was read or corrected."""
    text = seen.result
    if isinstance(text, Failed) or not text.read.characters:
        return None
    boxes = [one.box for one in text.read.characters]
    model = text.read.model
    return keeping.several_characters(
        seen.picture, f"{text.read.text} {boxes}", model.alphabet, model.version, lambda: _pieces(seen.picture, text)
    )


def _pieces(picture: bytes, text: Text) -> list[Piece]:
    """Each character of a text as a picture, with what was read in it and what it is. Raises OSError."""
    from app.ui import pixels  # Pillow's memory, only for those who say something of numbers

    if not pixels.can_crop(picture):
        raise OSError("It takes too much memory.")
    size, boxes = pixels.size_of(picture), [one.box for one in text.read.characters]
    return [
        Piece(
            pixels.cropped(picture, pixels.around(one.box, boxes, size)),
            answer,
            one.confidence,
            one.label,
        )
        for one, answer in zip(text.read.characters, text.answers, strict=True)
    ]


def is_corrected(picture: bytes, alphabet: str) -> bool:
    return _known(picture, alphabet) != Correction()


def correct(picture: bytes, seen: Look, alphabet: str) -> None:
    """Let somebody correct what was read in a picture; the script runs again with what is new."""
    address = address_of(seen.picture)
    if not address or (isinstance(seen.result, Failed) and seen.result.code not in _CORRECTED):
        return  # it is not shown, or is no picture
    name, known = _name(picture, alphabet), _known(picture, alphabet)
    opened = st.expander(_("Correct it"), icon=":material/edit:", on_change="rerun", key="correct")
    if not opened.open:
        return
    with opened:
        from app.ui import pixels

        way = _ask_way() if pixels.can_crop(seen.picture) else BOXES
        size = pixels.size_of(seen.picture)
        if way == PART:
            st.html(paragraph("note", _("Draw a box around what is to be read.")))
            drawn = _draw(address, size, [], f"part-{name}-{hash(known)}")
            if _is_pressed(_("Read this part")):
                _correct(picture, alphabet, drawn and Correction(pixels.cropped(seen.picture, drawn[-1].box)))
        else:
            if isinstance(seen.result, Text):
                _rewrite(picture, alphabet, seen.result, known)
            st.html(paragraph("note", _how()))
            found = _found(seen, known)
            drawn = _in_reading_order(_draw(address, size, found, f"boxes-{name}-{hash(known)}"))
            if _is_pressed(_("Read again")):
                boxes = tuple(one.box for one in drawn)
                labels = tuple((i, one.label) for i, one in enumerate(drawn) if one.by_hand)
                _correct(picture, alphabet, drawn and replace(known, boxes=boxes, labels=labels))
        if known != Correction() and st.button(_("Back to what was found"), icon=":material/undo:"):
            _correct(picture, alphabet, Correction())


def _ask_way() -> str:
    return st.segmented_control(
        _("What to correct"),
        [BOXES, PART],
        format_func=_,
        default=BOXES,
        required=True,
        label_visibility="collapsed",
        key="way-to-correct",
    )


_FILLED: Final = "what-it-says"
"""Where the session has which text was last put into the field: what somebody then writes there stays."""


def _rewrite(picture: bytes, alphabet: str, text: Text, known: Correction) -> None:
    """Let somebody write what it says: by keyboard alone, and where it is only about what the characters are."""
    read = text.read
    if any(len(one.label) != 1 for one in read.characters):  # nobody could tell which of them are meant
        return
    before = " ".join(line.text for line in read.lines)
    key = f"says-{_name(picture, alphabet)}"  # the same after a correction: another field would not have the focus
    filled = key, before, known
    if key not in st.session_state or st.session_state.get(_FILLED) != filled:
        st.session_state[_FILLED] = filled
        if st.session_state.get(key) != before:  # what says so already is left alone: somebody may be writing in it
            st.session_state[key] = before
    after = st.text_input(_("What it says"), key=key)
    labels = "".join(after.split())
    if len(labels) != len(read.characters):
        needed = ngettext(
            "There is {count} box. Please write one character, or change the boxes.",
            "There are {count} boxes. Please write as many characters, or change the boxes.",
            len(read.characters),
        )
        _refuse(needed.format(count=len(read.characters)))
        return
    changed = {i: label for i, label in enumerate(labels) if label != read.characters[i].label}
    if changed:
        _correct(picture, alphabet, replace(known, labels=tuple((dict(known.labels) | changed).items())))


def _refuse(words: str) -> None:
    st.html(f'<p class="trouble" role="alert">{escape(words)}</p>')


def _how() -> str:
    return _(
        "Draw a box around a character that was missed. To change a box, press the pencil above the picture first: "
        "drag it or its corners, press it twice to write what it is, press × to remove it."
    )


@dataclass(frozen=True)
class Drawn:
    box: Box
    label: str = ""
    by_hand: bool = False
    """Whether somebody has said what the label is."""
    doubtful: bool = False


def _found(seen: Look, known: Correction) -> list[Drawn]:
    """What is there to be corrected."""
    if isinstance(seen.result, Failed):
        labels = dict(known.labels)
        return [Drawn(box, labels.get(i, ""), i in labels) for i, box in enumerate(known.boxes or ())]
    by_hand, doubtful = seen.result.by_hand, seen.result.doubtful
    return [Drawn(one.box, one.label, i in by_hand, i in doubtful) for i, one in enumerate(seen.result.read.characters)]


def _draw(address: str, size: tuple[int, int], found: list[Drawn], key: str) -> list[Drawn]:
    """Show boxes over a picture to be changed; what has become of them, in the picture's pixels."""
    from streamlit_drawable_canvas import boxes_to_drawing, st_canvas

    width, height = size
    scale = _scale(width, height)
    drawing = boxes_to_drawing([_on_screen(one, scale) for one in found], stroke_width=_LINE)
    for i, (drawn, one) in enumerate(zip(drawing["objects"], found, strict=True)):
        drawn |= {"stroke": _DOUBTFUL if one.doubtful else _CLEAR, "fontSize": _FONT, _NUMBER: i + 1}
    with st.container(key="boxing"):
        canvas = st_canvas(
            fill_color="rgba(0, 0, 0, 0)",
            stroke_width=_LINE,
            stroke_color=_CLEAR,
            background_image=urljoin(st.context.url or "", address),
            width=round(width * scale),
            height=round(height * scale),
            drawing_mode="labeled_rect",
            initial_drawing=drawing,
            font_size=_FONT,
            key=key,
        )
    numbers = [one.get(_NUMBER) for one in (canvas.json_data or {}).get("objects", []) if one["type"] == "LabeledRect"]
    result = []
    for drawn, number in zip(canvas.boxes, numbers, strict=True):
        if min(drawn["width"], drawn["height"]) < _LEAST:
            continue
        box = _in_picture(drawn, scale, width, height)
        before = found[number - 1] if isinstance(number, int) and 0 < number <= len(found) else Drawn(box)
        label = str(drawn["label"]).strip()
        result.append(Drawn(box, label, bool(label) and (before.by_hand or label != before.label)))
    return result


def _in_reading_order(drawn: list[Drawn]) -> list[Drawn]:
    """By lines from top to bottom, and in each from left to right.

    A box belongs to the line above where its middle is not below that line's lower edge, which half of it is above.
    """
    rows: list[list[Drawn]] = []
    for one in sorted(drawn, key=lambda one: one.box[1] + one.box[3]):
        edge = median(other.box[3] for other in rows[-1]) if rows else -inf
        if (one.box[1] + one.box[3]) / 2 > edge:
            rows.append([])
        rows[-1].append(one)
    return [one for row in rows for one in sorted(row, key=lambda one: one.box[0])]


def _scale(width: int, height: int) -> float:
    """Pixels on the screen for one of the picture's."""
    widest = _NARROW if "Mobi" in st.context.headers.get("User-Agent", "") else _WIDE
    return min(widest / width, _HIGH / height)


def _on_screen(one: Drawn, scale: float) -> dict[str, Any]:
    left, top, right, bottom = (scale * limit for limit in one.box)
    return {"label": one.label, "left": left, "top": top, "width": right - left, "height": bottom - top}


def _in_picture(drawn: dict[str, Any], scale: float, width: int, height: int) -> Box:
    def within(pixels: float, most: int) -> float:
        return round(min(max(pixels / scale, 0.0), most), 1)

    left, top = drawn["left"], drawn["top"]
    right, bottom = left + drawn["width"], top + drawn["height"]
    return within(left, width), within(top, height), within(right, width), within(bottom, height)


def _is_pressed(label: str) -> bool:
    """Show a button; whether it was pressed, told in a run in which the canvas has sent its last change."""
    if st.button(label, type="primary", icon=":material/refresh:"):
        st.session_state[_PRESSED] = label, time.monotonic()
    pressed, since = st.session_state.get(_PRESSED, ("", 0.0))
    if pressed != label:
        return False
    if time.monotonic() - since >= _SENDS_AFTER:
        del st.session_state[_PRESSED]
        return True

    @st.fragment(run_every=_SENDS_AFTER)
    def until_it_has_sent() -> None:
        if time.monotonic() - since >= _SENDS_AFTER:
            st.rerun()

    until_it_has_sent()
    return False


def _correct(picture: bytes, alphabet: str, correction: Correction | list[Drawn]) -> None:
    """Remember it and run anew; where nothing was drawn it is no correction."""
    if not isinstance(correction, Correction):
        _refuse(_("Draw a box first."))
        return
    known: dict[str, Correction] = st.session_state.setdefault("corrections", {})
    name = _name(picture, alphabet)
    known.pop(name, None)
    known[name] = correction
    while len(known) > _KEPT:
        known.pop(next(iter(known)))
    st.rerun()


def _known(picture: bytes, alphabet: str) -> Correction:
    known: dict[str, Correction] = st.session_state.get("corrections", {})
    return known.get(_name(picture, alphabet), Correction())


def _name(picture: bytes, alphabet: str) -> str:
    return f"{alphabet}-{sha256(picture).hexdigest()[:32]}"
