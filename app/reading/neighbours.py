"""What of a picture's ink is the character, and what was cut out with it: a cell's frame, a rule, those beside it.

Only what touches the picture's edge is ever taken away: the lines of a frame, which reach from one side of the picture
to the other, and what stands beside something else that is whole and more in the middle: a character may touch the
edge itself. In brackets beside a threshold: what else was tried, and what was lost by it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.reading.components import Integers, Mask, Pieces

_SMALLEST = 24
"""Pixels a side below which no frame is looked for: it could not be told from a character that fills the picture."""

_BAND = 0.2
"""A frame's line lies in this outer share of the picture."""

_SWERVE = 0.04
"""How far a frame's line may swerve, thin as it is, as a share of its length."""

_COVERED = 0.7
"""A frame's line has ink along at least this share of the picture,"""

_FROM_ENDS = 0.08
"""and in both directions up to this share of it from the picture's edge."""

_JOINED = 0.9
"""The same for a line that joins the character, which is cut there."""

_THICKEST = 0.13
"""A frame's line is no thicker than this share of the picture."""

_OF_LINE = 0.7
"""A piece is of a frame where at least this share of its ink lies in the frame's lines, or beyond them."""

_INSIDE = 0.02
"""But if it covers at least this much of the inside as well, a character joins the frame, and is cut there."""

_LEAST = 0.15
"""Inside a frame is a character only if one piece has at least this height, as a share of the picture's."""

_BESIDE = 0.5
"""A neighbour shares at most this much of its width with the character."""

_TALL: Final = 0.5
"""Two pieces may be characters of their own if each has at least this share of the highest one's height,"""

_OVERLAP: Final = 0.3
"""and neither shares more than this of its width with the other."""


_MOSTLY: Final = 0.6
"""What was cut off at the picture's edge counts as well if it has at least this share of the widest one's width."""


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


def frame(pieces: Pieces, least: int = _SMALLEST) -> Mask:
    """Where, (height, width), a picture's ink is lines along its edge, or beyond such lines; all of it if nothing else.

    What joins such a line is cut there, if it reaches no other edge: else it may be a character that fills the picture.
    """
    painted = pieces.painted(np.arange(1, int(pieces.piece.max()) + 2))
    drawn = painted > 0
    if min(drawn.shape) < least:
        return np.zeros_like(drawn)
    thin, long = np.zeros_like(drawn), np.zeros_like(drawn)
    for turn in range(4):
        covered, width = _left_line(np.rot90(drawn, turn))
        np.rot90(thin, turn)[:, : width if covered >= _COVERED else 0] = True
        np.rot90(long, turn)[:, : width if covered >= _JOINED else 0] = True
    count = int(pieces.piece.max()) + 2
    of_lines = np.bincount(painted[thin], minlength=count) >= _OF_LINE * np.bincount(painted.ravel(), minlength=count)
    across, down = (round(_BAND * side) for side in drawn.shape[::-1])
    inner = np.where(thin, 0, painted)[down : len(drawn) - down, across : drawn.shape[1] - across]
    joined = of_lines & (np.bincount(inner.ravel(), minlength=count) >= _INSIDE * inner.size)
    rest = painted * ~long
    edge = np.concatenate((rest[:2].ravel(), rest[-2:].ravel(), rest[:, :2].ravel(), rest[:, -2:].ravel()))
    fills = np.bincount(edge, minlength=count) > 0
    cut = (thin & joined.take(painted)) | (long & ~fills.take(painted))
    taken: Mask = drawn & (cut | (of_lines & ~joined).take(painted))
    left = np.flatnonzero((drawn & ~taken).any(axis=1))
    if taken.any() and (not left.size or left[-1] - left[0] < _LEAST * len(drawn)):
        return drawn
    return taken


def _left_line(drawn: Mask) -> tuple[float, int]:
    """A line along the left edge: the share of rows in which it has ink, and the columns up to its right side."""
    height, width = drawn.shape
    swerve = max(1, round(_SWERVE * height))
    band = max(swerve, round(_BAND * width))
    windows = np.lib.stride_tricks.sliding_window_view(drawn[:, : band + 1], swerve, axis=1).any(axis=2)
    coverage = windows.mean(axis=0)
    best = int(coverage.argmax())
    rows = np.flatnonzero(windows[:, best])
    near = _FROM_ENDS * height
    if coverage[best] < _COVERED or rows[0] > near or rows[-1] < height - 1 - near:
        return 0, 0
    ink = drawn.mean(axis=0) >= _COVERED / 2
    right = best + swerve
    while right < width and ink[right]:
        right += 1
    if np.count_nonzero(ink[:right]) > max(swerve, _THICKEST * width):
        return 0, 0
    return float(coverage[best]), right + 1


def beside(pieces: Pieces) -> Mask:
    """Which pieces of a whole picture's ink touch its edge and stand beside something more in the middle."""
    box = Extents.of(pieces)
    height, width = pieces.height, pieces.width
    margin = max(1, round(0.02 * max(height, width)))
    at_sides = (box.left <= margin) | (box.right >= width - margin)
    across, down = box.right - box.left, box.bottom - box.top
    middle_x, middle_y = (box.left + box.right) / (2 * width), (box.top + box.bottom) / (2 * height)
    central = 1 - np.maximum(np.abs(2 * middle_x - 1), 0.5 * np.abs(2 * middle_y - 1))
    main = int((np.sqrt(across * down) * central).argmax())
    shared = np.minimum(box.right, box.right[main]) - np.maximum(box.left, box.left[main])
    whole = (box.left[main] > margin) & (box.right[main] < width - margin) & (down[main] >= _LEAST * height)
    further = np.abs(2 * middle_x - 1) > np.abs(2 * middle_x[main] - 1)
    dropped: Mask = at_sides & (shared < _BESIDE * across) & further & whole
    return dropped


def characters(pieces: Pieces, at_edge: bool) -> list[Mask]:
    """Which pieces may each be a character, or the pieces that stand over one another; empty where it is only one.

    Args:
        pieces: of a picture's ink.
        at_edge: whether they are all of the picture's, so that what touches their limits was cut off and is no whole.
    """
    box = Extents.of(pieces)
    across, down = box.right - box.left, box.bottom - box.top
    tall = down >= _TALL * down.max()
    if at_edge:
        tall &= ((box.left > 0) & (box.right < pieces.width)) | (across >= _MOSTLY * across[tall].max())
    found: list[list[int]] = []
    for one in sorted(np.flatnonzero(tall).tolist(), key=lambda piece: int(box.left[piece])):
        if found and any(
            min(box.right[one], box.right[other]) - box.left[one] > _OVERLAP * min(across[one], across[other])
            for other in found[-1]
        ):
            found[-1].append(one)
        else:
            found.append([one])
    return [np.isin(np.arange(len(down)), group) for group in found] if len(found) > 1 else []
