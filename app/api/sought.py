"""What is sought on a picture: found where the picture is decoded, in this process or in the one beside it.

Both know these: `told` is what is sought and `packed` what was found, in JSON and bytes, for the way between them.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from app.reading import middle
from app.reading.glyphs import DEFAULT_CLEANING, SIDE, Cleaning, Glyph
from app.reading.lines import Page
from app.reading.picture import Box, Picture
from app.reading.pipeline import glyph_of, page_of

Told = dict[str, Any]

Found = TypeVar("Found")


class Sought(Protocol[Found]):
    cheap: ClassVar[bool]
    """Whether it is found in little time, whatever is on a small picture."""

    def on(self, seen: Picture) -> Found:
        """What is sought. Raises BlankImage, in the words for digits."""

    def told(self) -> Told:
        """For `sought_of`."""

    def packed(self, found: Found) -> tuple[Told, bytes]:
        """For `unpacked`."""

    def unpacked(self, told: Told, rest: bytes) -> Found:
        """Raises ValueError, KeyError and TypeError where that makes no sense."""


@dataclass(frozen=True, slots=True)
class OneGlyph:
    cheap: ClassVar[bool] = True

    cleaning: Cleaning = DEFAULT_CLEANING

    def on(self, seen: Picture) -> Glyph:
        return glyph_of(seen, self.cleaning)

    def told(self) -> Told:
        return {"cleaning": self.cleaning.model_dump()}

    def packed(self, found: Glyph) -> tuple[Told, bytes]:
        told = {"box": found.box, "scale": found.scale, "others": len(found.others)}
        crop = b"" if found.crop is None else found.crop.tobytes()
        return told, np.stack((found.pixels, *found.others)).tobytes() + crop

    def unpacked(self, told: Told, rest: bytes) -> Glyph:
        left, top, right, bottom = told["box"]
        floats, count = np.frombuffer(rest, np.float32), 1 + told["others"]
        pixels, *others = floats[: count * SIDE * SIDE].reshape(count, SIDE, SIDE)
        crop = floats[count * SIDE * SIDE :]
        of_crop = crop.reshape(middle.SIDE, middle.SIDE) if crop.size else None
        return Glyph(pixels, (left, top, right, bottom), told["scale"], tuple(others), of_crop)


@dataclass(frozen=True, slots=True)
class WholePage:
    """All that may be a character; of boxes, where there are any, the one in each."""

    cheap: ClassVar[bool] = False

    boxes: tuple[Box, ...] = ()

    def on(self, seen: Picture) -> Page:
        return page_of(seen, self.boxes)

    def told(self) -> Told:
        return {"boxes": self.boxes}

    def packed(self, found: Page) -> tuple[Told, bytes]:
        views = np.ascontiguousarray(found.views, np.float32)
        spans, boxes = np.ascontiguousarray(found.spans, np.int64), np.ascontiguousarray(found.boxes, np.float64)
        torn = np.ascontiguousarray(found.torn, np.int64)
        strips = [np.ascontiguousarray(strip, np.float32) for strip in found.strips]
        told = {"views": views.shape[:2], "strips": [strip.shape for strip in strips]}
        return told, b"".join([views.data, spans.data, boxes.data, torn.data, *(strip.data for strip in strips)])

    def unpacked(self, told: Told, rest: bytes) -> Page:
        candidates, channels = told["views"]
        place = 0

        def following(kind: type[np.generic], *shape: int) -> Any:
            nonlocal place
            part = np.frombuffer(rest, kind, math.prod(shape), place).reshape(shape)
            place += part.nbytes
            return part

        return Page(
            following(np.float32, candidates, channels, SIDE, SIDE),
            following(np.int64, candidates, 3),
            following(np.float64, candidates, 4),
            following(np.int64, candidates),
            tuple(following(np.float32, height, width) for height, width in told["strips"]),
            given=bool(self.boxes),
        )


def sought_of(told: Told) -> OneGlyph | WholePage:
    """What is told there."""
    if "cleaning" in told:
        return OneGlyph(Cleaning(**told["cleaning"]))
    return WholePage(tuple((left, top, right, bottom) for left, top, right, bottom in told["boxes"]))
