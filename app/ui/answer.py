"""An answer as HTML. Plain elements instead of a chart library: quick, light, and a screen reader can read them."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from app.client.models import Answer, Recognized
from app.ui.alphabets import of_digits
from app.ui.texts import _, number, paragraph

_VERY_LIKELY, _LIKELY = 0.99, 0.9

_NONE_FROM = 0.3
"""What all labels but the two likeliest have together where there is no one character: of drawings by people never
seen, 1 of 1,498 has more, of 2,000 scribbles, letters, textures, pairs and halves of digits 90%."""

ALL: Final = 10
"""Labels for each of which there is room for a bar; of more only the `BEST` likeliest have one."""

BEST: Final = 6


def percent(share: float) -> str:
    """Never 100%: no network is that sure."""
    shown = min(99.9, 100 * share)
    return number(f"{shown:.1f}%" if shown >= 0.1 else "<0.1%")


def how_likely(confidence: float) -> str:
    """Of what is sure."""
    share = percent(confidence)
    if confidence >= _VERY_LIKELY:
        return _("Very likely: {share}").format(share=share)
    return (_("Likely: {share}") if confidence >= _LIKELY else _("Probably: {share}")).format(share=share)


def in_words(answer: Recognized) -> str:
    share = percent(answer.confidence)
    if answer.sure:
        return how_likely(answer.confidence)
    if not is_one_character(answer):
        nearest = (
            _("This does not look like one digit. The nearest is {label}: {share}.")
            if of_digits(answer.confidences)
            else _("This does not look like one character. The nearest is {label}: {share}.")
        )
        return nearest.format(label=answer.label, share=share)
    others = _(" or ").join(f"{one.label} ({percent(one.confidence)})" for one in answer.alternatives[:2])
    return _("Not sure: {share}. It may also be {others}.").format(share=share, others=others)


def name_and_case(answer: Recognized) -> str:
    """What there is to say of the character beside its label; empty where that says it all."""
    case = {"lower": _("lower case"), "upper": _("upper case")}.get(answer.case or "", "")
    return " · ".join(part for part in (answer.name and _(answer.name), case) if part)


def is_one_character(answer: Recognized) -> bool:
    """Whether the picture looks like one of the alphabet's characters, whichever it is."""
    return answer.sure or sum(sorted(answer.confidences.values())[:-2]) <= _NONE_FROM


def headline(answer: Recognized) -> str:
    kind = "sure" if answer.sure else "unsure" if is_one_character(answer) else "none"
    name = name_and_case(answer)
    return (
        f'<div class="answer {kind}" data-request="{escape(request_of(answer))}">'
        f'<p class="answer-label">{escape(answer.label)}</p><div>'
        + (f'<p class="answer-name">{escape(name)}</p>' if name else "")
        + f'<p class="answer-words">{escape(in_words(answer))}</p></div></div>'
    )


def request_of(answer: Recognized) -> str:
    """The id of the request that brought the answer; empty for one of a batch."""
    return answer.request_id if isinstance(answer, Answer) else ""


def chart(answer: Recognized, labels: list[str], names: Mapping[str, str] | None = None) -> str:
    """Bars for all labels, in the alphabet's order where it is known; of many, for the likeliest ones, these first."""
    shares = answer.confidences
    order = labels if set(labels) == set(shares) else sorted(shares)
    few = len(order) > ALL
    if few:
        order = list(shares)[:BEST]
    bars = "".join(
        f"<li{' class=best' if label == answer.label else ''}><b>{escape(label)}</b>"
        + (f"<em>{escape(_(names.get(label, '')))}</em>" if names else "")
        + f'<i style="--share:{100 * shares[label]:.2f}%"></i><span>{escape(percent(shares[label]))}</span></li>'
        for label in order
    )
    caption = (
        _("How likely the likeliest are, if it is one at all")
        if few
        else _("How likely each one is, if it is one at all")
    )
    kind = "chart named" if names else "chart"
    return f'<figure class="{kind}"><figcaption>{escape(caption)}</figcaption><ol>{bars}</ol></figure>'


def caution(figures: dict[str, Any], labels: list[str]) -> str:
    """What confidence is not worth, by the model's record: it is confidence among its own characters."""
    unlike = figures.get("out-of-distribution")
    flagged = unlike.get("flagged") if isinstance(unlike, dict) else None
    if not isinstance(flagged, int | float):
        return ""
    said = (
        _("Of scribbles, letters and parts of digits, {share} get a sure answer, too.")
        if of_digits(labels)
        else _("Of scribbles and other things that are no such character, {share} get a sure answer, too.")
    )
    return paragraph("note", said.format(share=f"{1 - flagged:.0%}"))


def seen(address: str | None, caption: str, alt: str, kind: str = "glyph") -> str:
    """A picture with its caption; nothing where the address is neither a PNG in itself nor one of the page's own."""
    if not is_shown(address):
        return ""
    return (
        f'<figure class="seen {kind}"><img src="{address}" alt="{escape(alt)}"/>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def is_shown(address: str | None) -> bool:
    return bool(re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+|/media/[0-9a-f]+\.[a-z]+", address or ""))


def listed(labels: list[str]) -> str:
    return " ".join(f"<b>{escape(label)}</b>" for label in labels)
