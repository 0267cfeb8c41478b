"""Which pieces of ink are the character, and which were cut off with it: a cell's frame, a neighbour, a rule.

Only what touches the picture's edge is ever taken away, and only where something else is more in the middle: a digit
may touch the edge itself. In brackets beside a threshold: what else was tried, and what was lost by it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.reading.components import Integers, Pieces

Mask = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

_BAND = 0.2
"""A piece is at an edge where its ink lies in this outer share of the picture."""

_IN_BAND = 0.85
"""A frame's remains have at least this share of their ink in the outer band."""

_RULE = 0.12
"""A rule is no thicker than this share of the picture, across its direction."""

_SPANNING = 0.75
"""A rule crosses at least this share of the picture."""

_LEAST = 0.15
"""What is left is the character only if one piece of it has at least this height, as a share of the picture's."""

_BESIDE = 0.5
"""A neighbour shares at most this much of its width with the character."""


@dataclass(frozen=True)
class Extents:
    """Of each piece, in blocks: limits of its box, the lower ones included, the upper ones not."""

    left: Integers
    top: Integers
    right: Integers
    bottom: Integers

    @classmethod
    def of(cls, pieces: Pieces) -> "Extents":
        count = int(pieces.piece.max()) + 1
        row, column = np.divmod(pieces.starts, pieces.width + 1)
        end = pieces.ends - row * (pieces.width + 1)
        far = np.iinfo(np.int64).max
        left, top, right, bottom = np.full(count, far), np.full(count, far), np.zeros(count, int), np.zeros(count, int)
        np.minimum.at(left, pieces.piece, column)
        np.minimum.at(top, pieces.piece, row)
        np.maximum.at(right, pieces.piece, end)
        np.maximum.at(bottom, pieces.piece, row + 1)
        return cls(left, top, right, bottom)


def cut_off(pieces: Pieces) -> Mask:
    """Of each piece of a whole picture's ink, whether it is none of the character's; never all of them."""
    box = Extents.of(pieces)
    height, width = pieces.height, pieces.width
    margin = max(1, round(0.02 * max(height, width)))
    at_sides = (box.left <= margin) | (box.right >= width - margin)
    at_ends = (box.top <= margin) | (box.bottom >= height - margin)
    touching = at_sides | at_ends
    if not touching.any():
        return touching
    areas = pieces.areas()
    across, down = box.right - box.left, box.bottom - box.top
    outer = _outer_share(pieces, areas)
    rule = ((down >= _SPANNING * height) & (across <= _RULE * width)) | (
        (across >= _SPANNING * width) & (down <= _RULE * height)
    )
    frame = touching & (rule | (outer >= _IN_BAND))
    middle_x, middle_y = (box.left + box.right) / (2 * width), (box.top + box.bottom) / (2 * height)
    central = 1 - np.maximum(np.abs(2 * middle_x - 1), 0.5 * np.abs(2 * middle_y - 1))
    weight = np.where(frame, 0, np.sqrt(across * down) * central)
    main = int(weight.argmax())
    if weight[main] == 0 or down[main] < _LEAST * height:
        return np.zeros_like(touching)
    shared = np.minimum(box.right, box.right[main]) - np.maximum(box.left, box.left[main])
    beside = at_sides & (shared < _BESIDE * across) & (np.abs(2 * middle_x - 1) > np.abs(2 * middle_x[main] - 1))
    whole = (box.left[main] > margin) & (box.right[main] < width - margin)
    dropped: Mask = frame | (beside & whole)
    dropped[main] = False
    return dropped


def _outer_share(pieces: Pieces, areas: Integers) -> Doubles:
    """How much of each piece lies in the picture's outer band."""
    row, column = np.divmod(pieces.starts, pieces.width + 1)
    end = pieces.ends - row * (pieces.width + 1)
    low, high = _BAND * pieces.width, (1 - _BAND) * pieces.width
    inner = np.clip(np.minimum(end, high) - np.maximum(column, low), 0, None)
    inner[(row < _BAND * pieces.height) | (row >= (1 - _BAND) * pieces.height)] = 0
    return 1 - np.bincount(pieces.piece, inner, len(areas)) / areas
