"""What has been answered lately, held against the model's record, and what people said of it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import streamlit as st

from app.client.errors import ApiError
from app.client.models import Alphabet
from app.client.watching import Index, OfVersion, Verdicts, Watched
from app.drift import FEWEST
from app.ui.alphabets import choose
from app.ui.session import client
from app.ui.texts import _, ngettext, number, paragraph, told
from app.ui.trouble import show_trouble, waiting

LOOKS_EVERY: Final = 30
"""Seconds."""

DAYS: Final = 14
"""For which verdicts are shown one by one."""


def health() -> None:
    st.title(_("Health"), anchor=False)
    st.html(paragraph("lead", _("Whether the recognizer still does what it did when it was judged.")))
    _watched(choose())


@st.fragment(run_every=LOOKS_EVERY)
def _watched(alphabet: Alphabet) -> None:
    shown = st.container()  # above the words that come and go: it would move with them
    try:
        with waiting(_("Asking…")):
            all_of_them = client().drifts()
    except ApiError as error:
        show_trouble(error)
        return
    for one in all_of_them:
        if one.alphabet == alphabet.name:
            shown.html(page(one, alphabet))


def page(watched: Watched, alphabet: Alphabet) -> str:
    """All of it, as one element: several appear one after the other, and push each other down."""
    if not watched.answers:
        return _verdict(watched) + _of_people(watched)
    expected = watched.expected
    labels = alphabet.labels or sorted(watched.labels)
    tenths = [f"{10 * tenth}–{10 * (tenth + 1)}%" for tenth in range(len(watched.confidence))]
    of_labels = [expected.labels.get(label) if expected else None for label in labels]
    of_tenths = expected.confidence if expected else [None] * len(tenths)
    answered = [watched.labels.get(label, 0) for label in labels]
    often, sure = (
        list(zip(labels, answered, of_labels, strict=True)),
        list(zip(tenths, watched.confidence, of_tenths, strict=True)),
    )
    return (
        _verdict(watched)
        + _in_numbers(watched)
        + '<div class="watched">'
        + _bars(_("How often each was answered"), often, watched.answers)
        + _bars(_("How sure the answers were"), sure, watched.answers)
        + "</div>"
        + (paragraph("note", _what_is_expected(watched)) if expected else "")
        + _indices(watched)
        + _of_people(watched)
    )


def _verdict(watched: Watched) -> str:
    """In plain words, as a box."""
    confidence, labels = watched.confidence_drift, watched.labels_drift
    if confidence and confidence.drifts:
        words = _(
            "The answers are not as sure as when the model was judged: what people send may have become another kind "
            "of picture. Look at samples, and retrain the model on them."
        )
    elif labels and labels.drifts:
        words = _(
            "Some characters are answered far more or far less often than when the model was judged. People may draw "
            "others than before, or the model may take one for another: look at samples of these."
        )
    elif confidence and labels:
        return _box("sure", _("Nothing has drifted: the answers are as they were when the model was judged."))
    elif not watched.expected:
        return _box("none", _("The model’s record does not say what to expect. Judge it anew to have it there."))
    else:
        few = ngettext(
            "{count} answer so far. From {needed} on one can tell whether they have drifted.",
            "{count} answers so far. From {needed} on one can tell whether they have drifted.",
            watched.answers,
        )
        return _box("none", few.format(count=watched.answers, needed=FEWEST))
    return _box("unsure", words)


def _box(kind: str, words: str) -> str:
    return f'<div class="answer health {kind}" role="status"><p class="answer-words">{escape(words)}</p></div>'


def _in_numbers(watched: Watched) -> str:
    said = ngettext(
        "{count} answer since {time}, {unsure} of them not sure.",
        "{count} answers since {time}, {unsure} of them not sure.",
        watched.answers,
    )
    return paragraph(
        "lead",
        said.format(
            count=number(f"{watched.answers:,}"),
            time=watched.since.strftime("%Y-%m-%d %H:%M UTC"),
            unsure=_percent(watched.unsure, watched.answers),
        ),
    )


def _bars(caption: str, rows: Iterable[tuple[str, int, float | None]], total: int) -> str:
    """Counts as bars, with a mark for the share that was to be expected; the longest is as long as there is room."""
    rows = list(rows)
    most = max(max(count / total, expected or 0) for _name, count, expected in rows) or 1
    drawn = "".join(
        f'<li><b>{escape(name)}</b><i style="--share:{100 * count / total / most:.2f}%;'
        f'--expected:{100 * (expected or 0) / most:.2f}%"{"" if expected is None else " class=known"}></i>'
        f"<span>{escape(_percent(count, total))}</span></li>"
        for name, count, expected in rows
    )
    return f'<figure class="chart"><figcaption>{escape(caption)}</figcaption><ol>{drawn}</ol></figure>'


def _what_is_expected(watched: Watched) -> str:
    expected = watched.expected
    if not expected:
        return ""
    words = ngettext(
        "The marks are what the model answered to {count} picture that it was judged by ({set}).",
        "The marks are what the model answered to {count} pictures that it was judged by ({set}).",
        expected.count,
    )
    return words.format(count=number(f"{expected.count:,}"), set=told(expected.pictures))


def _indices(watched: Watched) -> str:
    rows = [
        (name, index)
        for name, index in ((_("Characters"), watched.labels_drift), (_("Confidence"), watched.confidence_drift))
        if index
    ]
    if not rows:
        return ""
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_index(index.index)}</td><td>{_index(index.by_chance)}</td>'
        f"<td>{escape(_said_of(index))}</td></tr>"
        for name, index in rows
    )
    columns = _("What"), _("Stability index"), _("By chance at most"), _("Drifts?")
    note = _("The population stability index is 0 where nothing has changed; 0.2 or more matters, if chance is less.")
    return _table(columns, cells) + paragraph("note", number_in(note))


def number_in(text: str) -> str:
    """A sentence with 0.2 in it, in the language's own way."""
    return text.replace("0.2", number("0.2"))


def _said_of(index: Index) -> str:
    return _("yes") if index.drifts else _("no")


def _index(value: float) -> str:
    return number(f"{value:.3f}")


def _of_people(watched: Watched) -> str:
    """By version, and by day: what people said of the answers, if anybody did."""
    said = watched.verdicts
    versions = list(watched.versions)
    known = {one.version for one in versions}
    versions += [
        OfVersion(version=one, answers=0, unsure=0)
        for one in dict.fromkeys(verdicts.version for verdicts in reversed(said))
        if one not in known
    ]
    if not versions:
        return ""
    columns = _("Version"), _("Answers"), _("Not sure"), _("Verdicts"), _("Corrected"), _("No character")
    by_version = "".join(
        f'<tr><th scope="row">{escape(one.version or "–")}</th><td>{number(f"{one.answers:,}")}</td>'
        f"<td>{escape(_percent(one.unsure, one.answers))}</td>"
        + _cells([verdicts for verdicts in said if verdicts.version == one.version])
        + "</tr>"
        for one in versions
    )
    by_day = "".join(
        f'<tr><th scope="row">{day}</th>' + _cells([verdicts for verdicts in said if verdicts.day == day]) + "</tr>"
        for day in sorted({verdicts.day for verdicts in said}, reverse=True)[:DAYS]
    )
    note = _("Answers are counted since the server’s start, verdicts are those of 30 days.")
    days = _table((_("Day"), *columns[3:]), by_day) if by_day else ""
    heading = _("What people said of it")
    return f"<h2>{escape(heading)}</h2>" + _table(columns, by_version) + paragraph("note", note) + days


def _cells(said: Sequence[Verdicts]) -> str:
    right, wrong, none = (sum(getattr(one, name) for one in said) for name in ("right", "wrong", "no_character"))
    return f"<td>{number(f'{right + wrong + none:,}')}</td>" + "".join(
        f"<td>{escape(_percent(part, right + wrong + none))}</td>" for part in (wrong, none)
    )


def _table(columns: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    table = f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scrolled">{table}</div>'


def _percent(part: int, whole: int) -> str:
    return number(f"{part / whole:.1%}") if whole else "–"
