"""The paper under a photograph's ink, with its shadows.

It is estimated as the local median over a window wider than an ordinary stroke, or, where strokes are thicker and the
light is even, as one smooth surface.

In brackets beside a threshold: what else was tried, on 80 pictures of each of 16 sets of
`training.evaluate --reading`, and what was lost by it.
"""

from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from app.reading.frame import Band

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_SIDE = 48
"""Paper is estimated on a copy with this many pixels on its longer side. [32, 72: no loss.]"""

_WINDOW = 15
"""Side of the median's window on that copy, in pixels; odd. About 5 strokes wide for an ordinary pen. [9: a photograph
of 80 lost; 21: no loss.]"""

_THICK = 5
"""Strokes that are nowhere narrower than this on that copy hide the paper from the median; odd. [3, 7: no loss.]"""

_EVEN = 5.0
"""How far, of 255, evenly lit paper may be from one smooth surface on that copy, where grain is averaged away. [2.5,
10: no loss.]"""

_EVEN_GRAIN = 1.2
"""The same, as a multiple of the grain that is left: what pixels beside one another differ by."""

_EDGE_FROM = 0.95
"""Where the edge begins, of the way from the middle of the picture outwards. [0.9, 0.98: no loss.]"""

_EVEN_AT_EDGE, _EVEN_INSIDE = 0.7, 0.3
"""How much of the edge and of the whole must be that near to it; thick strokes in a tight crop cover the rest. [0.5,
0.9 and 0.15, 0.6: no loss.]"""

_DARKEST = 20
"""Added to shades before their ratio is taken, which tells ink from paper: twice as dark counts as twice as light. [5,
60: no loss.]"""

_CLOSING = 0.08
"""Width of the strokes that a closing hides, as a share of the picture's longer side."""

SURELY_INK: Final = 0.005
"""Of what stands out from the paper, the share of a picture's pixels that is ink, however small and thin it is.
[0.002: no loss; 0.02: 2 of 80 photographs lost.]"""


def under(band: Band) -> Floats:
    """What a band, (height, width) uint8, would be without the ink: likewise, from 0 to 255 where paper is seen."""
    height, width = band.shape
    scale = _SIDE / max(width, height)
    small = Image.fromarray(band).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX
    )
    shades = np.asarray(small, dtype=np.float32)
    surface = _even_paper(shades)
    if surface is not None and _has_thick_strokes(density(surface, shades)):
        paper = Image.fromarray(surface)
    else:
        paper = small.filter(ImageFilter.MedianFilter(_WINDOW)).filter(ImageFilter.GaussianBlur(2))
    return np.asarray(paper.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def closed(band: Band) -> Band:
    """A band, (height, width) uint8, without dark strokes: brightened to what is around them, if they are thin.

    This is the morphological closing. Unlike a median it keeps the edge of a shadow where it is, whatever its form.
    """
    window = max(3, round(_CLOSING * max(band.shape)))
    return _highest(_highest(band, window, np.maximum), window, np.minimum)


def _highest(band: Band, window: int, of_two: np.ufunc) -> Band:
    """The largest of a window around each pixel, or the smallest, as `of_two` says; doubled until it is so wide."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (window // 2, window - 1 - window // 2)
        band = np.moveaxis(np.pad(band, padding, mode="edge"), axis, 0)
        seen = 1
        while seen < window:
            step = min(seen, window - seen)
            band = of_two(band[step:], band[:-step])
            seen += step
        band = np.moveaxis(band, 0, axis)
    return band


def density(paper: Floats, shades: Floats) -> Floats:
    """How much darker shades are than the paper, which a surface may put below black, as a logarithm."""
    return np.log((np.maximum(paper, 0) + _DARKEST) / (shades + _DARKEST))


def noise(differences: npt.NDArray[np.number], share: float) -> float:
    """The standard deviation of what is normally distributed about 0, if its smallest amounts, this share, are noise.

    Args:
        differences: amounts, without a sign.
        share: from 0 to 1.
    """
    return float(np.quantile(differences, share)) / NormalDist().inv_cdf((1 + share) / 2)


def has_darker_ink(density: Floats) -> bool:
    """Whether what stands out most from paper is darker than it, not lighter."""
    return bool(np.quantile(density, 1 - SURELY_INK) >= -np.quantile(density, SURELY_INK))


def _has_thick_strokes(density: Floats) -> bool:
    density = density if has_darker_ink(density) else -density
    ink = Image.fromarray(density > np.quantile(density, 1 - SURELY_INK) / 2).convert("L")
    return ink.filter(ImageFilter.MinFilter(_THICK)).getbbox() is not None


def _even_paper(shades: Floats) -> Floats | None:
    """The quadratic surface near which most of a picture's edge and much of its inside are; None if there is none."""
    x, y = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, side) for side in shades.shape[::-1])))
    terms, values = np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=1), shades.ravel()
    at_edge = np.maximum(np.abs(x), np.abs(y)) > _EDGE_FROM
    grain = float(np.median(np.abs(np.diff(shades, axis=1)))) if shades.shape[1] > 1 else 0.0
    even = max(_EVEN, _EVEN_GRAIN * grain)
    weights: Doubles = at_edge.astype(np.float64)
    for _ in range(8):  # to least absolute deviations at the edge, which strokes seldom touch
        off = np.abs(values - terms @ _weighted_least_squares(terms, values, weights))
        weights = at_edge / np.maximum(off, 1)
    for _ in range(4):  # then by all that is near
        near = off < even
        surface = terms @ _weighted_least_squares(terms, values, near.astype(np.float64))
        off = np.abs(values - surface)
    near = off < even
    if near[at_edge].mean() < _EVEN_AT_EDGE or near.mean() < _EVEN_INSIDE:
        return None
    return surface.reshape(shades.shape).astype(np.float32)


def _weighted_least_squares(terms: Doubles, values: Floats, weights: Doubles) -> Doubles:
    weighted = terms * weights[:, None]
    return np.asarray(np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0])
