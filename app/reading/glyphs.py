"""From ink to a glyph: the one picture format that networks are trained on and asked about.

The protocol is MNIST's own (LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/): the ink is cropped, scaled to
fit a 20x20 box with its aspect ratio kept, and placed in a 28x28 field with its centre of mass in the middle.
Training sets, evaluation and requests all go through here, so that a test figure holds for a drawing too.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading import components
from app.reading.ink import BlankImage, Ink

Glyph = npt.NDArray[np.float32]

SIDE: Final = 28
BOX: Final = 20

_INK = 0.1
"""Where ink counts as drawn when its extent is measured."""

_SPECK = 0.03
"""A connected piece smaller than this share of the largest is dirt."""

_DOT_SHARE, _DOT_PIXELS = 0.02, 2
"""Ink no larger than this, both ways, is a stray dot: a share of the picture's longer side, or pixels."""


def to_glyph(ink: Ink) -> Glyph:
    """Crop, scale and centre ink.

    Args:
        ink: (height, width) in [0, 1], 1 where the pen was.

    Returns:
        (28, 28) float32 in [0, 1].

    Raises:
        BlankImage: nothing is left once specks are taken away, or only a stray dot.
    """
    dot = max(_DOT_PIXELS, _DOT_SHARE * max(ink.shape))
    ink = _cropped(_without_specks(ink))
    if max(ink.shape) - 1 < dot:
        raise BlankImage
    crop = Image.fromarray(ink)
    scale = BOX / max(crop.size)
    if scale != 1:
        size = (max(1, round(crop.width * scale)), max(1, round(crop.height * scale)))
        crop = crop.resize(size, Image.Resampling.BILINEAR)
    scaled = np.asarray(crop)
    return _centred(scaled / scaled.max())  # thin strokes fade when they shrink; the darkest is ink again


def _cropped(ink: Ink, grid: int = 1) -> Ink:
    """The part where something is drawn, a view; its upper left corner on the lines of a grid.

    Raises BlankImage where nothing is.
    """
    drawn = ink > _INK
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not rows.size:
        raise BlankImage
    top, left = rows[0] // grid * grid, columns[0] // grid * grid
    return ink[top : rows[-1] + 1, left : columns[-1] + 1]


def _without_specks(ink: Ink) -> Ink:
    """The drawn part of the ink without pieces that are dirt."""
    block = components.block_of(ink.shape)
    ink = _cropped(ink, grid=block)
    pieces = components.find(components.any_in_blocks(ink > _INK, block))
    areas = pieces.areas()
    specks = areas < _SPECK * areas.max()
    if not specks.any():
        return ink
    dirt = components.of_blocks(pieces.painted(specks.view(np.int8)) > 0, block, ink.shape)
    return np.where(dirt, np.float32(0), ink)


def _centred(scaled: Glyph) -> Glyph:
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
