"""Takes away what surrounds a picture's paper: a border, the bars of a screenshot, a margin, a printed box.

The paper is looked for at the picture's edge, where a frame would be mistaken for it: the real paper would be ink.

In brackets beside a threshold: what else was tried, on 80 pictures of each of 16 sets of
`training.evaluate --reading`, and what was lost by it.
"""

from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

Band = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Left, top, right and bottom limit, in pixels."""

TOLERANCE = 10
"""How far, of 255, pixels of one shade may differ in any band. [5, 20: no loss; 5: one of 40 on squared paper.]"""

_WHOLE = 0.98
"""A line of pixels is of one shade if this much of it is. [0.9, 1: no loss.]"""

_PAPER_AT_EDGE, _PAPER_INSIDE = 0.9, 0.65
"""How much of what a frame encloses is paper, at its edge and altogether; less of a solid digit is of one shade.
[0.75, 0.98: no loss; inside 0.4: no loss, 0.85: one of 80 framed digits lost.]"""

_SOFT_EDGE, _SOFT_SHARE = 2, 0.08
"""Pixels between frame and paper that may have a shade between theirs: at most so many, and such a share of the
paper's shorter side, beyond which a fat round digit passes for paper. [0, 5 and 0.03, 0.2: no loss.]"""

_LAYERS = 3
"""Frames within frames, such as a border within bars, or a box and its soft outer edge on paper."""

_THIN = 0.03
"""The most that an inner frame may be of the longer side: strokes of a square digit are thicker. [0.01: 3 of 80 framed
digits lost; 0.1: no loss.]"""

_NARROWEST = 2 / 3
"""The least width of framed paper, as a share of its height: a solid 1 is narrower. [0.3, 0.9: no loss.]"""

_SMALLEST = 8
"""Pixels a side below which nothing is taken for framed paper."""


def edge(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The outermost pixels of (height, width), in a row; corners count twice."""
    return np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def median(shades: Band) -> np.uint8:
    """The middle one of a row of shades: always one of them, which the mean of two middle ones need not be."""
    middle = shades.size // 2
    return np.uint8(np.partition(shades, middle)[middle])


def paper_box(bands: list[Band], layers: int = _LAYERS) -> Box | None:
    """Where the paper of a picture, as its bands of (height, width), lies in a frame; None where there is no frame."""
    height, width = bands[0].shape
    frame = [band[0, 0] for band in bands]
    if not layers or not near(_corners(bands), frame).all():
        return None
    is_frame = near(bands, frame).view(np.uint8)  # bytes are summed four times as fast as truth values
    rows = np.flatnonzero(is_frame.sum(axis=1, dtype=np.uint16) < _WHOLE * width)
    columns = np.flatnonzero(is_frame.sum(axis=0, dtype=np.uint16) < _WHOLE * height)
    if not rows.size or not columns.size:
        return None
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    thickest = max(left, top, width - right, height - bottom)
    inner = layers < _LAYERS
    if thickest == 0 or (inner and thickest > max(3, _THIN * max(height, width))):
        return None
    for soft in range(min(_SOFT_EDGE, int(_SOFT_SHARE * min(right - left, bottom - top))) + 1):
        box = (
            left + soft * (left > 0),
            top + soft * (top > 0),
            right - soft * (right < width),
            bottom - soft * (bottom < height),
        )
        if _is_paper(_cut(bands, box), frame, inner):
            return box
    inside = _cut(bands, (left, top, right, bottom))
    if [band[0, 0] for band in inside] == frame:  # no second frame: most often a drawing, on the only paper there is
        return None
    deeper = paper_box(inside, layers - 1)
    return deeper and (left + deeper[0], top + deeper[1], left + deeper[2], top + deeper[3])


def _is_paper(bands: list[Band], frame: list[np.uint8], inner: bool) -> bool:
    """Whether these are mostly one shade, other than the frame's.

    A square 0 or 8 looks like an inner frame, too; but what that encloses does not touch it, and there is something.
    """
    height, width = bands[0].shape
    if min(height, width) < _SMALLEST or width < _NARROWEST * height:
        return False
    edges = [edge(band) for band in bands]
    paper = [median(shades) for shades in edges]
    if all(abs(int(shade) - int(other)) <= TOLERANCE for shade, other in zip(paper, frame, strict=True)):
        return False
    if not near(_corners(bands), paper).all() or _share(edges, paper) < (_WHOLE if inner else _PAPER_AT_EDGE):
        return False
    inside = _share(bands, paper)
    return bool(inside >= _PAPER_INSIDE and not (inner and inside == 1))


def _share(bands: list[Band], shades: list[np.uint8]) -> float:
    return np.count_nonzero(near(bands, shades)) / bands[0].size


def _corners(bands: list[Band]) -> list[Band]:
    return [band[[0, 0, -1, -1], [0, -1, 0, -1]] for band in bands]


def _cut(bands: list[Band], box: Box) -> list[Band]:
    left, top, right, bottom = box
    return [band[top:bottom, left:right] for band in bands]


def near(bands: list[Band], shades: list[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where pixels are, within the tolerance, of a shade in every band."""
    return reduce(np.logical_and, (within(band, shade) for band, shade in zip(bands, shades, strict=True)))


def within(band: Band, shade: np.uint8, tolerance: int = TOLERANCE) -> npt.NDArray[np.bool_]:
    """Where pixels are so near to a shade."""
    lowest, highest = max(int(shade) - tolerance, 0), min(int(shade) + tolerance, 255)
    return band - np.uint8(lowest) <= np.uint8(highest - lowest)  # what is lower wraps around, and is too high
