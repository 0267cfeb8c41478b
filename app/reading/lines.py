"""From ink to lines of characters: what may be one, and how these follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading import ctc, cuts, glyphs, rows
from app.reading.glyphs import EXTENT, SIDE
from app.reading.ink import Ink
from app.reading.picture import Box, Picture, ReadingError
from app.reading.rows import FIELD, HEIGHT, Floats, Integers, Row, TooMuchWriting

CHANNELS: Final = 3
"""A candidate's glyph; then, at the line's scale, its own ink and that of all others around it."""

_MOST_PARTS = 8
_WIDEST = 1.7 * HEIGHT
"""A character consists of at most so many parts, and is no wider."""

MOST_CANDIDATES: Final = 800
"""Of a picture; a line of twelve digits has a hundred."""

_REDUCED = FIELD // SIDE
"""Pixels of a row for one of what is shown of its surroundings."""


class EmptyBox(ReadingError):
    """Nothing is drawn where somebody has said that a character is."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is nothing in box {number}. Please draw it around a character, or leave it out.")


@dataclass(frozen=True, slots=True)
class Page:
    """All that may be a character of a picture: candidates, which overlap.

    `views`: (candidates, `CHANNELS`, 28, 28) float32, what networks are shown of each; `spans`: (candidates, 3), its
    line, the first of the line's parts that it consists of, and the one after its last; `boxes`: (candidates, 4) float,
    left, top, right and bottom limit in pixels of the picture as sent, upright.
    """

    views: Floats
    spans: Integers
    boxes: npt.NDArray[np.float64]
    torn: Integers
    """(candidates,): of how many connected pieces of ink each has a part alone."""
    strips: tuple[Floats, ...] = ()
    """Of each line, (32, columns): what a network is shown of all of it; none where the characters are given."""
    given: bool = False
    """Whether somebody has said where the characters are: each candidate is one."""


def find(picture: Picture, ink: Ink) -> Page | None:
    """The candidates of all ink of a picture; None where nothing is drawn. Raises TooMuchWriting."""
    found = [(row, parts, parts.spans()) for row in rows.find(ink) if len((parts := Parts.of(row.ink)).left)]
    if not found:
        return None
    if sum(len(spans) for _, _, spans in found) > MOST_CANDIDATES:
        raise TooMuchWriting
    pages = [_candidates(picture, ink, *one, line) for line, one in enumerate(found)]
    return Page(
        np.concatenate([page.views for page in pages]),
        np.concatenate([page.spans for page in pages]),
        np.concatenate([page.boxes for page in pages]),
        np.concatenate([page.torn for page in pages]),
        tuple(ctc.strip_of(row) for row, _, _ in found),
    )


def inside(picture: Picture, ink: Ink, boxes: Sequence[Box]) -> Page:
    """The one character in each of several boxes, in pixels of the picture as sent. Raises EmptyBox.

    A box begins a new line where it lies lower than the middle of the one before, and not to the right of it.
    """
    across, down = (kept / sent for sent, kept in zip(picture.size, picture.image.size, strict=True))
    height, width = ink.density.shape
    limits = np.array(boxes) * (across, down, across, down) - (ink.left, ink.top, ink.left, ink.top)
    limits = limits.clip(0, (width, height, width, height))
    scale = max(float(np.median(limits[:, 3] - limits[:, 1])), 1.0) / HEIGHT
    views = []
    for number, limit in enumerate(limits, 1):
        view = _view_of(ink, limit, scale)
        if view is None:
            raise EmptyBox(number)
        views.append(view)
    middle = (limits[:, 1] + limits[:, 3]) / 2
    begins = (limits[1:, 1] > middle[:-1]) & (limits[1:, 0] < limits[:-1, 2])
    line = np.concatenate(([0], begins.cumsum()))
    places = np.arange(len(boxes)) - np.searchsorted(line, line)
    spans = np.stack((line, places, places + 1), axis=1)
    return Page(np.stack(views), spans, np.array(boxes, np.float64), 0 * line, given=True)


def _view_of(ink: Ink, box: Floats, scale: float) -> Floats | None:
    """What networks are shown of a character in a box, in pixels of the ink; `scale`: such pixels for one of a row."""
    left, top, right, bottom = (round(float(limit)) for limit in box)
    alone = np.zeros_like(ink.density)
    alone[top:bottom, left:right] = ink.density[top:bottom, left:right]
    drawn = glyphs.cropped(Ink(alone))
    if drawn is None:
        return None
    reach = FIELD * scale / 2
    field = (scale, 0, (box[0] + box[2]) / 2 - reach, 0, scale, (box[1] + box[3]) / 2 - reach)
    every, own = (
        np.asarray(
            Image.fromarray(seen).transform((FIELD, FIELD), Image.Transform.AFFINE, field, Image.Resampling.BILINEAR)
        )
        .reshape(SIDE, _REDUCED, SIDE, _REDUCED)
        .mean(axis=(1, 3))
        for seen in (ink.density, alone)
    )
    return np.stack((glyphs.scaled(drawn.density, EXTENT / max(drawn.density.shape)), own, every - own))


def _candidates(
    picture: Picture, ink: Ink, row: Row, parts: "Parts", spans: Sequence[tuple[int, int]], line: int
) -> Page:
    boxes = [rows.as_sent(picture, ink, row.box(*parts.box(first, after))) for first, after in spans]
    places = np.array(spans, np.int64)
    return Page(
        parts.views(spans),
        np.column_stack((np.full(len(spans), line), places)),
        np.array(boxes, np.float64),
        parts.torn(places),
    )


@dataclass(frozen=True)
class Parts:
    """A row's ink, (`FIELD`, width), its parts in order, each pixel's part in `of_pixel`, from 1, and their limits; the
    connected piece that each is of in `of_piece`.
    """

    ink: Floats
    of_pixel: Integers
    of_piece: Integers
    left: list[int]
    top: list[int]
    right: list[int]
    bottom: list[int]
    small: Floats
    """(parts, 28, width / 3): the ink of each, at the scale in which surroundings are shown."""
    everything: Floats
    """(28, width / 3): that of all."""

    @classmethod
    def of(cls, ink: Floats) -> "Parts":
        of_pixel, of_piece = cuts.parts(ink)
        count = int(of_pixel.max())
        y, x = np.nonzero(of_pixel)
        part = of_pixel[y, x] - 1
        left, top = np.full(count, ink.shape[1]), np.full(count, ink.shape[0])
        right, bottom = np.zeros(count, np.int64), np.zeros(count, np.int64)
        np.minimum.at(left, part, x)
        np.minimum.at(top, part, y)
        np.maximum.at(right, part, x + 1)
        np.maximum.at(bottom, part, y + 1)
        height, width = (side // _REDUCED for side in ink.shape)
        small = np.zeros(count * height * width, np.float32)
        place = (part * height + y // _REDUCED) * width + x // _REDUCED
        small += np.bincount(place, ink[y, x], len(small)).astype(np.float32) / _REDUCED**2
        of_parts = small.reshape(count, height, width)
        return cls(
            ink,
            of_pixel,
            of_piece,
            left.tolist(),
            top.tolist(),
            right.tolist(),
            bottom.tolist(),
            of_parts,
            of_parts.sum(axis=0),
        )

    def spans(self) -> list[tuple[int, int]]:
        """The first part of each candidate and the one after its last."""
        return [
            (first, after)
            for first in range(len(self.left))
            for after in range(first + 1, min(first + _MOST_PARTS, len(self.left)) + 1)
            if after == first + 1 or self._width(first, after) <= _WIDEST
        ]

    def _width(self, first: int, after: int) -> int:
        return max(self.right[first:after]) - min(self.left[first:after])

    def torn(self, spans: Integers) -> Integers:
        """Of how many pieces each candidate, (candidates, 2), has some parts, and not all."""
        each = np.zeros((len(self.left) + 1, int(self.of_piece.max()) + 1), np.int64)
        each[np.arange(1, len(self.left) + 1), self.of_piece] = 1
        before = each.cumsum(axis=0)
        inside = before[spans[:, 1]] - before[spans[:, 0]]
        torn: Integers = ((inside > 0) & (inside < before[-1])).sum(axis=1)
        return torn

    def box(self, first: int, after: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom limit of a candidate, in pixels of the row."""
        return (
            min(self.left[first:after]),
            min(self.top[first:after]),
            max(self.right[first:after]),
            max(self.bottom[first:after]),
        )

    def views(self, spans: Sequence[tuple[int, int]]) -> Floats:
        """(candidates, `CHANNELS`, 28, 28): what networks are shown of each candidate."""
        views = np.empty((len(spans), CHANNELS, SIDE, SIDE), np.float32)
        for (glyph, own, others), (first, after) in zip(views, spans, strict=True):
            left, top, right, bottom = self.box(first, after)
            window = slice(top, bottom), slice(left, right)
            part = self.of_pixel[window]
            ink = np.where((part > first) & (part <= after), self.ink[window], np.float32(0))
            glyph[:] = glyphs.scaled(ink, EXTENT / max(ink.shape))
            start = round((left + right) / 2 / _REDUCED) - SIDE // 2
            start = min(max(start, 0), self.small.shape[2] - SIDE)
            around = slice(start, start + SIDE)
            self.small[first:after, :, around].sum(axis=0, out=own)
            np.subtract(self.everything[:, around], own, out=others)
        return views
