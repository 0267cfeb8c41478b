"""Pictures that are none of the alphabet's characters, for learning when not to be sure."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from training.strokes import Points, draw

Pictures = npt.NDArray[np.uint8]

_LIKE_DIGITS = "ОоЗзбӨөвЧчЬьъІіїЭэЅѕдуУ"
"""Letters that many people write like a digit; nobody can be asked to tell them apart."""

_PARTS_ARE_DIGITS = (1, 7, 9)
"""Digits whose halves often are digits themselves."""


def make(
    seed: int, digits: Pictures, digit_labels: npt.NDArray[np.int64], letters: Path | None, held_out: bool = False
) -> Image.Image:
    """One picture, black on white.

    Args:
        seed: decides everything about it.
        digits: (n, 28, 28) uint8, ink bright, to put together and cut up; `digit_labels` (n,) tells which they are.
        letters: an archive with `images` (n, 28, 28), ink bright, `letters` (n,) and `source` (n,), or None.
        held_out: take letters of the archive's test part, else of all others.
    """
    rng = np.random.default_rng(seed)
    kind = rng.choice(5 if letters else 4)
    if kind == 0:
        return scribble(rng)
    if kind == 1:
        return texture(rng)
    if kind == 2:
        return ImageOps.invert(Image.fromarray(two_digits(rng, digits)))
    if kind == 3:
        whole = digits[rng.choice(np.flatnonzero(~np.isin(digit_labels, _PARTS_ARE_DIGITS)))]
        return ImageOps.invert(Image.fromarray(part(rng, whole)))
    assert letters is not None
    pool = _letters(letters, held_out)
    return ImageOps.invert(Image.fromarray(pool[rng.integers(len(pool))]))


@lru_cache
def _letters(path: Path, held_out: bool) -> Pictures:
    with np.load(path, allow_pickle=False) as file:
        usable = ~np.isin(file["letters"], list(_LIKE_DIGITS)) & ((file["source"] == "test") == held_out)
        images: Pictures = file["images"][usable]
        return images


def scribble(rng: np.random.Generator) -> Image.Image:
    """Random smooth pen movement: sums of sines, or corners joined by straight lines."""
    strokes: list[Points] = []
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.6:
            t = np.linspace(0, 1, 80)[:, None]
            turns = rng.uniform(0.5, 5, (1, 6))
            waves = np.sin(2 * np.pi * (turns * t + rng.random((1, 6))))
            strokes.append((waves @ rng.normal(size=(6, 2))).astype(np.float32))
        else:
            strokes.append(rng.normal(size=(int(rng.integers(4, 12)), 2)).astype(np.float32))
    return draw(strokes, canvas=200, extent=float(rng.uniform(60, 160)), brush=float(rng.uniform(5, 18)))


def texture(rng: np.random.Generator) -> Image.Image:
    """A smooth random field, cut off at a random level: blots, clouds, shadows, objects."""
    cells = int(rng.integers(3, 14))
    field = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
    smooth = np.asarray(field.resize((112, 112), Image.Resampling.BICUBIC), dtype=np.float32)
    softness = float(rng.uniform(4, 60))
    level = float(np.quantile(smooth, rng.uniform(0.5, 0.9)))
    return Image.fromarray((255 - np.clip((smooth - level) / softness, 0, 1) * 255).astype(np.uint8))


def two_digits(rng: np.random.Generator, digits: Pictures) -> Pictures:
    """Two digits side by side or one above the other, close together."""
    first, second = digits[rng.integers(len(digits), size=2)]
    gap = int(rng.integers(-6, 4))
    axis = 1 if rng.random() < 0.8 else 0
    size = [28, 28]
    size[axis] = 56 + gap
    both = np.zeros(size, np.uint8)
    both[:28, :28] = first
    corner = both[28 + gap :] if axis == 0 else both[:, 28 + gap :]
    np.maximum(corner, second, out=corner)
    return both


def part(rng: np.random.Generator, digit: Pictures) -> Pictures:
    """What is left of a digit when a straight cut takes away about half of its ink."""
    y, x = np.indices(digit.shape)
    angle = rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle)
    order = np.sort(across[digit > 64])
    cut = order[int(len(order) * rng.uniform(0.4, 0.6))]
    return np.where(across < cut, digit, 0).astype(np.uint8)
