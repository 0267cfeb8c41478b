"""An answer as HTML. Plain elements instead of a chart library: quick, light, and a screen reader can read them."""

import re
from html import escape

from app.client.models import Answer, Recognized

_CERTAIN, _FAIRLY_SURE = 0.99, 0.9


def percent(share: float) -> str:
    """Never 100%: no network is that sure."""
    shown = min(99.9, 100 * share)
    return f"{shown:.1f}%" if shown >= 0.1 else "<0.1%"


def in_words(answer: Recognized) -> str:
    if answer.sure:
        how = "Certain" if answer.confidence >= _CERTAIN else "Fairly sure"
        return f"{how if answer.confidence >= _FAIRLY_SURE else 'Probably'}: {percent(answer.confidence)}"
    others = [f"{one.label} ({percent(one.confidence)})" for one in answer.alternatives[:2]]
    return f"Not sure: {percent(answer.confidence)}. It may also be {' or '.join(others)}."


def headline(answer: Recognized) -> str:
    return (
        f'<div class="answer {"sure" if answer.sure else "unsure"}" data-request="{escape(request_of(answer))}">'
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
    return f'<figure class="chart"><figcaption>How likely each one is</figcaption><ol>{bars}</ol></figure>'


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
