"""Say that an answer takes its time, or that something is wrong; try again by itself where that can help."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import streamlit as st

from app.client.errors import ApiError, Busy, ServerFailed, TimedOut, TooManyRequests, Unreachable, WrongKey
from app.client.models import Failed
from app.ui import texts
from app.ui.session import client
from app.ui.texts import N_, _, ngettext, paragraph


def in_words(error: ApiError) -> str:
    """What to tell a visitor: why there is no answer, and what to do about it."""
    match error:
        case TimedOut():
            return _("The recognizer takes longer than usual. You need not do anything: it is asked again by itself.")
        case Unreachable():
            return _("The recognizer is away at the moment. Nothing is lost: the answer comes as soon as it is back.")
        case TooManyRequests():
            wait = round(_bearable(error.retry_after))
            return ngettext(
                "That was a lot in a short time. Please wait {count} second; the answer then comes by itself.",
                "That was a lot in a short time. Please wait {count} seconds; the answer then comes by itself.",
                wait,
            ).format(count=wait)
        case Busy():
            return _("The recognizer is busy with others. You need not do anything: it is asked again by itself.")
        case ServerFailed():
            return _("Something went wrong in the recognizer. It is asked again by itself.")
        case WrongKey():
            return _(
                "The recognizer does not accept this page's key. "
                "Whoever runs the app has to give both the same DIGITS_API_KEYS and start them again."
            )
    return _(
        "The recognizer's answer makes no sense to this page: they are of different versions. "
        "Whoever runs the app has to update both."
    )


_REFUSALS = {
    "blank_image": N_("Nothing is to be seen here. Please take a picture with one character on it."),
    "empty_file": N_("The file is empty. Please send a picture."),
    "not_a_picture": N_("This is not a picture that can be read. Please send PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF."),
    "damaged_picture": N_("The picture is damaged. Please save it anew, as PNG or JPEG."),
    "too_many_pixels": N_("The picture has more pixels than can be read. Please send it smaller, as PNG or JPEG."),
    "too_laborious": N_("The picture takes too much work to decode. Please send it smaller, or as PNG or JPEG."),
    "too_much_writing": N_("There is more on the picture than can be read at once. Please send a part of it."),
    "empty_box": N_("There is nothing in one of the boxes. Please move it to a character, or remove it."),
    "too_large": N_("The file is too large. Please send it smaller, as PNG or JPEG."),
}
"""For who does not read the API's own sentences, by its codes."""


def refusal(answer: Failed) -> str:
    """Why a picture has no answer: as the API says it, which says more, if that is in the visitor's language."""
    ours = _REFUSALS.get(answer.code, "")
    return _(ours) if ours and (texts.language() != "en" or answer.code == "blank_image") else answer.error


def again_in(error: ApiError) -> float | None:
    """Seconds after which asking again may help; None when it will not."""
    match error:
        case TimedOut() | Unreachable():
            return 2
        case TooManyRequests() | Busy():
            return _bearable(error.retry_after)
        case ServerFailed():
            return 5
    return None


def _bearable(seconds: float | None) -> float:
    """How long the API asks to wait, kept to what a person would."""
    return 2.0 if seconds is None else min(60.0, max(1.0, seconds))


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Say so while the API is asked; the style lets 400 ms pass before one sees it."""
    place = st.empty()
    place.html(paragraph("waiting", words))
    try:
        yield
    finally:
        place.empty()


def show_trouble(error: ApiError) -> None:
    pause = again_in(error)
    if pause is None:
        _say(error)
        return
    failed_at = time.monotonic()

    @st.fragment(run_every=pause)
    def until_it_is_back() -> None:
        """Runs at once, to say it, and then after every pause until the API is back."""
        waited = time.monotonic() - failed_at >= pause / 2
        if waited and client().is_ready():
            st.rerun()
        _say(error)

    until_it_is_back()


def _say(error: ApiError) -> None:
    st.html(f'<p class="trouble" role="alert">{escape(in_words(error))}</p>')
