"""What of a picture's ink is the character, and what was cut out with it: a cell's frame, a rule, those beside it.

But for full stops, only what touches the picture's edge is ever taken away: the lines of a frame, which reach from one
side of the picture to the other, and what stands beside something else that is larger and more in the middle: a
character may touch the edge itself.

In brackets beside a threshold: what else was tried, on 80 pictures of each made set that it concerns, 200 digits of
registers and all real photographs, scans and cells, and how many more were lost.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.reading import components
from app.reading.components import Mask, Pieces

Doubles = npt.NDArray[np.float64]

_SMALLEST = 24
"""Blocks a side below which no frame is looked for: it could not be told from a character that fills the picture. [12:
none; 48: 4 digits in cells, 10 empty cells, 1 of registers]"""

_BAND = 0.2
"""A frame's line lies in this outer share of the picture. [0.1: a real cell, an empty one, 1 of registers; 0.4: 2 on
squared paper]"""

_SWERVE = 0.04
"""How far a frame's line may swerve, thin as it is, as a share of its length. [0.02: none; 0.08: a pair of characters
sure]"""

_COVERED = 0.7
"""A frame's line has ink along at least this share of the picture, [0.4: one of registers won; 0.85: none]"""

_FROM_ENDS = 0.08
"""and in both directions up to this share of it from the picture's edge. [0.04: none; 0.16: a pair of characters
sure]"""

_JOINED = 0.9
"""The same for a line that joins the character, which is cut there. [0.8, 0.95: none]"""

_THICKEST = 0.13
"""A frame's line is no thicker than this share of the picture. [0.065: 5 digits in cells, a real one; 0.26: a pair of
characters sure, 1 of registers]"""

_OF_LINE = 0.7
"""A piece is of a frame where at least this share of its ink lies in the frame's lines, or beyond them. [0.4: 2 scans;
0.85: an empty cell]"""

_RING, _IN_RING = 0.06, 0.9
"""So is one with at least the second share of its ink in an outer ring as wide as the first, if it is bent like it.
[0.03 and 0.12, 0.8 and 0.95: none]"""

_MIDDLE, _LONG = 0.2, 0.6
"""In a photograph or scan it need not be bent; and may be as long as the second share of the picture where it comes no
nearer to the middle than the first. [0.1: an empty cell, 0.4: a pair of characters sure; 0.2: none, 0.8: an empty
cell]"""

_INSIDE = 0.02
"""But if it covers at least this much of the inside as well, a character joins the frame, and is cut there. [0.01,
0.04: none]"""

_LEAST = 0.15
"""Inside a frame is a character only if one piece has at least this height, as a share of the picture's. [0.075: none;
0.3: 1 beside a shadow]"""

_DUST, _OF_DUST = 12, 0.25
"""Ink is dust where it is at least so many pieces, none of which is more than this share of it. [6, 24 and 0.125: none;
0.5: 1 on squared paper]"""

_STOP = 0.25
"""A full stop is no larger than this share of what it stands beside. [0.125, 0.5: none]"""

_OF_WHOLE, _OF_CUT = 0.9, 0.4
"""What stands beside the character at the edge has less than this share of its size and place in the middle. [0.8,
0.95: none; 0.2: 1 of registers, 0.8: none]"""

_TALL = 0.5
"""Pieces side by side may be characters of their own if they have at least this share of the highest one's height.
[0.25, 0.75: none]"""

_OVERLAP = 0.95
"""What is beside another shares at most this much of its width with it; a slanting one is above the next. [0.9, 0.975:
none; of 1,000 of registers, 0.6: 25, 0.85: 6]"""

_MOSTLY = 0.6
"""What was cut off at the picture's edge counts as well if it has at least this share of the widest one's width. [0.2,
0.8: none]"""


class Layout:
    """How the pieces of a picture's ink stand to each other, in blocks.

    `left`, `top`, `right` and `bottom` are the limits of each piece's box, (pieces,): the first two are included, the
    others not.
    """

    def __init__(self, pieces: Pieces) -> None:
        self.height, self.width = pieces.height, pieces.width
        row, column = np.divmod(pieces.starts, pieces.width + 1)
        shape = int(pieces.piece.max()) + 1, pieces.height
        self._begins, self._ends = np.full(shape, pieces.width), np.zeros(shape, np.int64)
        np.minimum.at(self._begins, (pieces.piece, row), column)
        np.maximum.at(self._ends, (pieces.piece, row), pieces.ends - row * (pieces.width + 1))
        self._in_row: Mask = self._ends > 0
        self.left, self.right = self._begins.min(axis=1), self._ends.max(axis=1)
        self.top = self._in_row.argmax(axis=1)
        self.bottom = self.height - self._in_row[:, ::-1].argmax(axis=1)
        self.across, self.down = self.right - self.left, self.bottom - self.top

    @cached_property
    def weight(self) -> Doubles:
        """How large and how much in the middle each piece is."""
        middle_x = (self.left + self.right) / self.width - 1
        middle_y = (self.top + self.bottom) / self.height - 1
        size = np.sqrt(self.across * self.down)
        weight: Doubles = size * (1 - np.maximum(np.abs(middle_x), 0.5 * np.abs(middle_y)))
        return weight

    def beside(self, main: int, overlap: float = _OVERLAP) -> Mask:
        """Which pieces are left or right of a piece in all rows that both have, or in all if they share none.

        A slanting character's box may cover the one that follows.
        """
        both = self._in_row & self._in_row[main]
        one_side = (~both | (self._ends <= self._begins[main])).all(axis=1)
        other_side = (~both | (self._begins >= self._ends[main])).all(axis=1)
        shared = np.minimum(self.right, self.right[main]) - np.maximum(self.left, self.left[main])
        row_by_row = np.where(both.any(axis=1), one_side | other_side, shared <= 0)
        beside: Mask = row_by_row & (shared <= overlap * self.across)
        return beside


def frame(pieces: Pieces, flat: bool) -> Mask:
    """Where, (height, width), a picture's ink is lines along its edge, or beyond such lines; all of it if nothing else.

    What joins such a line is cut there, if it reaches no other edge: else it may be a character that fills the picture.
    On flat paper there may be a canvas's thin 1: only what goes from one edge to another is a line.
    """
    painted = pieces.painted(np.arange(1, int(pieces.piece.max()) + 2))
    drawn = painted > 0
    if min(drawn.shape) < _SMALLEST:
        return np.zeros_like(drawn)
    thin, through = np.zeros_like(drawn), np.zeros_like(drawn)
    for turn in range(4):
        covered, width = _left_line(np.rot90(drawn, turn))
        np.rot90(thin, turn)[:, : width if covered >= _COVERED else 0] = True
        np.rot90(through, turn)[:, : width if covered >= _JOINED else 0] = True
    count = int(pieces.piece.max()) + 2
    areas = np.bincount(painted.ravel(), minlength=count)
    of_lines = np.bincount(painted[thin], minlength=count) >= _OF_LINE * areas
    layout = Layout(pieces)
    sides = np.stack((layout.across / layout.width, layout.down / layout.height))
    inside, middle = (np.bincount(_inner(painted, margin).ravel(), minlength=count)[1:] for margin in (_RING, _MIDDLE))
    in_ring = inside <= (1 - _IN_RING) * areas[1:]
    long, bent = sides.max(axis=0) >= _LONG, sides.min(axis=0) >= _LONG
    of_lines[1:] |= in_ring & bent if flat else in_ring | (long & (middle == 0))
    inner = _inner(np.where(thin, 0, painted), _BAND)
    joined = of_lines & (np.bincount(inner.ravel(), minlength=count) >= _INSIDE * inner.size)
    rest = painted * ~through
    edge = np.concatenate((rest[:2].ravel(), rest[-2:].ravel(), rest[:, :2].ravel(), rest[:, -2:].ravel()))
    fills = np.bincount(edge, minlength=count) > 0
    cut = (thin & joined.take(painted)) | (through & ~fills.take(painted))
    taken: Mask = drawn & (cut | (of_lines & ~joined).take(painted))
    return drawn if taken.any() and not _has_large_piece(drawn & ~taken) else taken


def _inner(blocks: npt.NDArray[np.int64], margin: float) -> npt.NDArray[np.int64]:
    """What is farther than a share of height and width from the picture's edge."""
    down, across = (round(margin * side) for side in blocks.shape)
    return blocks[down : len(blocks) - down, across : blocks.shape[1] - across]


def _has_large_piece(drawn: Mask) -> bool:
    if not drawn.any():
        return False
    return bool(Layout(components.find(drawn)).down.max() >= _LEAST * len(drawn))


def _left_line(drawn: Mask) -> tuple[float, int]:
    """A line along the left edge: the share of rows in which it has ink, and the columns up to its right side."""
    height, width = drawn.shape
    swerve = max(1, round(_SWERVE * height))
    band = max(swerve, round(_BAND * width))
    near = _FROM_ENDS * height
    rows = np.flatnonzero(drawn[:, : band + 1].any(axis=1))
    if rows.size / height < _COVERED or rows[0] > near or rows[-1] < height - 1 - near:
        return 0, 0  # most often, and of no window more is covered
    windows = np.lib.stride_tricks.sliding_window_view(drawn[:, : band + 1], swerve, axis=1).any(axis=2)
    coverage = windows.mean(axis=0)
    best = int(coverage.argmax())
    rows = np.flatnonzero(windows.take(best, axis=1))
    if coverage[best] < _COVERED or rows[0] > near or rows[-1] < height - 1 - near:
        return 0, 0
    ink = drawn.mean(axis=0) >= _COVERED / 2
    right = best + swerve
    while right < width and ink[right]:
        right += 1
    if np.count_nonzero(ink[:right]) > max(swerve, _THICKEST * width):
        return 0, 0
    return float(coverage[best]), right + 1


def is_dust(areas: npt.NDArray[np.int64]) -> bool:
    """Whether pieces of such areas are grain: many, and none that stands out."""
    return bool(len(areas) >= _DUST and areas.max() <= _OF_DUST * areas.sum())


def stops(layout: Layout) -> Mask:
    """Which pieces are full stops and the like: small, and beside the lower half of the largest."""
    main = int((layout.across * layout.down).argmax())
    small = np.maximum(layout.across, layout.down) <= _STOP * max(layout.down[main], layout.across[main])
    low = layout.top + layout.bottom > layout.top[main] + layout.bottom[main]
    dots: Mask = small & low & layout.beside(main, overlap=1)
    return dots


def beside(layout: Layout) -> Mask:
    """Which pieces of a whole picture's ink touch its edge and are small, or beside something more in the middle."""
    margin = max(1, round(0.02 * max(layout.height, layout.width)))
    at_sides = (layout.left <= margin) | (layout.right >= layout.width - margin)
    main = int(layout.weight.argmax())
    if layout.down[main] < _LEAST * layout.height:
        return np.zeros_like(at_sides)
    whole = layout.left[main] > margin and layout.right[main] < layout.width - margin
    most = (_OF_WHOLE if whole else _OF_CUT) * layout.weight[main]
    small = np.maximum(layout.across, layout.down) <= _STOP * layout.down[main]
    at_ends = (layout.top <= margin) | (layout.bottom >= layout.height - margin)
    neighbour = at_sides & (layout.weight < most) & layout.beside(main)
    dropped: Mask = neighbour | (small & (at_sides | at_ends))
    return dropped


def characters(layout: Layout, at_edge: bool) -> list[Mask]:
    """Which pieces may each be a character, or pieces over one another, the most central first; empty if only one is.

    Args:
        layout: of a picture's ink.
        at_edge: whether it is all of the picture's, so that what touches its limits was cut off and is no whole.
    """
    tall = layout.down >= _TALL * layout.down.max()
    if at_edge:
        whole = (layout.left > 0) & (layout.right < layout.width)
        tall &= whole | (layout.across >= _MOSTLY * layout.across[tall].max())
    found: list[Mask] = []
    left = tall
    while left.any():
        main = int(np.where(left, layout.weight, -1).argmax())
        group = left & ~layout.beside(main)
        found.append(group)
        left = left & ~group
    return found if len(found) > 1 else []
