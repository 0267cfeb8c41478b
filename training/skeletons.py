"""From a picture's ink to pen strokes: its skeleton, cut at ends and crossings. Drawn anew, they are other drawings."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize

from app.reading import glyphs, ink
from app.reading.glyphs import Cleaning
from app.reading.ink import Density
from app.reading.picture import Picture
from training.datasets import GlyphSet
from training.progress import track
from training.strokes import Points, StrokeSet

Pixel = tuple[int, int]
"""Row and column."""

_INK = 0.2
"""Density from which a pixel is of a stroke."""

_SIDE = 120
"""Pixels to which the longer side of less ink is enlarged: a skeleton knows whole pixels alone."""

_SPUR = 1.2
"""A line with a free end is none up to so many times the pen's radius. [2: the short bar of an є is lost]"""

_SMOOTH = 2.0
"""Standard deviation, in pixels, by which a line's steps are smoothed away."""

_AROUND = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def strokes_of(density: Density) -> list[Points]:
    """The strokes of one character, each (points, 2) x, y with y down, in pixels of any size.

    Spurs are left away: what branches off to the edge of the stroke that it is on, where no pen has turned.
    """
    drawn = np.pad(_enlarged(density) > _INK, 1)
    radius = ndimage.distance_transform_edt(drawn)
    lines = _lines(skeletonize(drawn))
    ends = [end for line in lines for end in (line[0], line[-1])]
    kept = [line for line in lines if len(line) > _SPUR * _widest(line, radius) or not _is_spur(line, ends)]
    return [_smoothed(line) for line in kept or lines]


def strokes_of_all(
    pictures: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], writers: npt.NDArray[Any], cleaning: Cleaning
) -> StrokeSet:
    """The same of pictures, (n, height, width), without their dirt, on all cores, with a progress bar."""
    samples = _of_each(pictures, partial(_strokes_of_picture, cleaning))
    return StrokeSet(samples, labels, writers.astype(np.str_))


def strokes_of_glyphs(part: GlyphSet) -> StrokeSet:
    """The same of glyphs, whose writers nobody knows."""
    samples = _of_each(part.glyphs[:, 0].numpy(), strokes_of)
    return StrokeSet(samples, part.labels.numpy(), np.full(len(samples), ""))


def _of_each(drawn: npt.NDArray[Any], work: Callable[[npt.NDArray[Any]], list[Points]]) -> list[list[Points]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(track(pool.map(work, drawn, chunksize=64), "skeletons", len(drawn)))


def _strokes_of_picture(cleaning: Cleaning, pixels: npt.NDArray[np.uint8]) -> list[Points]:
    drawn = ink.of(Picture.of(Image.fromarray(pixels)))
    return strokes_of((glyphs.cleaned(drawn, cleaning) or drawn).density)


def _enlarged(density: Density) -> Density:
    """What is drawn alone, (height, width)."""
    rows, columns = (np.flatnonzero((density > _INK).any(axis=axis)) for axis in (1, 0))
    drawn = density[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = max(1.0, _SIDE / max(drawn.shape))
    size = tuple(max(1, round(scale * side)) for side in drawn.shape[::-1])
    return np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.BICUBIC))


def _widest(line: list[Pixel], radius: npt.NDArray[np.float64]) -> float:
    """The radius of the pen at that end of a line where it was wider: where a spur branches off."""
    return float(max(radius[line[0]], radius[line[-1]]))


def _is_spur(line: list[Pixel], ends: list[Pixel]) -> bool:
    """Whether just one end of a line is met by other lines."""
    return line[0] != line[-1] and (ends.count(line[0]) == 1) != (ends.count(line[-1]) == 1)


def _lines(skeleton: npt.NDArray[np.bool_]) -> list[list[Pixel]]:
    """Paths of neighbouring pixels from one end or crossing to the next, and closed ones."""
    pixels = {(int(row), int(column)) for row, column in zip(*np.nonzero(skeleton), strict=True)}
    beside = {pixel: [one for one in _neighbours(pixel) if one in pixels] for pixel in pixels}
    nodes = {pixel for pixel in pixels if len(beside[pixel]) != 2}
    lines: list[list[Pixel]] = [[pixel] for pixel in sorted(nodes) if not beside[pixel]]
    walked: set[frozenset[Pixel]] = set()
    for start in (*sorted(nodes), *sorted(pixels - nodes)):  # what is left after the nodes are circles
        for step in beside[start]:
            line = [start]
            while frozenset((line[-1], step)) not in walked:
                walked.add(frozenset((line[-1], step)))
                line.append(step)
                if step in nodes or step == start:
                    break
                step = next(one for one in beside[step] if one != line[-2])
            if len(line) > 1:
                lines.append(line)
    return lines


def _neighbours(pixel: Pixel) -> list[Pixel]:
    return [(pixel[0] + down, pixel[1] + across) for down, across in _AROUND]


def _smoothed(line: list[Pixel]) -> Points:
    points = np.array(line, np.float32)[:, ::-1] - 1
    smooth = ndimage.gaussian_filter1d(points, _SMOOTH, axis=0, mode="wrap" if line[0] == line[-1] else "nearest")
    if line[0] != line[-1]:
        smooth[[0, -1]] = points[[0, -1]]
    return smooth
