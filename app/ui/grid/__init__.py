"""A grid of pictures to say of many, by keyboard, what they are.

Our own component: Streamlit has none that the keyboard moves about in, and a run for each key would be too slow.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import streamlit as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.ui.component import component
from app.ui.texts import _

_grid = component(
    Path(__file__).parent,
    '<div class="review"><p class="keys"></p><div class="grid" role="listbox" aria-multiselectable="true"></div>'
    '<p role="status"></p><div class="palette" role="group"></div></div>',
    "review_grid",
)

_KEY: Final = "review-grid"

_KEYS: Final = "1234567890qwertyuiopasdfghjklzxcvbnm"
"""For labels that no key writes, in their order."""


@dataclass(frozen=True)
class Tile:
    """A picture, and what is known of it."""

    id: str
    picture: str
    """Where the browser gets it; empty for what it would not show."""
    label: str | None
    """What it is said to be; empty: no character; None: nobody has said."""
    answer: str | None
    share: str
    """How sure the answer was, to be read."""
    reviewed: bool
    deleted: bool
    trouble: str
    """Why what was said of it could not be done."""
    about: str
    """What else there is to say."""


class Done(BaseModel):
    """What somebody has done, in the order of the numbers."""

    number: int
    does: Literal["label", "delete", "next"]
    ids: list[str]
    label: str | None = None


_DONE: TypeAdapter[list[Done]] = TypeAdapter(list[Done])


def done() -> list[Done]:
    """What the browser has sent; the same again until it hears that it was taken."""
    widget: Any = st.session_state.get(_KEY) or {}
    try:
        return _DONE.validate_json(str(widget.get("done") or "[]"))
    except ValidationError:  # the browser is not to be trusted
        return []


def grid(page: str, tiles: Sequence[Tile], labels: Sequence[tuple[str, str]], taken: int) -> None:
    """Show it; a run follows what is done, in which `done` has it.

    Args:
        page: by which this set of tiles is known: with another one it begins anew.
        tiles: what there is to be seen.
        labels: all that there are, with what one reads.
        taken: the largest number of what was done and has been heard.
    """
    texts = {
        "grid": _("Pictures"),
        "palette": _("What they are"),
        "right": _("Right"),
        "none": _("No character"),
        "delete": _("Delete"),
        "next": _("Next ones"),
        "answer": _("answer:"),
        "saidToBe": _("said to be"),
        "noCharacter": _("none"),
        "reviewed": _("reviewed"),
        "deleted": _("deleted"),
        "again": _("Press Delete once more to delete {count} for good."),
        "Backspace": "⌫",
        "Delete": "Del",
        "PageDown": "PgDn",
        "Enter": "↵",
        "keys": _(
            "Arrow keys move, Shift with them or Space selects more, a label’s key says what they are, Enter that they "
            "are right."
        ),
    }
    keys = _keys([label for label, _name in labels])
    data = {
        "page": page,
        "tiles": [asdict(tile) for tile in tiles],
        "labels": [{"label": label, "name": name, "key": keys[label]} for label, name in labels],
        "taken": taken,
        "texts": texts,
    }
    # As text: of a list Streamlit would ask pandas and pyarrow, 60 MB of them, whether it is a table.
    _grid(key=_KEY, data={"grid": json.dumps(data)}, default={"done": ""}, on_done_change=lambda: None)


def _keys(labels: Sequence[str]) -> dict[str, str]:
    """The key for each label: itself where one key writes it on the keyboards of those who read it."""
    typed = all(len(label) == 1 and (label.isdecimal() or label.lower() != label.upper()) for label in labels)
    return {label: label if typed else key for label, key in zip(labels, [*_KEYS, *[""] * len(labels)], strict=False)}
