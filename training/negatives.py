"""Pictures that are none of the alphabet's characters, for learning when not to be sure."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from training.strokes import Points, draw

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Lookalikes:
    """What may be taken for a character of the alphabet; nobody can be asked to tell them apart."""

    letters: str
    """Cyrillic letters that many people write like one."""
    halves: tuple[int, ...]
    """Labels of characters whose halves often are characters themselves."""


OF_DIGITS = Lookalikes("ОоЗзбӨөвЧчЬьъІіїЭэЅѕдуУ", (1, 7, 9))


def make(
    seed: int,
    characters: Pictures,
    labels: npt.NDArray[np.int64],
    letters: Path | None,
    held_out: bool = False,
    lookalikes: Lookalikes = OF_DIGITS,
) -> Image.Image:
    """One picture, black on white.

    Args:
        seed: decides everything about it.
        characters: (n, 28, 28) uint8, ink bright, to put together and cut up; `labels` (n,) tells which they are.
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
        return ImageOps.invert(Image.fromarray(two_characters(rng, characters)))
    if kind == 3:
        whole = characters[rng.choice(np.flatnonzero(~np.isin(labels, lookalikes.halves)))]
        return ImageOps.invert(Image.fromarray(part(rng, whole)))
    assert letters is not None
    pool = _letters(letters, held_out, lookalikes.letters)
    return ImageOps.invert(Image.fromarray(pool[rng.integers(len(pool))]))


@lru_cache
def _letters(path: Path, held_out: bool, left_out: str) -> Pictures:
    with np.load(path, allow_pickle=False) as file:
        usable = ~np.isin(file["letters"], list(left_out)) & ((file["source"] == "test") == held_out)
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


def two_characters(rng: np.random.Generator, characters: Pictures) -> Pictures:
    """Two characters side by side or one above the other, close together."""
    first, second = characters[rng.integers(len(characters), size=2)]
    gap = int(rng.integers(-6, 4))
    axis = 1 if rng.random() < 0.8 else 0
    size = [28, 28]
    size[axis] = 56 + gap
    both = np.zeros(size, np.uint8)
    both[:28, :28] = first
    corner = both[28 + gap :] if axis == 0 else both[:, 28 + gap :]
    np.maximum(corner, second, out=corner)
    return both


def part(rng: np.random.Generator, character: Pictures) -> Pictures:
    """What is left of a character when a straight cut takes away about half of its ink."""
    y, x = np.indices(character.shape)
    angle = rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle)
    order = np.sort(across[character > 64])
    cut = order[int(len(order) * rng.uniform(0.4, 0.6))]
    return np.where(across < cut, character, 0).astype(np.uint8)
