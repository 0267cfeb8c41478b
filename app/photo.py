"""Ink from a photograph: paper with shadows, grain and printed lines on it.

The paper is estimated as the local median over a window wider than any stroke; what stands out from it, on the
side where most stands out, is ink. Long thin runs are the paper's own ruling and are taken away.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Floats = npt.NDArray[np.float32]

_PAPER_SIDE = 48
"""The paper is estimated on a copy with this many pixels on its longer side."""

_PAPER_WINDOW = 15
"""Side of the median's window on that copy, in pixels; odd. About 5 strokes wide for an ordinary pen."""

_DARKEST = 20
"""Added to shades before their ratio is taken, which tells ink from paper: twice as dark counts as twice as light."""

_NOISE_FACTOR = 6.0
"""Ink stands out from the paper by at least this many times the paper's own noise."""

_LEAST_CONTRAST = 0.06
"""Ink stands out by at least this share of full range, whatever the noise."""

_RULED_SHARE = 0.8
"""A printed line is drawn over at least this share of the picture's width or height."""

_RULED_THICKNESS = 0.02
"""A printed line is no thicker than this share of the picture's width or height."""


def lift(bands: list[Image.Image]) -> Floats | None:
    """The ink of a photograph's bands (each mode L, one size), or None where nothing stands out.

    Returns:
        (height, width) float32 in [0, 1].
    """
    relief = _strongest([_relief(band) for band in bands])
    noise = float(np.median(np.abs(relief))) * 1.4826
    floor = max(_LEAST_CONTRAST, _NOISE_FACTOR * noise)
    strong = relief[relief > floor]
    if strong.size < 8:
        return None
    full = float(np.percentile(strong, 75))
    threshold = max(floor, 0.45 * full)
    ink = np.clip((relief - 0.5 * threshold) / (full - 0.5 * threshold), 0, 1).astype(np.float32)
    return _without_ruling(ink)


def _relief(band: Image.Image) -> Floats:
    """How far each pixel stands out from its local paper, relative to that paper's brightness."""
    scale = _PAPER_SIDE / max(band.size)
    small = band.resize((max(1, round(band.width * scale)), max(1, round(band.height * scale))), Image.Resampling.BOX)
    paper = small.filter(ImageFilter.MedianFilter(_PAPER_WINDOW)).filter(ImageFilter.GaussianBlur(2))
    level: Floats = np.asarray(paper.resize(band.size, Image.Resampling.BICUBIC), dtype=np.float32)
    pixels: Floats = np.asarray(band.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32)
    density = np.log((level + _DARKEST) / (pixels + _DARKEST))
    tail = 0.02
    darker, lighter = np.quantile(density, 1 - tail), -np.quantile(density, tail)
    relief: Floats = np.divide(level - pixels, np.maximum(level, 64), dtype=np.float32)
    return relief if darker >= lighter else -relief


def _strongest(reliefs: list[Floats]) -> Floats:
    """The band in which the ink stands out most from the grain."""
    return max(reliefs, key=lambda relief: float(np.quantile(relief, 0.985)))


def _without_ruling(ink: Floats) -> Floats:
    """Take away horizontal and vertical lines that are thin and cross nearly all of the picture.

    Where such a line crosses a stroke, the stroke's ink above and below it is kept across.
    """
    for axis in (0, 1):
        drawn = (ink > 0.3).mean(axis=1 - axis) > _RULED_SHARE
        edges = np.flatnonzero(np.diff(np.r_[False, drawn, False].astype(np.int8)))
        for start, end in edges.reshape(-1, 2):
            if end - start <= max(3, _RULED_THICKNESS * drawn.size):
                before = ink.take(max(0, start - 1), axis)
                after = ink.take(min(drawn.size - 1, end), axis)
                line = (slice(start, end), slice(None)) if axis == 0 else (slice(None), slice(start, end))
                ink[line] = np.minimum(before, after) if axis == 0 else np.minimum(before, after)[:, None]
    return ink
