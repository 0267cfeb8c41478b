"""A text that was read, as HTML: the text itself, how sure it is, and over its picture where each character is."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from app.client.models import Read, ReadAnswer, ReadCharacter
from app.ui.answer import how_likely, is_shown, percent
from app.ui.texts import _

_LONG: Final = 9
"""Characters a line from which on it is shown smaller."""

_CLEAR: Final = 0.9
"""Confidence from which on a character of an unsure text is no cause of that."""

_NAMED: Final = 3
"""Doubtful characters that are named; all of them are marked over the picture."""


@dataclass(frozen=True)
class Text:
    """What was read, with the labels that somebody has set by hand."""

    read: Read
    by_hand: frozenset[int] = frozenset()
    """Which of the characters."""
    found: tuple[str, ...] = ()
    """What was read in each of them, where some were set by hand."""

    @property
    def answers(self) -> tuple[str, ...]:
        """What was read in each character, whatever somebody has said."""
        return self.found or tuple(one.label for one in self.read.characters)

    @property
    def doubtful(self) -> dict[int, ReadCharacter]:
        """By index; nothing where the text as a whole is sure, or where it is since some were set by hand."""
        left = {i: one for i, one in enumerate(self.read.characters) if i not in self.by_hand}
        if self.read.sure or not left:
            return {}
        doubtful = {i: one for i, one in left.items() if one.confidence < _CLEAR}
        if not doubtful and not self.by_hand:
            least = min(left, key=lambda i: left[i].confidence)
            return {least: left[least]}
        return doubtful

    @property
    def sure(self) -> bool:
        return not self.doubtful and bool(self.read.characters)


def with_labels(read: Read, labels: dict[int, str]) -> Text:
    """The text with some of its characters' labels replaced, by index; one of no character is left out."""
    labels = {i: label for i, label in labels.items() if i < len(read.characters)}
    characters = [one.model_copy(update={"label": labels.get(i, one.label)}) for i, one in enumerate(read.characters)]
    parts = [[labels.get(i, read.characters[i].label) for i in line] for line in _lines(read)]
    lines = [line.model_copy(update={"text": "".join(part)}) for line, part in zip(read.lines, parts, strict=True)]
    text = "\n".join(line.text for line in lines)
    corrected = read.model_copy(update={"characters": characters, "lines": lines, "text": text})
    return Text(corrected, frozenset(labels), tuple(one.label for one in read.characters))


def _lines(read: Read) -> Iterator[list[int]]:
    """Indices of the characters of each line: the first ones whose labels make up its text."""
    at = 0
    for line in read.lines:
        first, length = at, 0
        while at < len(read.characters) and length < len(line.text):
            length += len(read.characters[at].label)
            at += 1
        yield list(range(first, at))


def in_words(text: Text) -> str:
    if text.doubtful:
        nearest = sorted(text.doubtful.values(), key=lambda one: one.confidence)[:_NAMED]
        labels = ", ".join(f"{one.label} ({percent(one.confidence)})" for one in nearest)
        share = percent(text.read.confidence)
        return _("Not sure: {share}. Please check {labels}.").format(share=share, labels=labels)
    return _("As you corrected it.") if text.by_hand else how_likely(text.read.confidence)


def headline(text: Text) -> str:
    kind = "sure" if text.sure else "unsure"
    long = " long" if any(len(line.text) >= _LONG for line in text.read.lines) or len(text.read.lines) > 1 else ""
    request = text.read.request_id if isinstance(text.read, ReadAnswer) else ""
    return (
        f'<div class="answer text {kind}{long}" data-request="{escape(request)}">'
        f'<p class="answer-label">{escape(text.read.text)}</p>'
        f'<div><p class="answer-words">{escape(in_words(text))}</p></div></div>'
    )


def boxed(address: str, size: tuple[int, int], text: Text, caption: str, kind: str) -> str:
    """The picture with a box and a label for each character over it; nothing where a browser does not show it.

    Args:
        address: of the picture.
        size: of it, upright: width and height in pixels.
        text: whose boxes are in these pixels.
        caption: what is to be seen.
        kind: a class of the figure's, "ink" for black ink on white, which the dark turns around, or "photo".
    """
    if not is_shown(address):
        return ""
    width, height = size
    marks = "".join(_mark(i, one, text, width, height) for i, one in enumerate(text.read.characters))
    return (
        f'<figure class="boxed {kind}"><div style="--ratio:{width / height:.4f}"><img src="{address}" alt=""/>'
        f'<ol aria-label="{escape(caption)}">{marks}</ol></div><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _mark(index: int, one: ReadCharacter, text: Text, width: int, height: int) -> str:
    left, top, right, bottom = one.box
    place = (
        f"left:{100 * left / width:.2f}%;top:{100 * top / height:.2f}%;"
        f"width:{100 * (right - left) / width:.2f}%;height:{100 * (bottom - top) / height:.2f}%"
    )
    if index in text.by_hand:
        kind, said = "by-hand", _("set by you")
    elif index in text.doubtful:
        kind, said = "doubtful", _("doubtful: {share}").format(share=percent(one.confidence))
    else:
        kind, said = "clear", percent(one.confidence)
    return (
        f'<li class="{kind}" style="{place}" title="{escape(said)}"><b>{escape(one.label)}</b>'
        f'<span class="unseen">{escape(said)}</span></li>'
    )
