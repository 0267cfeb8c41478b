"""How good is it? What the models' own records say, and the pictures made when they were trained."""

from html import escape

import streamlit as st

from app import settings
from app.ui.alphabets import title
from app.ui.client import Alphabet, Trouble
from app.ui.figures import Accuracy, accuracies
from app.ui.session import client
from app.ui.trouble import show_trouble


def quality() -> None:
    st.title("How good is it?")
    try:
        known = client().alphabets()
    except Trouble as trouble:
        show_trouble(trouble)
        return
    for alphabet in known:
        _card(alphabet)
    _pictures()


def _card(alphabet: Alphabet) -> None:
    st.header(title(alphabet.name))
    st.html(f'<p class="lead">Tells {len(alphabet.labels)} characters apart. Version {escape(alphabet.version)}.</p>')
    rows = "".join(_row(one) for one in accuracies(alphabet.figures))
    if rows:
        st.html(
            '<div class="scroll"><table class="figures"><thead><tr><th scope="col">Pictures</th>'
            '<th scope="col">Right</th><th scope="col">95% interval</th><th scope="col">Count</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )
        st.html(
            '<p class="note">The interval is what the share may really be, seen how many pictures it was measured on '
            "(Wilson).</p>"
        )


def _row(figure: Accuracy) -> str:
    low, high = figure.interval
    return (
        f'<tr><th scope="row">{escape(figure.name)}</th><td><b>{figure.share:.2%}</b></td>'
        f"<td>{low:.2%} to {high:.2%}</td><td>{figure.count:,}</td></tr>"
    )


def _pictures() -> None:
    files = sorted((settings.load().models_dir / "pictures").glob("*.png"))
    if files:
        st.header("In pictures")
    for file in files:
        name = file.stem.replace("_", " ").replace("-", " ").capitalize()
        st.image(file, caption=name, alt=name)
