"""Which pieces of ink are the character, and which were cut off with it: a cell's frame, a neighbour, a rule.

Only what touches the picture's edge is ever taken away: the lines of a frame, which reach from one side of the picture
to the other, and what stands beside something else that is whole and more in the middle: a character may touch the
edge itself. In brackets beside a threshold: what else was tried, and what was lost by it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.reading.components import Integers, Mask, Pieces

Doubles = npt.NDArray[np.float64]

_BAND = 0.2
"""A frame's line lies in this outer share of the picture."""

_SLANT = 0.04
"""How far a frame's line may swerve, thin as it is, as a share of the picture."""

_COVERED = 0.7
"""A frame's line has ink along at least this share of the picture; and within half of the rest of both its ends."""

_THICKEST = 0.13
"""A frame's line is no thicker than this share of the picture."""

_OF_LINE = 0.7
"""A piece is of a frame where at least this share of its ink lies in the frame's lines, or beyond them."""

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
    """Of each piece of a whole picture's ink, whether it is none of the character's."""
    frame = _of_frame(pieces)
    box = Extents.of(pieces)
    height, width = pieces.height, pieces.width
    margin = max(1, round(0.02 * max(height, width)))
    at_sides = (box.left <= margin) | (box.right >= width - margin)
    across, down = box.right - box.left, box.bottom - box.top
    middle_x, middle_y = (box.left + box.right) / (2 * width), (box.top + box.bottom) / (2 * height)
    central = 1 - np.maximum(np.abs(2 * middle_x - 1), 0.5 * np.abs(2 * middle_y - 1))
    weight = np.where(frame, 0, np.sqrt(across * down) * central)
    main = int(weight.argmax())
    if frame[main] or down[main] < _LEAST * height:
        return np.full_like(frame, frame.any())
    shared = np.minimum(box.right, box.right[main]) - np.maximum(box.left, box.left[main])
    beside = at_sides & (shared < _BESIDE * across) & (np.abs(2 * middle_x - 1) > np.abs(2 * middle_x[main] - 1))
    whole = (box.left[main] > margin) & (box.right[main] < width - margin)
    dropped: Mask = frame | (beside & whole)
    return dropped


def _of_frame(pieces: Pieces) -> Mask:
    """Which pieces are lines along the picture's edge, or beyond such lines."""
    marks = np.arange(1, int(pieces.piece.max()) + 2)
    painted = pieces.painted(marks)
    drawn = painted > 0
    lines = np.zeros_like(drawn)
    for turn in range(4):
        _mark_left_line(np.rot90(drawn, turn), np.rot90(lines, turn))
    inside = np.bincount(painted[lines], minlength=len(marks) + 1)[1:]
    shares: Mask = inside >= _OF_LINE * pieces.areas()
    return shares


def _mark_left_line(drawn: Mask, lines: Mask) -> None:
    """Set in `lines` the columns up to the right edge of a line near the left of `drawn`, if there is one."""
    height, width = drawn.shape
    swerve = max(1, round(_SLANT * height))
    band = max(swerve, round(_BAND * width))
    windows = np.lib.stride_tricks.sliding_window_view(drawn[:, : band + 1], swerve, axis=1).any(axis=2)
    coverage = windows.mean(axis=0)
    best = int(coverage.argmax())
    rows = np.flatnonzero(windows[:, best])
    near = (1 - _COVERED) / 2 * height
    if coverage[best] < _COVERED or rows[0] > near or rows[-1] < height - 1 - near:
        return
    single = drawn.mean(axis=0)
    right = best + swerve
    while right < width and single[right] >= _COVERED / 2:
        right += 1
    inked = np.flatnonzero(single[:right] >= _COVERED / 2)
    if inked.size <= max(swerve, _THICKEST * width):
        lines[:, : right + 1] = True
