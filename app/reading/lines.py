"""From ink to lines of characters: what may be one, and how these follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.reading import components, glyphs
from app.reading.ink import Ink
from app.reading.picture import Box, Picture

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Page:
    """All that may be a character of a picture: candidates, which overlap.

    `views`: (candidates, channels, 28, 28) float32, what networks are shown of each; `spans`: (candidates, 3), its
    line, the first of the line's parts that it consists of, and the one after its last; `boxes`: (candidates, 4) float,
    left, top, right and bottom limit in pixels of the picture as sent, upright.
    """

    views: Floats
    spans: Integers
    boxes: npt.NDArray[np.float64]


def find(picture: Picture, ink: Ink) -> Page | None:
    """The candidates of all ink of a picture; None where nothing is drawn."""
    pieces = components.find(ink.density > 0.1)
    areas = pieces.areas()
    if not areas.size:
        return None
    found = []
    for piece in np.flatnonzero(areas > 0.03 * areas.max()):
        only = Ink(
            np.where(pieces.where(np.arange(len(areas)) == piece), ink.density, np.float32(0)), ink.left, ink.top
        )
        glyph = glyphs.find(picture, only)
        if glyph:
            found.append(glyph)
    if not found:
        return None
    found.sort(key=lambda glyph: glyph.box[0])
    places = np.arange(len(found))
    views = np.zeros((len(found), 3, glyphs.SIDE, glyphs.SIDE), np.float32)
    views[:, 0] = [glyph.pixels for glyph in found]
    return Page(views, np.stack((0 * places, places, places + 1), 1), np.array([glyph.box for glyph in found]))


def inside(picture: Picture, ink: Ink, boxes: Sequence[Box]) -> Page | None:
    """The one character in each of several boxes, in pixels of the picture as sent; None where all are empty."""
    raise NotImplementedError
