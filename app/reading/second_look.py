"""A second look at doubtful glyphs: asked again about slightly different views, a network errs less.

About one glyph in a hundred is doubtful, so that a request seldom pays for it.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading.glyphs import SIDE, Glyph

Floats = npt.NDArray[np.float32]

DOUBTFUL: Final = 0.9
"""A glyph whose first confidence is below this is looked at again."""

_VIEWS: Final = ((8.0, 1.0, 0.5, 0.5), (-8.0, 1.0, -0.5, -0.5), (0.0, 0.92, 0.5, -0.5), (0.0, 1.08, -0.5, 0.5))
"""Degrees, scale, and pixels to the right and down. Half pixels also smooth: grain fades, strokes stay."""


def probabilities(ask: Callable[[Floats], Floats], glyphs: Floats) -> Floats:
    """What a network says of glyphs; of doubtful ones, the geometric mean over them and their views.

    Args:
        ask: (n, 28, 28) glyphs -> (n, labels) probabilities.
        glyphs: (n, 28, 28) in [0, 1].

    Returns:
        (n, labels); each row sums to 1.
    """
    shares = ask(glyphs)
    doubtful = np.flatnonzero(shares.max(axis=1) < DOUBTFUL)
    if doubtful.size:
        seen = ask(np.concatenate([views(glyph) for glyph in glyphs[doubtful]]))
        seen = seen.reshape(len(doubtful), len(_VIEWS), -1)
        everything = np.concatenate([shares[doubtful, None], seen], axis=1)
        mean = np.exp(np.log(np.maximum(everything, 1e-9)).mean(axis=1))
        shares[doubtful] = mean / mean.sum(axis=1, keepdims=True)
    return shares


def views(glyph: Glyph) -> Floats:
    """(4, 28, 28): the glyph turned either way, larger and smaller, and each shifted by half a pixel."""
    picture = Image.fromarray(glyph)
    return np.stack([np.asarray(_view(picture, *change)) for change in _VIEWS])


def _view(picture: Image.Image, degrees: float, scale: float, right: float, down: float) -> Image.Image:
    middle = SIDE / 2
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    x = (cos, -sin, middle + right - middle * (cos - sin))
    y = (sin, cos, middle + down - middle * (sin + cos))
    return picture.transform((SIDE, SIDE), Image.Transform.AFFINE, (*x, *y), Image.Resampling.BILINEAR)
