"""From a row to parts, none of which holds more than one character: touching ones are cut, some too often.

A cut is a path from top to bottom that crosses as little ink as possible (seam carving, Avidan and Shamir 2007,
doi:10.1145/1275808.1276390). Which parts belong together is decided later, by what they look like.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.reading import components
from app.reading.rows import HEIGHT, Floats, Integers

_INK: Final = 0.25
"""Where a row's ink counts as drawn."""

_NARROW = 0.3 * HEIGHT
"""A piece that is no wider holds one character."""

_SIDEWAYS = 0.1
"""What a step of a path to the side costs, in pixels of full ink."""

_MOST_INK = 2.6
"""A path that crosses more than so many strokes is no cut."""

_APART = 0.08 * HEIGHT
"""Two cuts of a piece are at least so far from each other,"""

_PER_HEIGHT = 5
"""and there are at most so many for each height of its width."""

_VALLEY = 0.08 * HEIGHT
"""A valley of an outline is at least so deep."""

_LEANS = 0.4
"""A line between two valleys leans at most so many heights to one side."""

_LEAST_AREA = 0.35
"""Pieces smaller than this, in squares of a stroke's width, are dust."""


def parts(row: Floats) -> tuple[Integers, Integers]:
    """The part that each pixel of a (height, width) row belongs to: from 1, by where its middle is from left to right;
    0 where there is no ink. And (parts,): the connected piece that each is of.
    """
    drawn = row > _INK
    pieces = components.find(drawn)
    if not pieces.starts.size:
        return np.zeros(row.shape, np.int64), np.zeros(0, np.int64)
    labels = pieces.painted(np.arange(1, int(pieces.piece.max()) + 2))
    areas, boxes = pieces.areas(), np.stack(pieces.boxes(), axis=1).tolist()
    stroke = _stroke_width(drawn)
    found = np.zeros(row.shape, np.int64)
    of_piece: list[int] = []
    for piece in range(1, len(areas) + 1):
        if areas[piece - 1] < max(3.0, _LEAST_AREA * stroke**2):
            continue
        left, top, right, bottom = boxes[piece - 1]
        window = slice(top, bottom), slice(left, right)
        own = labels[window] == piece
        within = np.ones(own.shape, np.int64)
        if right - left > _NARROW:
            for seam in seams(np.where(own, row[window], np.float32(0)), stroke):
                within += np.arange(right - left) > seam[:, None]
        for side in np.unique(within[own]):
            of_piece.append(piece)
            found[window][own & (within == side)] = len(of_piece)
    order = _order(found, len(of_piece))
    place = np.zeros(len(of_piece) + 1, np.int64)
    place[order + 1] = np.arange(1, len(of_piece) + 1)
    return place[found], np.array(of_piece, np.int64)[order]


def _stroke_width(drawn: npt.NDArray[np.bool_]) -> float:
    """Of most strokes: twice their area for the length of their outline."""
    outline = np.count_nonzero(drawn[:, 1:] != drawn[:, :-1]) + np.count_nonzero(drawn[1:] != drawn[:-1])
    return 2 * np.count_nonzero(drawn) / max(1.0, 0.85 * outline)


def _order(found: Integers, count: int) -> Integers:
    """Places of parts, by where their middles are from left to right."""
    columns = np.broadcast_to(np.arange(found.shape[1]), found.shape)
    mass = np.bincount(found.ravel(), minlength=count + 1)[1:]
    middle = np.bincount(found.ravel(), columns.ravel(), minlength=count + 1)[1:] / np.maximum(mass, 1)
    order: Integers = np.argsort(middle, kind="stable")
    return order


def seams(ink: Floats, stroke: float) -> list[Integers]:
    """The cuts of one piece: for each, the last column of the left side in every row."""
    most = round(_PER_HEIGHT * ink.shape[1] / HEIGHT)
    chosen: list[Integers] = []
    for path in [*_between_valleys(ink), *_through_least_ink(ink, stroke)]:
        if len(chosen) < most and all(np.abs(path - other).mean() >= _APART for other in chosen):
            chosen.append(path)
    return sorted(chosen, key=lambda path: float(path.mean()))


def _through_least_ink(ink: Floats, stroke: float) -> list[Integers]:
    """Paths that cross less ink than those beside them, the best first."""
    down, up = _cheapest(ink)
    middle = len(ink) // 2
    total = down[middle] + up[middle] - ink[middle]
    padded = np.pad(total, 2, constant_values=np.inf)
    least = np.minimum.reduce([padded[step : step + len(total)] for step in range(5)])
    lowest = np.flatnonzero((total <= _MOST_INK * stroke) & (total == least))
    lowest = lowest[(lowest >= 2) & (lowest < ink.shape[1] - 2)]
    return list(_paths(down, up, lowest[np.argsort(total[lowest])]))


def _between_valleys(ink: Floats) -> list[Integers]:
    """Straight lines from a valley of the upper outline to one of the lower, and down from one alone; the shortest way
    through ink first: characters that run into each other do not always do so where there is little ink.
    """
    drawn = ink > _INK
    height = len(ink)
    upper = np.where(drawn.any(axis=0), drawn.argmax(axis=0), height)
    lower = np.where(drawn.any(axis=0), drawn[::-1].argmax(axis=0), height)
    above, below = _valleys(upper), _valleys(lower)
    rows = np.arange(height)
    lines = []
    for x in above:
        for other in below:
            if abs(x - other) <= _LEANS * HEIGHT:
                lines.append(np.interp(rows, [upper[x], max(upper[x] + 1, height - lower[other])], [x, other]))
    lines += [np.full(height, x) for x in (*above, *below)]
    paths = [line.round().astype(np.int64) for line in lines]
    return sorted(paths, key=lambda path: float(ink[rows, path].sum()))


def _valleys(depth: Integers) -> list[int]:
    """Columns where an outline lies deepest, between two sides that are higher."""
    found = []
    for x in np.flatnonzero((depth[1:-1] >= depth[:-2]) & (depth[1:-1] > depth[2:])) + 1:
        left, right = depth[:x], depth[x + 1 :]
        deeper_left = np.flatnonzero(left > depth[x])
        deeper_right = np.flatnonzero(right > depth[x])
        left_side = left[deeper_left[-1] + 1 if deeper_left.size else 0 :]
        right_side = right[: deeper_right[0] if deeper_right.size else len(right)]
        if (
            depth[x] - min(left_side, default=depth[x]) >= _VALLEY
            and depth[x] - min(right_side, default=depth[x]) >= _VALLEY
        ):
            found.append(int(x))
    return found


def _cheapest(ink: Floats) -> tuple[Floats, Floats]:
    """Of each pixel, the ink on the cheapest path to it, itself included, from the upper edge and from the lower."""
    both = np.stack((ink, ink[::-1]))
    beside = np.full((2, ink.shape[1] + 2), np.inf, np.float32)
    for row in range(1, len(ink)):
        beside[:, 1:-1] = both[:, row - 1]
        aside = np.minimum(beside[:, :-2], beside[:, 2:])
        aside += np.float32(_SIDEWAYS)
        both[:, row] += np.minimum(beside[:, 1:-1], aside, out=aside)
    return both[0], both[1, ::-1]


def _paths(down: Floats, up: Floats, through: Integers) -> Integers:
    """(paths, height): in each row the column of the cheapest path through each of some columns of the middle row."""
    paths = np.empty((len(through), len(down)), np.int64)
    middle = len(down) // 2
    paths[:, middle] = through
    for rows, total in ((range(middle - 1, -1, -1), down), (range(middle + 1, len(down)), up)):
        padded = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        aside = np.stack((total, padded[:, :-2] + _SIDEWAYS, padded[:, 2:] + _SIDEWAYS))
        step = np.array([0, -1, 1])[aside.argmin(axis=0)]
        at = through
        for row in rows:
            at = at + step[row, at]
            paths[:, row] = at
    return paths
