"""What was kept, for an admin to look after: what is doubtful first, labels that may be wrong, many by keyboard."""

import base64
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st

from app.client.client import Client
from app.client.errors import ApiError, Refused, WrongKey
from app.client.models import Alphabet, SamplePage, SampleShown
from app.ui import admin
from app.ui.alphabets import choose
from app.ui.answer import percent
from app.ui.grid import Done, Tile, done, grid
from app.ui.originals import address_of
from app.ui.texts import N_, _, paragraph
from app.ui.trouble import in_words, show_trouble, waiting

TOGETHER: Final = 24
"""Pictures that are shown at once."""

ORDERS: Final = {
    "doubtful": N_("Most doubtful"),
    "suspect": N_("Likely label errors"),
    "newest": N_("Newest"),
}

_ANY: Final = ""
_NONE: Final = "\0"
"""No character; a text that is no label."""

VERDICTS: Final = {
    _ANY: N_("Any verdict"),
    "none": N_("Nobody has said"),
    "right": N_("Called right"),
    "wrong": N_("Corrected"),
    "not_a_character": N_("Called no character"),
}

REVIEWED: Final = {"no": N_("Not reviewed"), "yes": N_("Reviewed"), _ANY: N_("All")}

SOURCES: Final = {
    _ANY: N_("From anywhere"),
    "canvas": N_("Drawn"),
    "number": N_("Out of numbers"),
    "upload": N_("Uploaded"),
    "camera": N_("Camera"),
    "api": N_("By programs"),
}

_STATE: Final = "review"


@dataclass
class Review:
    """The pictures that are shown, and what has become of them."""

    asked: tuple[Any, ...]
    page: SamplePage
    number: int
    """Counts the sets that were shown."""
    labels: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    troubles: dict[str, str] = field(default_factory=dict)


def review() -> None:
    st.title(_("Samples"), anchor=False)
    api = admin.admitted()
    if api is None:
        return
    alphabet = choose()
    filters = _ask_what(alphabet)
    try:
        with waiting(_("Asking…")):
            shown = _shown(api, filters)
    except WrongKey:
        admin.leave()
        st.rerun()
    except ApiError as error:
        show_trouble(error)
        return
    if not shown.page.samples:
        st.html(paragraph("quiet", _("There is nothing of this kind.")))
        return
    _grid(api, shown, alphabet, filters)


def _ask_what(alphabet: Alphabet) -> dict[str, Any]:
    """The filters, as the API has them."""
    order = st.segmented_control(
        _("What comes first"),
        list(ORDERS),
        format_func=lambda one: _(ORDERS[one]),
        default="doubtful",
        required=True,
        label_visibility="collapsed",
        key="review-order",
    )
    with st.container(horizontal=True, key="filters"):
        reviewed = _select("reviewed", _("Reviewed?"), REVIEWED)
        verdict = _select("verdict", _("Verdict"), VERDICTS)
        label = _label("label", _("Said to be"), alphabet, {_NONE: _("No character")})
        answer = _label("answer", _("Answer"), alphabet, {})
        source = _select("source", _("Source"), SOURCES)
    return {
        "alphabet": alphabet.name or None,
        "order": order,
        "reviewed": {"no": False, "yes": True}.get(reviewed),
        "verdict": verdict or None,
        "label": "" if label == _NONE else label or None,
        "answer": answer or None,
        "source": source or None,
    }


def _select(name: str, called: str, options: dict[str, str]) -> str:
    chosen = st.selectbox(called, list(options), format_func=lambda one: _(options[one]), key=f"review-{name}")
    return str(chosen)


def _label(name: str, called: str, alphabet: Alphabet, more: dict[str, str]) -> str:
    options = {_ANY: _("Any")} | {one: one for one in alphabet.labels} | more
    chosen = st.selectbox(
        called, list(options), format_func=lambda one: options[one], key=f"review-{alphabet.name}-{name}"
    )
    return str(chosen)


def _shown(api: Client, filters: dict[str, Any], after: str | None = None, anew: bool = False) -> Review:
    """The pictures that are shown as long as nothing else is asked for. Raises ApiError."""
    known: Review | None = st.session_state.get(_STATE)
    asked = tuple(filters.items())
    if known and known.asked == asked and not anew:
        return known
    page = api.samples(**filters, after=after, limit=TOGETHER)
    if after and not page.samples:
        page = api.samples(**filters, limit=TOGETHER)
    shown = Review(asked, page, known.number + 1 if known else 1)
    st.session_state[_STATE] = shown
    return shown


@st.fragment
def _grid(api: Client, shown: Review, alphabet: Alphabet, filters: dict[str, Any]) -> None:
    shown = st.session_state.get(_STATE, shown)
    taken = st.session_state.get(f"{_STATE}-taken", 0)
    for one in sorted(done(), key=lambda one: one.number):
        if one.number <= taken:
            continue
        taken = one.number
        if one.does == "next":
            try:
                shown = _shown(api, filters, shown.page.next, anew=True)
            except ApiError as error:
                st.html(paragraph("trouble", in_words(error)))
        else:
            _do(api, one, shown)
    st.session_state[f"{_STATE}-taken"] = taken
    if not shown.page.samples:
        st.html(paragraph("quiet", _("There is nothing of this kind any more.")))
    names = {label: f"{label} {_(name)}" for label, name in alphabet.names.items()}
    labels = [(label, names.get(label, label)) for label in alphabet.labels]
    grid(str(shown.number), [_tile(sample, shown) for sample in shown.page.samples], labels, taken)


def _do(api: Client, what: Done, shown: Review) -> None:
    """Say what some are, or delete them; of what fails the tile tells."""
    for id in what.ids:
        if id not in {sample.id for sample in shown.page.samples}:
            continue
        try:
            if what.does == "delete":
                api.delete_sample(id)
                shown.deleted.add(id)
            elif what.label is not None:
                api.relabel(id, what.label)
                shown.labels[id] = what.label
        except Refused as refused:
            shown.troubles[id] = _("gone") if refused.code == "unknown_sample" else _("refused")
        except ApiError:
            shown.troubles[id] = _("not done: please try again")
        else:
            shown.troubles.pop(id, None)


def _tile(sample: SampleShown, shown: Review) -> Tile:
    said = shown.labels.get(sample.id)
    about = [sample.time.strftime("%Y-%m-%d %H:%M"), _(SOURCES.get(sample.source, sample.source)), sample.model or ""]
    return Tile(
        sample.id,
        address_of(_bytes_of(sample.picture)),
        sample.label if said is None else said,
        sample.answer,
        "" if sample.confidence is None else percent(sample.confidence),
        sample.reviewed or said is not None,
        sample.id in shown.deleted,
        shown.troubles.get(sample.id, ""),
        " · ".join(filter(None, about)),
    )


def _bytes_of(data_url: str) -> bytes:
    return base64.b64decode(data_url.partition(";base64,")[2])
