"""How good is it? What the models' own records say, and the pictures made when they were trained."""

from html import escape

import streamlit as st

from app import settings
from app.client.errors import ApiError
from app.client.models import Alphabet
from app.ui.alphabets import chosen_first, title
from app.ui.figures import Accuracy, accuracies, families, others
from app.ui.originals import address_of
from app.ui.session import client
from app.ui.texts import N_, _, ngettext, number, paragraph, told
from app.ui.trouble import show_trouble, waiting

CAPTIONS = {
    "worst-drawings": N_("Drawings that were read wrong: above each the answer, how sure it was, and what it is"),
    "worst": N_("Pictures of the test set that were read wrong, in the same way"),
    "worst-numbers": N_("Whole numbers that were read wrong: in red what was read, and what stands there"),
    "confusion-drawings": N_("What drawings were taken for: a row for what was written, a column for the answer"),
    "confusion": N_("What pictures of the test set were taken for, in the same way"),
    "predictions": N_("The first pictures of the test set, each with its answer and how sure that is"),
    "sweeps": N_("Right answers, in percent, by the pen’s width, a drawing’s size, its place and its rotation"),
    "reliability": N_(
        "How often answers are right, by their confidence (on the dotted line it means what it says), "
        "and how many there are of each"
    ),
    "curves": N_("Training: the loss, and the errors on pictures that were held back, after each epoch"),
    "search-history": N_(
        "The search for settings: the loss on pictures that were held back, of every try and of the best"
    ),
    "search-importance": N_("How much each setting mattered in that search"),
}
"""What one sees on the pictures that training and evaluation draw, what concerns a visitor first."""


def quality() -> None:
    st.title(_("How good is it?"), anchor=False)
    shown = st.container()  # above the words that come and go: it would move with them
    try:
        with waiting(_("Asking…")):
            known = chosen_first(client().alphabets())
    except ApiError as error:
        show_trouble(error)
        return
    # As one element: several appear one after the other, and push each other down.
    if len(known) == 1:
        shown.html(f"<h2>{escape(title(known[0]))}</h2>{_card(known[0])}")
        return
    shown.html(
        "".join(
            f"<details class=alphabet{' open' if alphabet is known[0] else ''}>"
            f"<summary><h2>{escape(title(alphabet))}</h2></summary>{_card(alphabet)}</details>"
            for alphabet in known
        )
    )


def _card(alphabet: Alphabet) -> str:
    alone, large = families(list(accuracies(alphabet.figures)))
    plain = next((one for one in alone if one.name == "drawings"), alone[0] if alone else None)
    tables = {_("All that it was measured on"): alone} if alone else {}
    count, cased = len(alphabet.labels), len(alphabet.cased)
    apart = ngettext("It tells {count} character apart.", "It tells {count} characters apart.", count)
    cases = ngettext("Of {count} of them it also tells the case.", "Of {count} of them it also tells the case.", cased)
    version = _("Version {version}.").format(version=alphabet.version)
    about = [apart.format(count=count)] + [cases.format(count=cased)] * bool(cased) + [version]
    doubt = _("Where it is not sure, it says so.")
    return (
        (f'<p class="lead plain">{in_words(plain)} {escape(doubt)}</p>' if plain else "")
        + paragraph("note", " ".join(about))
        + "".join(
            f"<details{' open' if rows is alone else ''}><summary>{escape(_(name))}</summary>{_table(rows)}</details>"
            for name, rows in (tables | large).items()
        )
        + _list(list(others(alphabet.figures)))
        + _pictures(alphabet)
    )


def in_words(one: Accuracy) -> str:
    """One figure as a sentence, as HTML."""
    wrong = round(1000 * (1 - one.share))
    if one.name == "drawings":
        said = (
            ngettext(
                "It is wrong on about {wrong} of {thousand} drawings.",
                "It is wrong on about {wrong} of {thousand} drawings.",
                wrong,
            )
            if wrong
            else _("It is wrong on fewer than 1 of {thousand} drawings.")
        )
    else:
        said = (
            ngettext(
                "It is wrong on about {wrong} of {thousand} pictures ({set}).",
                "It is wrong on about {wrong} of {thousand} pictures ({set}).",
                wrong,
            )
            if wrong
            else _("It is wrong on fewer than 1 of {thousand} pictures ({set}).")
        )
    return escape(said).format(wrong=f"<b>{wrong}</b>", thousand=number("1,000"), set=escape(told(one.name)))


def _table(rows: list[Accuracy]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(told(one.name))}{_aside(told(one.what))}</th>'
        f"<td><b>{number(f'{one.share:.2%}')}</b></td>"
        f"<td>{escape(_interval(one))}</td><td>{number(f'{one.count:,}')}</td></tr>"
        for one in rows
    )
    columns = _("Pictures"), _("Right"), _("{percent} interval").format(percent="95%"), _("Count")
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    note = _("The interval is what the share may really be, seen how many pictures it was measured on (Wilson).")
    return f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>' + paragraph(
        "note", note
    )


def _interval(one: Accuracy) -> str:
    low, high = one.interval
    return _("{low} to {high}").format(low=number(f"{100 * low:.2f}"), high=number(f"{high:.2%}"))


def _aside(what: str) -> str:
    return f'<small class="what">{escape(what)}</small>' if what else ""


def _list(figures: list[tuple[str, str]]) -> str:
    items = "".join(f"<li>{escape(told(name))}: <b>{number(value)}</b></li>" for name, value in figures)
    title = _("Other figures")
    return f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>" if figures else ""


def _pictures(alphabet: Alphabet) -> str:
    folder = settings.load().models_dir / alphabet.name / "pictures"
    drawn = "".join(
        f'<figure class="drawn"><div><img src="{address_of(file.read_bytes())}" alt="" loading="lazy"/></div>'
        f"<figcaption>{escape(_(caption))}</figcaption></figure>"
        for file, caption in ((folder / f"{name}.png", caption) for name, caption in CAPTIONS.items())
        if file.exists()
    )
    title = _("In pictures")
    return f"<details><summary>{escape(title)}</summary>{drawn}</details>" if drawn else ""
