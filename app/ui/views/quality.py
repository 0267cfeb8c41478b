"""How good is it? What the models' own records say, and the pictures made when they were trained."""

from html import escape

import streamlit as st

from app import settings
from app.client.errors import ApiError
from app.client.models import Alphabet
from app.ui.alphabets import title
from app.ui.figures import Accuracy, accuracies, families, others
from app.ui.session import client
from app.ui.trouble import show_trouble


def quality() -> None:
    st.title("How good is it?")
    try:
        known = client().alphabets()
    except ApiError as error:
        show_trouble(error)
        return
    for alphabet in known:
        _card(alphabet)
    _pictures()


def _card(alphabet: Alphabet) -> None:
    st.header(title(alphabet.name))
    st.html(f'<p class="lead">Tells {len(alphabet.labels)} characters apart. Version {escape(alphabet.version)}.</p>')
    alone, large = families(list(accuracies(alphabet.figures)))
    if not alone and not large:
        return
    st.html(
        _table(alone, "Pictures")
        + "".join(
            f"<details><summary>{escape(name)}</summary>{_table(rows, name)}</details>" for name, rows in large.items()
        )
        + '<p class="note">The interval is what the share may really be, seen how many pictures it was measured on '
        "(Wilson).</p>" + _list(list(others(alphabet.figures)))
    )


def _table(rows: list[Accuracy], title: str) -> str:
    cells = "".join(
        f'<tr><th scope="row">{escape(one.name)}{_aside(one.what)}</th><td><b>{one.share:.2%}</b></td>'
        f"<td>{one.interval[0]:.2%} to {one.interval[1]:.2%}</td><td>{one.count:,}</td></tr>"
        for one in rows
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (title, "Right", "95% interval", "Count"))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table></div>'


def _aside(what: str) -> str:
    return f'<small class="what">{escape(what)}</small>' if what else ""


def _list(figures: list[tuple[str, str]]) -> str:
    return (
        f"<ul>{''.join(f'<li>{escape(name)}: <b>{value}</b></li>' for name, value in figures)}</ul>" if figures else ""
    )


def _pictures() -> None:
    files = sorted((settings.load().models_dir / "pictures").glob("*.png"))
    if files:
        st.header("In pictures")
    for file in files:
        name = file.stem.replace("_", " ").replace("-", " ").capitalize()
        st.image(file, caption=name, alt=name)
