"""Answers to many pictures: asked for in parts, while a bar shows how far it is, and counted."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from app.ui.session import BATCH, batches
from app.ui.texts import _, ngettext

Result = TypeVar("Result")


def answers_to_all(
    pictures: list[bytes], alphabet: str, ask: Callable[[list[bytes], str], list[Result]]
) -> list[Result]:
    """What `ask` answers to pictures and an alphabet's name, of at most `BATCH` pictures each time."""
    results: list[Result] = []
    bar = st.progress(0.0, _("Looking at the pictures")) if len(pictures) > BATCH else None
    for part in batches(pictures):
        results += ask(part, alphabet)
        if bar:
            done = ngettext("{done} of {count} picture", "{done} of {count} pictures", len(pictures))
            bar.progress(len(results) / len(pictures), done.format(done=len(results), count=len(pictures)))
    if bar:
        bar.empty()
    return results


def counted(count: int, unsure: int, unread: int) -> str:
    all_of_them = ngettext("{count} picture: {what}.", "{count} pictures: {what}.", count)
    parts = []
    if unsure:
        parts.append(ngettext("{count} not sure", "{count} not sure", unsure).format(count=unsure))
    if unread:
        parts.append(ngettext("{count} not readable", "{count} not readable", unread).format(count=unread))
    return all_of_them.format(count=count, what=_(" and ").join(parts) or _("all recognized"))
