"""The page's texts in its visitor's language: English in the code, others in the catalogues in app/ui/locale."""

import gettext
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import streamlit as st

LANGUAGES: Final = {"en": "English", "uk": "Українська", "zh-Hans": "简体中文"}
"""By the name that HTML has for a language, what those who speak it call it; the first needs no catalogue."""

CHOSEN: Final = "language"
"""What a visitor has chosen, in the cookie and the state of the session of this name."""

LOCALE: Final = Path(__file__).with_name("locale")

DOMAIN: Final = "page"


def of_visitor(cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The language that a visitor has chosen once, else the one that the browser likes best of those that there are."""
    chosen = cookies.get(CHOSEN, "")
    return chosen if chosen in LANGUAGES else _liked_best(headers.get("Accept-Language", ""))


def _liked_best(accepted: str) -> str:
    """By the header of that name (RFC 9110), of which regions and scripts are not looked at."""
    likings: dict[str, float] = {}
    for entry in accepted.split(","):
        tag, _, quality = entry.partition(";")
        primary = tag.strip().partition("-")[0].lower()
        for language in LANGUAGES:
            if language.partition("-")[0] == primary:
                likings.setdefault(language, _quality(quality))
    best = max(likings, key=lambda one: likings[one], default="")
    return best if best and likings[best] > 0 else next(iter(LANGUAGES))


def _quality(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0.0


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Read when the first visitor speaks that language."""
    return gettext.translation(DOMAIN, LOCALE, [language.replace("-", "_")], fallback=language == next(iter(LANGUAGES)))


def language() -> str:
    """Of the visitor for whom the script runs."""
    return st.session_state.get(CHOSEN) or next(iter(LANGUAGES))


def _(text: str) -> str:
    return catalogue(language()).gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    return catalogue(language()).ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    return catalogue(language()).pgettext(context, text)


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


def paragraph(kind: str, text: str) -> str:
    """A text as HTML, of one of the kinds that style.css knows.

    The text is translated before: `pybabel` does not look for texts inside of f-strings.
    """
    return f'<p class="{kind}">{escape(text)}</p>'


def told(text: str) -> str:
    """What a model's record says, as a whole or by its parts, as far as the catalogue has it."""
    whole = _(text)
    if whole == text:
        for mark in (": ", ", "):
            if mark in text:
                return mark.join(told(part) for part in text.split(mark))
    return whole


def number(written: str) -> str:
    """A number as Python writes it, such as 10,000 or 0.5, with the language's own marks."""
    thousands, decimal = pgettext("between thousands, as in 10,000", ","), pgettext("decimal, as in 0.5", ".")
    return "".join({",": thousands, ".": decimal}.get(mark, mark) for mark in written)
