"""An answer as HTML. Plain elements instead of a chart library: quick, light, and a screen reader can read them."""

import re
from html import escape
from typing import Any

from app.client.models import Answer, Recognized

_VERY_LIKELY, _LIKELY = 0.99, 0.9

_NONE_FROM = 0.3
"""What all labels but the two likeliest have together where there is no one character: of drawings by people never
seen, 3 of 1,498 have more, of 1,500 scribbles, letters, textures, pairs and halves of digits 90%."""


def percent(share: float) -> str:
    """Never 100%: no network is that sure."""
    shown = min(99.9, 100 * share)
    return f"{shown:.1f}%" if shown >= 0.1 else "<0.1%"


def in_words(answer: Recognized) -> str:
    if answer.sure:
        how = "Very likely" if answer.confidence >= _VERY_LIKELY else "Likely"
        return f"{how if answer.confidence >= _LIKELY else 'Probably'}: {percent(answer.confidence)}"
    others = " or ".join(f"{one.label} ({percent(one.confidence)})" for one in answer.alternatives[:2])
    if not is_one_character(answer):
        kind = "digit" if answer.label.isdigit() else "character"
        return f"This does not look like one {kind}. The nearest is {answer.label}: {percent(answer.confidence)}."
    return f"Not sure: {percent(answer.confidence)}. It may also be {others}."


def is_one_character(answer: Recognized) -> bool:
    """Whether the picture looks like one of the alphabet's characters, whichever it is."""
    return answer.sure or sum(sorted(answer.confidences.values())[:-2]) <= _NONE_FROM


def headline(answer: Recognized) -> str:
    kind = "sure" if answer.sure else "unsure" if is_one_character(answer) else "none"
    return (
        f'<div class="answer {kind}" data-request="{escape(request_of(answer))}">'
        f'<p class="answer-label">{escape(answer.label)}</p>'
        f'<p class="answer-words">{escape(in_words(answer))}</p></div>'
    )


def request_of(answer: Recognized) -> str:
    """The id of the request that brought the answer; empty for one of a batch."""
    return answer.request_id if isinstance(answer, Answer) else ""


def chart(answer: Recognized, labels: list[str]) -> str:
    """Bars for all labels, in the alphabet's order where it is known."""
    shares = answer.confidences
    order = labels if set(labels) == set(shares) else sorted(shares)
    bars = "".join(
        f"<li{' class=best' if label == answer.label else ''}><b>{escape(label)}</b>"
        f'<i style="--share:{100 * shares[label]:.2f}%"></i><span>{escape(percent(shares[label]))}</span></li>'
        for label in order
    )
    caption = "<figcaption>How likely each one is, if it is one at all</figcaption>"
    return f'<figure class="chart">{caption}<ol>{bars}</ol></figure>'


def caution(figures: dict[str, Any]) -> str:
    """What confidence is not worth, by the model's record: it is confidence among its own characters."""
    unlike = figures.get("out-of-distribution")
    flagged = unlike.get("flagged") if isinstance(unlike, dict) else None
    if not isinstance(flagged, int | float):
        return ""
    return f'<p class="note">Of scribbles, letters and parts of digits, {1 - flagged:.0%} get a sure answer, too.</p>'


def seen(address: str | None, caption: str, alt: str, kind: str = "glyph") -> str:
    """A picture with its caption; nothing where the address is neither a PNG in itself nor one of the page's own."""
    if not re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+|/media/[0-9a-f]+\.[a-z]+", address or ""):
        return ""
    return (
        f'<figure class="seen {kind}"><img src="{address}" alt="{escape(alt)}"/>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def listed(labels: list[str]) -> str:
    return " ".join(f"<b>{escape(label)}</b>" for label in labels)
