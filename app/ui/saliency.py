"""Which pixels mattered: erase a patch of the picture at a time, and see how much of the confidence goes.

Occlusion (Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901) needs nothing of the network but its answers.
"""

import base64
import io
from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw

from app.ui.client import Answer, Refusal

PATCH, STRIDE = 7, 3
"""Pixels a side, and from one patch to the next: 64 patches cover 28x28 pixels."""

_HOT = (255, 140, 0)

Ask = Callable[[list[bytes]], list[Answer | Refusal]]


def highlight(answer: Answer, ask: Ask) -> str:
    """The model's picture with what mattered in orange, as a data URL.

    Args:
        answer: with its glyph.
        ask: pictures as PNG -> answers, in order. What it raises is passed on.
    """
    glyph = _decoded(answer.glyph)
    boxes = [box for box in _patches(glyph.size) if glyph.crop(box).getextrema() != (0, 0)]
    losses = [
        answer.confidence - _confidence(one, answer.label) for one in ask([_png(_erased(glyph, b)) for b in boxes])
    ]
    return _as_data_url(_tinted(glyph, boxes, losses))


def _patches(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    width, height = size
    for top in range(0, height - PATCH + 1, STRIDE):
        for left in range(0, width - PATCH + 1, STRIDE):
            yield left, top, left + PATCH, top + PATCH


def _erased(glyph: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    copy = glyph.copy()
    copy.paste(0, box)
    return copy


def _confidence(answer: Answer | Refusal, label: str) -> float:
    """How much is left for a label; nothing when what is left is no picture."""
    if isinstance(answer, Refusal):
        return 0.0
    shares = {answer.label: answer.confidence} | {one.label: one.confidence for one in answer.alternatives}
    return shares.get(label, 0.0)


def _tinted(glyph: Image.Image, boxes: list[tuple[int, int, int, int]], losses: list[float]) -> Image.Image:
    """Mix orange into the ink by the mean loss of the patches over a pixel, the strongest being all orange."""
    total = {(x, y): [0.0, 0] for x in range(glyph.width) for y in range(glyph.height)}
    for (left, top, right, bottom), loss in zip(boxes, losses, strict=True):
        for x in range(left, right):
            for y in range(top, bottom):
                total[x, y][0] += max(0.0, loss)
                total[x, y][1] += 1
    means = {place: loss / count if count else 0.0 for place, (loss, count) in total.items()}
    most = max(means.values()) or 1.0
    picture = Image.new("RGB", glyph.size)
    draw = ImageDraw.Draw(picture)
    for place, mean in means.items():
        ink = glyph.getpixel(place)
        assert isinstance(ink, int)
        heat = mean / most
        colour = tuple(
            round(ink * (1 - heat + heat * channel / 255) + 0.25 * heat * channel * (1 - ink / 255)) for channel in _HOT
        )
        draw.point(place, colour)
    return picture


def _decoded(data_url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data_url.partition(",")[2])), formats=["PNG"]).convert("L")


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _as_data_url(picture: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(picture)).decode()
