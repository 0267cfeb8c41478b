"""Takes away what lies around paper that is not all of the picture: a table, a scanner's lid, the rest of a screenshot.

The paper is looked for as a smooth region, on a copy of blocks, that is a rectangle in any direction and has ink in it.

In brackets beside a threshold: what else was tried, on 80 pictures of each made set that it concerns, 200 digits of
registers and all real photographs, scans and cells, and how many more were lost.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading import components, frame
from app.reading.components import Mask
from app.reading.frame import Band

_SMOOTH = 12
"""How far, of 255, neighbouring blocks of paper may differ in any band. [6: none; 24: 2 empty cells won]"""

_LEAST, _MOST = 0.12, 0.9
"""Paper, with its ink, is at least and at most this share of the picture. [0.06, 0.24 and 0.8, 0.95: none]"""

_RECTANGULAR = 0.86
"""and at least this share of the smallest rectangle around it, [0.72: 2 digits in cells and beside others; 0.93: 2 in
surroundings]"""

_AT_EDGE = 0.15
"""and touches at most this share of the picture's edge; one half of a picture in the shade touches more. [0.075: 1 in
surroundings; 0.3: an empty cell]"""

_CORNER, _STRAIGHT, _APART = 0.6, 0.97, 120
"""or it is an upright rectangle in a corner, such as the part of a screenshot that is drawn on: it touches at most the
first share of the edge, is at least the second of the upright rectangle around it, and of another shade, of 255, than
the rest by the third at least."""

_LEAST_INK, _MOST_INK = 0.005, 0.4
"""So much of it, at least and at most, is ink. [0.0025: an empty cell; 0.2: 2 in surroundings; 0.8: none]"""


def without(bands: list[Band]) -> list[Band] | None:
    """Bands, each (height, width) uint8, with paper where something else was; None where there is no such paper."""
    block = components.block_of(bands[0].shape)
    small = [np.asarray(Image.fromarray(band).reduce(block)) for band in bands]
    for region in _smooth_regions(small):
        paper = _filled(region)
        if _is_sheet(paper, region, small):
            outside = components.of_blocks(~paper, block, bands[0].shape)
            return [
                np.where(outside, np.uint8(np.median(few[region])), band)
                for few, band in zip(small, bands, strict=True)
            ]
    return None


def _smooth_regions(bands: list[Band]) -> Iterator[Mask]:
    """Connected blocks that differ little from those beside them, the largest region first."""
    rough = np.zeros(bands[0].shape, np.bool_)
    for band in bands:
        shades = band.astype(np.int16)
        for axis in (0, 1):
            steps = np.abs(np.diff(shades, axis=axis)) > _SMOOTH
            before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
            before[axis], after[axis] = (1, 0), (0, 1)
            rough |= np.pad(steps, before) | np.pad(steps, after)
    labels = components.label(~rough)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    for label in np.argsort(-areas)[:3].tolist():
        if areas[label] >= (1 - _MOST_INK) * _LEAST * labels.size:
            yield labels == label


def _filled(region: Mask) -> Mask:
    """A region with its holes."""
    rest = components.label(np.pad(~region, 1, constant_values=True))
    filled: Mask = (rest != rest[0, 0])[1:-1, 1:-1]
    return filled


def _is_sheet(paper: Mask, region: Mask, bands: list[Band]) -> bool:
    area = np.count_nonzero(paper)
    ink = 1 - np.count_nonzero(region) / area
    if not (_LEAST * paper.size <= area <= _MOST * paper.size and _LEAST_INK <= ink <= _MOST_INK):
        return False
    at_edge = frame.edge(paper).mean()
    if at_edge <= _AT_EDGE:
        return bool(area >= _RECTANGULAR * _smallest_rectangle(paper))
    return bool(at_edge <= _CORNER) and _is_corner(paper, region, bands)


def _is_corner(paper: Mask, region: Mask, bands: list[Band]) -> bool:
    rows, columns = (np.any(paper, axis=axis, keepdims=True).ravel() for axis in (1, 0))
    at_one_of_each = rows[0] != rows[-1] and columns[0] != columns[-1]
    upright = np.count_nonzero(paper) >= _STRAIGHT * np.count_nonzero(rows) * np.count_nonzero(columns)
    if not (at_one_of_each and upright):
        return False
    shade = np.mean(bands, axis=0)
    return bool(abs(np.median(shade[region]) - np.median(shade[~paper])) >= _APART)


def _smallest_rectangle(mask: Mask) -> float:
    """Area of the smallest of the rectangles around a mask, in steps of three degrees."""
    y, x = np.nonzero(mask)
    angles: npt.NDArray[np.float64] = np.radians(np.arange(0, 90, 3))[:, None]
    along, across = x * np.cos(angles) + y * np.sin(angles), y * np.cos(angles) - x * np.sin(angles)
    return float(((np.ptp(along, axis=1) + 1) * (np.ptp(across, axis=1) + 1)).min())
