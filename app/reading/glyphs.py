"""From ink to a glyph: the one picture format that networks are trained on and asked about.

The protocol is MNIST's own (LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/): the ink is cropped, scaled to
fit a 20x20 box with its aspect ratio kept, and placed in a 28x28 field with its centre of mass in the middle.
Training sets, evaluation and requests all go through here, so that a test figure holds for a drawing too.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict

from app.reading import components, middle, neighbours
from app.reading.components import Mask, Pieces
from app.reading.ink import Density, Ink
from app.reading.picture import Box, Picture

Pixels = npt.NDArray[np.float32]
"""(28, 28) in [0, 1], 1 where the pen was."""

SIDE: Final = 28
EXTENT: Final = 20
"""Pixels of a glyph, and of the longer side of the ink in it."""

_INK = 0.1
"""Where ink counts as drawn when its extent is measured."""


_FAINT = 0.25
"""What is left inside a photograph's frame is ink if some of it is darker than this; the frame is 1."""


class Cleaning(BaseModel):
    """What of the ink is dirt. Part of a model's record: in another alphabet, a speck may be a dot on an i."""

    model_config = ConfigDict(frozen=True)

    speck: float = 0.03
    """A connected piece smaller than this share of the largest is dirt."""
    dot_share: float = 0.02
    dot_pixels: float = 2
    """Ink no larger than this, both ways, is a stray dot: a share of the ink's longer side, or pixels."""
    cut_off: bool = True
    """Whether a line along the picture's edge is a frame's, and what stands beside another character: not so in an
    alphabet whose strokes stand apart."""


DEFAULT_CLEANING: Final = Cleaning()


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character, cropped, scaled and centred.

    `pixels`: (28, 28) float32 in [0, 1]; `box`: left, top, right and bottom limit of its ink, in pixels of the picture
    as sent, upright; `scale`: pixels of the glyph for one pixel of that picture, so that its size is not lost;
    `others`: likewise pixels, of each whole piece where several stand side by side, which may be characters themselves;
    `crop`: (32, 32), all ink of a photograph or scan at whose edge there is some, so that it may have been cut out of
    something; None of others.
    """

    pixels: Pixels
    box: Box
    scale: float
    others: tuple[Pixels, ...] = ()
    crop: Pixels | None = None


def find(picture: Picture, ink: Ink, cleaning: Cleaning = DEFAULT_CLEANING) -> Glyph | None:
    """The glyph of all ink of a picture; None where nothing is left without specks, or only a stray dot."""
    dot = max(cleaning.dot_pixels, cleaning.dot_share * max(ink.density.shape))
    character, others, cut = _apart(ink, cleaning)
    drawn = character and cropped(character)
    if drawn is None or max(drawn.density.shape) - 1 < dot:
        return None
    height, width = drawn.density.shape
    box = picture.box_as_sent(drawn.left, drawn.top, width, height)
    scale = EXTENT / max(width, height)
    crop = middle.field(ink.density) if cut else None
    return Glyph(scaled(drawn.density, scale), box, scale / picture.shrunk, tuple(map(_of_part, others)), crop)


def cleaned(ink: Ink, cleaning: Cleaning = DEFAULT_CLEANING) -> Ink | None:
    """The ink that a glyph is made of; None where nothing is left."""
    return _apart(ink, cleaning)[0]


def _of_part(ink: Ink) -> Pixels:
    drawn = cropped(ink) or ink
    return scaled(drawn.density, EXTENT / max(drawn.density.shape))


def scaled(ink: Density, scale: float) -> Pixels:
    """Ink that fits a glyph once it is scaled so: scaled and centred."""
    height, width = ink.shape
    if scale != 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BILINEAR))
    return _centred(ink / ink.max())  # thin strokes fade when they shrink; the darkest is ink again


def cropped(ink: Ink, grid: int = 1) -> Ink | None:
    """The part where something is drawn, a view; its upper left corner on a grid's lines. None where nothing is."""
    drawn = ink.density > _INK
    rows = np.flatnonzero(drawn.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(drawn[rows[0] : rows[-1] + 1].any(axis=0))
    top, left = int(rows[0]) // grid * grid, int(columns[0]) // grid * grid
    density = ink.density[top : rows[-1] + 1, left : columns[-1] + 1]
    return Ink(density, ink.left + left, ink.top + top, ink.flat)


def _apart(ink: Ink, cleaning: Cleaning) -> tuple[Ink | None, list[Ink], bool]:
    """The ink without dirt and without what was cut off with the character; the whole characters, if several; whether
    some of it is at the edge of a photograph or scan.
    """
    block = components.block_of(ink.density.shape)
    drawn = cropped(ink, grid=block)
    if drawn is None:
        return None, [], False
    at_edge = cleaning.cut_off and _touches_edge(drawn, ink)
    if at_edge:
        drawn = _without(ink, block, neighbours.frame(_pieces(ink, block), ink.flat))
        if drawn.density.max() <= (_INK if ink.flat else _FAINT):
            return None, [], False
    cut = at_edge and not ink.flat
    pieces = _pieces(drawn, block)
    areas = pieces.areas()
    if not ink.flat and neighbours.is_dust(areas):
        return None, [], False
    if len(areas) == 1:
        return drawn, [], cut
    layout = neighbours.Layout(pieces)
    away = np.zeros(len(areas), np.bool_)
    if at_edge:
        away |= neighbours.beside(layout)
    if cleaning.cut_off:
        away |= neighbours.stops(layout)
    specks = areas < cleaning.speck * areas[~away].max()
    characters = neighbours.characters(layout, at_edge) if cleaning.cut_off else []
    return (
        _without(drawn, block, pieces.where(away | specks)),
        [_without(drawn, block, pieces.where(~one)) for one in characters],
        cut,
    )


def _pieces(ink: Ink, block: int) -> Pieces:
    return components.find(components.any_in_blocks(ink.density > _INK, block))


def _touches_edge(drawn: Ink, whole: Ink) -> bool:
    """Whether ink is drawn at the edge of the whole or nearly there."""
    height, width = whole.density.shape
    near = 0.03 * max(height, width)
    left, top = drawn.left - whole.left, drawn.top - whole.top
    right, bottom = width - left - drawn.density.shape[1], height - top - drawn.density.shape[0]
    return bool(min(left, top, right, bottom) <= near)


def _without(ink: Ink, block: int, blocks: Mask) -> Ink:
    """The ink without some of its blocks."""
    if not blocks.any():
        return ink
    away = components.of_blocks(blocks, block, ink.density.shape)
    return Ink(np.where(away, np.float32(0), ink.density), ink.left, ink.top, ink.flat)


def _centred(scaled: Density) -> Pixels:
    """Place a picture of at most 20x20 so that its centre of mass lies in the pixel right and below the middle.

    That is where it lies in every MNIST picture, which this therefore leaves as it is.
    """
    height, width = scaled.shape
    mass = scaled.sum()
    row = float(scaled.sum(axis=1) @ np.arange(height)) / mass + 0.5
    column = float(scaled.sum(axis=0) @ np.arange(width)) / mass + 0.5
    top = min(max(0, math.ceil(SIDE / 2 - row)), SIDE - height)
    left = min(max(0, math.ceil(SIDE / 2 - column)), SIDE - width)
    glyph = np.zeros((SIDE, SIDE), np.float32)
    glyph[top : top + height, left : left + width] = scaled
    return glyph
