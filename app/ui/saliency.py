"""Which pixels mattered: erase a patch of the picture at a time, and see how much of the confidence goes.

Occlusion (Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901) needs nothing of the network but its answers.
"""

import base64
import io
from collections.abc import Callable, Iterator

from PIL import Image, ImageChops

from app.client.models import Failed, Recognized

PATCH, STRIDE = 7, 3
"""Pixels a side, and from one patch to the next: 64 patches cover 28x28 pixels."""

_HOT = (255, 140, 0)

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

Ask = Callable[[list[bytes]], list[Recognized | Failed]]


def highlight(answer: Recognized, ask: Ask) -> str:
    """The model's picture with what mattered in orange, as a data URL.

    Args:
        answer: with its glyph.
        ask: pictures as PNG -> answers, in order. What it raises is passed on.
    """
    glyph = _decoded(answer.glyph or "")
    boxes = [box for box in _patches(glyph.size) if glyph.crop(box).getextrema() != (0, 0)]
    losses = [
        answer.confidence - _confidence(one, answer.label) for one in ask([_png(_erased(glyph, b)) for b in boxes])
    ]
    return _as_data_url(_tinted(glyph, boxes, losses))


def _patches(size: tuple[int, int]) -> Iterator[Box]:
    width, height = size
    for top in range(0, height - PATCH + 1, STRIDE):
        for left in range(0, width - PATCH + 1, STRIDE):
            yield left, top, left + PATCH, top + PATCH


def _erased(glyph: Image.Image, box: Box) -> Image.Image:
    copy = glyph.copy()
    copy.paste(0, box)
    return copy


def _confidence(answer: Recognized | Failed, label: str) -> float:
    """How much is left for a label; nothing when what is left is no picture."""
    return 0.0 if isinstance(answer, Failed) else answer.confidences.get(label, 0.0)


def _tinted(glyph: Image.Image, boxes: list[Box], losses: list[float]) -> Image.Image:
    """The ink, the more orange the higher the mean loss of the patches over a pixel, white where there is none."""
    heat = [
        _mean([max(0.0, loss) for box, loss in zip(boxes, losses, strict=True) if _is_in(x, y, box)])
        for y in range(glyph.height)
        for x in range(glyph.width)
    ]
    most = max(heat) or 1.0
    mask = Image.new("L", glyph.size)
    mask.putdata([round(255 * one / most) for one in heat])
    colours = Image.composite(Image.new("RGB", glyph.size, _HOT), Image.new("RGB", glyph.size, "white"), mask)
    return ImageChops.multiply(glyph.convert("RGB"), colours)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _is_in(x: int, y: int, box: Box) -> bool:
    left, top, right, bottom = box
    return left <= x < right and top <= y < bottom


def _decoded(data_url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data_url.partition(",")[2])), formats=["PNG"]).convert("L")


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _as_data_url(picture: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(_png(picture)).decode()
