"""Takes away the lines of squared or ruled paper and of a pixel editor, drawn under the ink or over it.

They are told by going from edge to edge without showing the paper, thin and at regular distances.

In brackets beside a threshold: what else was tried, on 40 pictures each of squared paper, ruled paper, pixel editors,
and on 80 of other kinds, and what was lost by it.
"""

import numpy as np
import numpy.typing as npt

from app.reading.frame import TOLERANCE, Band, median, near

_SMALLEST = 48
"""Pixels on the shorter side below which no grid is looked for. [24, 96: none]"""

_MARGIN = 1 / 12
"""A grid's lines are thinner than this share of the picture, and so are its margins. [half, double: none]"""

_COVERED = 0.9
"""A line hides the paper along at least this share of the picture. [0.8, 0.95: none]"""

_FEWEST_CROSSED, _FEWEST = 3, 4
"""So many lines make a grid, where others cross them and where none do. [2: 3 of 80 empty cells, 6: one of 40 on ruled
paper; 2: none]"""

_THICKEST = 0.3
"""A line is at most this share of the distance to the next."""

_SWERVE = 0.1
"""Distances differ by at most this share of them, or by a pixel."""

Lines = npt.NDArray[np.int64]
"""(lines, 2): the first row of each and the one after its last."""


def without(bands: list[Band]) -> list[Band]:
    """Bands, each (height, width) uint8, with what is beside each line of a grid in its place."""
    if min(bands[0].shape) < _SMALLEST or (_has_margin(bands[0]) and _has_margin(bands[0].T)):
        return bands
    hidden = ~near(bands, [_commonest(band) for band in bands])
    down, across = _lines(hidden.mean(axis=1)), _lines(hidden.mean(axis=0))
    fewest = _FEWEST_CROSSED if min(len(down), len(across)) >= _FEWEST_CROSSED else _FEWEST
    if len(down) >= fewest:
        bands = _filled(bands, down)
    if len(across) >= fewest:
        bands = [band.T for band in _filled([band.T for band in bands], across)]
    return bands


def _has_margin(band: Band) -> bool:
    """Whether nothing at all is at the upper or lower edge, as in most drawings."""
    rows = round(_MARGIN * len(band))
    return any(int(margin.max()) - int(margin.min()) <= TOLERANCE for margin in (band[:rows], band[-rows:]))


def _lines(hidden: npt.NDArray[np.float64]) -> Lines:
    """The regular lines among rows, given the share of each in which no paper shows; none where they are not."""
    steps = np.diff(hidden >= _COVERED, prepend=False, append=False)
    lines: Lines = np.flatnonzero(steps).reshape(-1, 2)
    if len(lines) < _FEWEST_CROSSED:
        return lines[:0]
    distances = np.diff(lines.mean(axis=1))
    distance = np.median(distances)
    regular = np.abs(distances - distance).max() <= max(1, _SWERVE * distance)
    return lines if regular and np.ptp(lines, axis=1).max() <= max(1, _THICKEST * distance) else lines[:0]


def _filled(bands: list[Band], lines: Lines) -> list[Band]:
    """Each line's own pixels, not those of what was drawn over it, become those before it; of the first, after it."""
    filled = [band.copy() for band in bands]
    for start, end in lines.tolist():
        beside = start - 1 if start else min(end, len(bands[0]) - 1)
        for row in range(start, end):
            line = [band[row] for band in bands]
            own = near(line, [median(band) for band in line])
            for band in filled:
                band[row, own] = band[beside, own]
    return filled


def _commonest(band: Band) -> np.uint8:
    return np.uint8(np.bincount(band.ravel(), minlength=256).argmax())
