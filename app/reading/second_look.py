"""A second look at doubtful glyphs: asked again about slightly different views, a network errs less.

This is test-time augmentation, of doubtful glyphs alone: about one in a hundred, so that a request seldom pays for it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import BaseModel, ConfigDict

from app.reading.glyphs import SIDE, Pixels

Floats = npt.NDArray[np.float32]


class View(NamedTuple):
    """How a glyph is changed. Half pixels also smooth: grain fades, strokes stay."""

    degrees: float
    scale: float
    right: float
    """Pixels, as `down` is."""
    down: float


class SecondLook(BaseModel):
    """When and how a model looks again. Part of its record."""

    model_config = ConfigDict(frozen=True)

    doubtful_below: float = 0.9
    """A glyph whose first confidence is below this is looked at again."""
    views: tuple[View, ...] = (
        View(8.0, 1.0, 0.5, 0.5),
        View(-8.0, 1.0, -0.5, -0.5),
        View(0.0, 0.92, 0.5, -0.5),
        View(0.0, 1.08, -0.5, 0.5),
    )


DEFAULT: Final = SecondLook()


def probabilities(ask: Callable[[Floats], Floats], glyphs: Floats, how: SecondLook = DEFAULT) -> Floats:
    """What a network says of glyphs; of doubtful ones, the geometric mean over them and their views.

    Args:
        ask: (n, 28, 28) glyphs -> (n, labels) probabilities.
        glyphs: (n, 28, 28) in [0, 1].
        how: as the model's record says.

    Returns:
        (n, labels); each row sums to 1.
    """
    return of_heads(lambda some: [ask(some)], glyphs, how)[0]


def of_heads(ask: Callable[[Floats], list[Floats]], glyphs: Floats, how: SecondLook = DEFAULT) -> list[Floats]:
    """As `probabilities`, of several heads that are asked together; a glyph is doubtful where the first of them doubts.

    Args:
        ask: (n, 28, 28) glyphs -> (n, choices) probabilities of each head.
        glyphs: (n, 28, 28) in [0, 1].
        how: as the model's record says.

    Returns:
        (n, choices) of each head; each row sums to 1.
    """
    heads = ask(glyphs)
    doubtful = np.flatnonzero(heads[0].max(axis=1) < how.doubtful_below)
    if doubtful.size and how.views:
        seen = ask(np.concatenate([views(glyph, how.views) for glyph in glyphs[doubtful]]))
        for shares, again in zip(heads, seen, strict=True):
            of_views = again.reshape(len(doubtful), len(how.views), -1)
            everything = np.concatenate([shares[doubtful, None], of_views], axis=1)
            mean = np.exp(np.log(np.maximum(everything, 1e-9)).mean(axis=1))
            shares[doubtful] = mean / mean.sum(axis=1, keepdims=True)
    return heads


def views(glyph: Pixels, changes: Sequence[View] = DEFAULT.views) -> Floats:
    """(views, 28, 28): the glyph with each of the changes made to it."""
    picture = Image.fromarray(glyph)
    return np.stack([np.asarray(_view(picture, change)) for change in changes])


def _view(picture: Image.Image, change: View) -> Image.Image:
    degrees, scale, right, down = change
    middle = SIDE / 2
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    x = (cos, -sin, middle + right - middle * (cos - sin))
    y = (sin, cos, middle + down - middle * (sin + cos))
    return picture.transform((SIDE, SIDE), Image.Transform.AFFINE, (*x, *y), Image.Resampling.BILINEAR)
