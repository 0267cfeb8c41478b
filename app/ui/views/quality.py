"""How good is it? What the models' own records say, and the pictures made when they were trained."""

from html import escape

import streamlit as st

from app import settings
from app.client.errors import ApiError
from app.client.models import Alphabet
from app.ui.alphabets import title
from app.ui.figures import Accuracy, accuracies, families, others
from app.ui.originals import address_of
from app.ui.session import client
from app.ui.trouble import show_trouble, waiting

CAPTIONS = {
    "worst-drawings": "Drawings that were read wrong: above each the answer, how sure it was, and what it is",
    "worst": "The same of MNIST’s test set",
    "confusion-drawings": "What drawings were taken for: a row for what was written, a column for the answer",
    "confusion": "The same of MNIST’s test set",
    "predictions": "The first pictures of MNIST’s test set, each with its answer and how sure that is",
    "sweeps": "Right answers, in percent, by the pen’s width, a drawing’s size, its place and its rotation",
    "reliability": "How often answers are right, by their confidence (on the dotted line it means what it says), "
    "and how many there are of each",
    "curves": "Training: the loss, and the errors on pictures that were held back, after each epoch",
    "search-history": "The search for settings: the loss on pictures that were held back, of every try and of the best",
    "search-importance": "How much each setting mattered in that search",
}
"""What one sees on the pictures that training and evaluation draw, what concerns a visitor first."""


def quality() -> None:
    st.title("How good is it?", anchor=False)
    try:
        with waiting("Asking…"):
            known = client().alphabets()
    except ApiError as error:
        show_trouble(error)
        return
    # As one element: several appear one after the other, and push each other down.
    st.html("".join(_card(alphabet) + _pictures(alphabet) for alphabet in known))


def _card(alphabet: Alphabet) -> str:
    alone, large = families(list(accuracies(alphabet.figures)))
    plain = next((one for one in alone if one.name == "drawings"), alone[0] if alone else None)
    tables = {"All that it was measured on": alone} if alone else {}
    return (
        f"<h2>{escape(title(alphabet.name))}</h2>"
        + (f'<p class="lead plain">{in_words(plain)} Where it is not sure, it says so.</p>' if plain else "")
        + f'<p class="note">It tells {len(alphabet.labels)} characters apart. Version {escape(alphabet.version)}.</p>'
        + "".join(
            f"<details{' open' if rows is alone else ''}><summary>{escape(name)}</summary>{_table(rows)}</details>"
            for name, rows in (tables | large).items()
        )
        + _list(list(others(alphabet.figures)))
    )


def in_words(one: Accuracy) -> str:
    """One figure as a sentence, as HTML."""
    wrong = round(1000 * (1 - one.share))
    count = f"about <b>{wrong} of 1,000</b>" if wrong else "fewer than <b>1 of 1,000</b>"
    kind = "drawings" if one.name == "drawings" else f"pictures ({escape(one.name)})"
    return f"It is wrong on {count} {kind}."


def _table(rows: list[Accuracy]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(one.name)}{_aside(one.what)}</th><td><b>{one.share:.2%}</b></td>'
        f"<td>{100 * one.interval[0]:.2f} to {one.interval[1]:.2%}</td><td>{one.count:,}</td></tr>"
        for one in rows
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("Pictures", "Right", "95% interval", "Count"))
    return (
        f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>'
        '<p class="note">The interval is what the share may really be, seen how many pictures it was measured on '
        "(Wilson).</p>"
    )


def _aside(what: str) -> str:
    return f'<small class="what">{escape(what)}</small>' if what else ""


def _list(figures: list[tuple[str, str]]) -> str:
    items = "".join(f"<li>{escape(name)}: <b>{value}</b></li>" for name, value in figures)
    return f"<details><summary>Other figures</summary><ul>{items}</ul></details>" if figures else ""


def _pictures(alphabet: Alphabet) -> str:
    folder = settings.load().models_dir / alphabet.name / "pictures"
    drawn = "".join(
        f'<figure class="drawn"><div><img src="{address_of(file.read_bytes())}" alt="" loading="lazy"/></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for file, caption in ((folder / f"{name}.png", caption) for name, caption in CAPTIONS.items())
        if file.exists()
    )
    return f"<details><summary>In pictures</summary>{drawn}</details>" if drawn else ""
