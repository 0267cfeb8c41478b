"""Connected pieces of a binary picture, in numpy alone: SciPy or OpenCV would add 35 to 50 MB to the image."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MOST_BLOCKS = 96
"""Pieces of ink are told apart on a copy of at most this many blocks a side; finer gaps than a block are no gaps."""


@dataclass(frozen=True)
class Pieces:
    """The 8-connected pieces of a mask, kept as the runs of set pixels in its rows.

    `starts` and `ends` count along rows of `width + 1` pixels, the last of which is never set; `piece` has each run's
    piece, numbered from 0 without gaps in the order in which the rows meet them.
    """

    height: int
    width: int
    starts: Integers
    ends: Integers
    piece: Integers

    def areas(self) -> Integers:
        """Pixels of each piece."""
        return np.bincount(self.piece, self.ends - self.starts).astype(np.int64)

    def where(self, chosen: Mask) -> Mask:
        """(height, width): where the pieces of a choice are."""
        return self.painted(chosen.view(np.int8)) > 0

    def painted(self, values: npt.NDArray[np.integer]) -> Integers:
        """(height, width): at each set pixel the value of its piece, 0 elsewhere."""
        return _painted((self.height, self.width), self.starts, self.ends, values[self.piece])

    def boxes(self) -> tuple[Integers, Integers, Integers, Integers]:
        """Left, top, right and bottom limit of each piece, (pieces,): the first two are included, the others not."""
        row, column = np.divmod(self.starts, self.width + 1)
        count = int(self.piece.max()) + 1
        left, top = np.full(count, self.width), np.full(count, self.height)
        right, bottom = np.zeros(count, np.int64), np.zeros(count, np.int64)
        np.minimum.at(left, self.piece, column)
        np.minimum.at(top, self.piece, row)
        np.maximum.at(right, self.piece, self.ends - row * (self.width + 1))
        np.maximum.at(bottom, self.piece, row + 1)
        return left, top, right, bottom


def find(mask: Mask) -> Pieces:
    """The pieces of a (height, width) mask.

    Runs of set pixels in a row are found first. Each then takes the number of the first run that it hangs on, row by
    row upwards; what still touches another number is joined by passing the smallest along until nothing changes.
    """
    height, width = mask.shape
    starts, ends = _runs(mask)
    # Runs a (one row) and b (the row below) touch, diagonals included, when a.start <= b.end and b.start <= a.end.
    below = width + 1
    first = np.searchsorted(ends, starts + below, side="left")
    last = np.searchsorted(starts, ends + below, side="right")
    touching = last - first
    upper = np.repeat(np.arange(starts.size), touching)
    lower = first.repeat(touching) + np.arange(touching.sum()) - (touching.cumsum() - touching).repeat(touching)
    piece = np.arange(starts.size)
    np.minimum.at(piece, lower, upper)
    while not np.array_equal(further := piece[piece], piece):
        piece = further
    while True:
        smallest = np.minimum(piece[upper], piece[lower])
        joined = piece.copy()
        np.minimum.at(joined, piece[upper], smallest)
        np.minimum.at(joined, piece[lower], smallest)
        joined = joined[joined]
        if np.array_equal(joined, piece):
            break
        piece = joined
    first_runs = piece == np.arange(piece.size)  # a piece has the number of its first run
    return Pieces(height, width, starts, ends, (first_runs.cumsum() - 1)[piece])


def run_lengths(mask: Mask) -> Integers:
    """(height, width): at each set pixel, how many are set in a row through it; 0 elsewhere."""
    starts, ends = _runs(mask)
    return _painted(mask.shape, starts, ends, ends - starts)


def _runs(mask: Mask) -> tuple[Integers, Integers]:
    """Where the runs of set pixels in rows start and end, as `Pieces` counts."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.bool_)
    padded[:, 1:-1] = mask
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])  # rows of width + 1: no run reaches over a row's end
    return edges[0::2], edges[1::2]


def _painted(shape: tuple[int, ...], starts: Integers, ends: Integers, values: npt.NDArray[np.integer]) -> Integers:
    """(height, width): at each pixel of a run the run's value, 0 elsewhere."""
    height, width = shape
    marks = np.zeros(height * (width + 1) + 1, np.int64)
    np.add.at(marks, starts, values)
    np.subtract.at(marks, ends, values)
    return marks[:-1].cumsum().reshape(height, width + 1)[:, :width]


def label(mask: Mask) -> Integers:
    """Number the 8-connected pieces of a mask, as `scipy.ndimage.label` with a full 3x3 structure does.

    Args:
        mask: (height, width), True where something is.

    Returns:
        (height, width): 0 where the mask is False, else the piece's number, from 1 without gaps.
    """
    pieces = find(mask)
    return pieces.painted(np.arange(1, pieces.starts.size + 1))


def block_of(shape: tuple[int, ...]) -> int:
    """Side of the blocks that are fine enough to tell the pieces of a picture's ink apart, in pixels."""
    return -(-max(shape) // _MOST_BLOCKS)


def any_in_blocks(mask: Mask, block: int) -> Mask:
    """Shrink a mask: True where any pixel of a block x block tile is."""
    if block == 1:
        return mask
    height, width = (-(-side // block) for side in mask.shape)
    whole = np.zeros((height * block, width * block), np.bool_)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    rows = reduce(np.logical_or, (whole[offset::block] for offset in range(block)))
    return reduce(np.logical_or, (rows[:, offset::block] for offset in range(block)))


def of_blocks(blocks: Mask, block: int, shape: tuple[int, ...]) -> Mask:
    """Enlarge a mask again: each block's value at all of its pixels."""
    return blocks.repeat(block, axis=0).repeat(block, axis=1)[: shape[0], : shape[1]]
