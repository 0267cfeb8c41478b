"""Data sets as glyphs: every picture goes through `app.reading`, as a request's does."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torchvision.datasets import MNIST

from app.reading.glyphs import DEFAULT_CLEANING, Cleaning
from app.reading.picture import Picture
from app.reading.pipeline import BlankImage, glyph_of
from training import negatives
from training.augmentation import Augmentation, damage, warp
from training.negatives import Lookalikes
from training.progress import console, track
from training.strokes import StrokeSet, draw

Pictures = npt.NDArray[np.uint8]

NO_CHARACTER = -1
"""The label of a picture that is none of the alphabet's characters."""

NO_CASE = -1
"""The case of a character that has none, or whose upper and lower case look alike."""

VALIDATION_WRITERS = 6
"""Writers of the pen-stroke set, the last by name, whose drawings are for validation alone."""

STROKES_FILE = "pendigits-strokes.npz"
LETTERS_FILE = "cyrillic-mnist.npz"


@dataclass(frozen=True)
class GlyphSet:
    """`glyphs`: (n, 1, 28, 28) float32 in [0, 1]; `labels`: (n,) int64, `NO_CHARACTER` where there is none; `cases`:
    (n,) int64, `NO_CASE` where nobody can tell.
    """

    glyphs: torch.Tensor
    labels: torch.Tensor
    cases: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: torch.Tensor | slice) -> "GlyphSet":
        return GlyphSet(self.glyphs[index], self.labels[index], self.cases[index])

    def to(self, device: torch.device) -> "GlyphSet":
        return GlyphSet(self.glyphs.to(device), self.labels.to(device), self.cases.to(device))

    @property
    def pictures(self) -> Pictures:
        """The glyphs as (n, 28, 28) uint8."""
        pixels: Pictures = (self.glyphs[:, 0] * 255).round().byte().cpu().numpy()
        return pixels

    @classmethod
    def of(cls, pictures: Pictures, labels: npt.NDArray[np.int64]) -> "GlyphSet":
        """Of (n, 28, 28) pictures; of their case nothing is known."""
        glyphs, known = torch.from_numpy(pictures).unsqueeze(1).float() / 255, torch.from_numpy(labels)
        return cls(glyphs, known, torch.full_like(known, NO_CASE))

    @classmethod
    def joined(cls, sets: Sequence["GlyphSet"]) -> "GlyphSet":
        parts = zip(*((part.glyphs, part.labels, part.cases) for part in sets), strict=True)
        return cls(*(torch.cat(part) for part in parts))


def glyph_of_picture(image: Image.Image, cleaning: Cleaning = DEFAULT_CLEANING) -> Pictures | None:
    """A picture's glyph as (28, 28) uint8; None where the picture is blank."""
    try:
        return np.round(glyph_of(Picture.of(image), cleaning).pixels * 255).astype(np.uint8)
    except BlankImage:
        return None


def _glyph_of_array(cleaning: Cleaning, pixels: Pictures) -> Pictures | None:
    return glyph_of_picture(Image.fromarray(pixels), cleaning)


def _glyph_of_strokes(cleaning: Cleaning, thickest: float, task: tuple[Any, int]) -> Pictures | None:
    strokes, seed = task
    drawn = draw_at_random(strokes, np.random.default_rng(seed), cropped=True, thickest=thickest)
    return glyph_of_picture(drawn, cleaning)


def draw_at_random(
    strokes: list[Any],
    rng: np.random.Generator,
    canvas: int = 280,
    cropped: bool = False,
    thickest: float = 1.0,
) -> Image.Image:
    """Draw one character as people do: any size from 25 to 90% of the canvas, any brush from 6 to 26 px, any place.

    `cropped` leaves the empty part of the canvas away, which changes nothing for the glyph and takes less time.
    `thickest`: a brush of more than this share of the character's size, which would fill the gaps between its strokes,
    is replaced by one of it.
    """
    brush = float(rng.uniform(6, 26))
    extent = max(float(rng.uniform(0.25, 0.9)) * canvas - brush, brush)
    brush = min(brush, thickest * extent)
    side = round(extent + brush + 8) if cropped else canvas
    return draw(strokes, canvas=side, extent=extent, brush=brush, position=(rng.random(), rng.random()))


def in_parallel(
    what: str, work: Callable[[Any], Pictures | None], tasks: Sequence[Any], labels: npt.NDArray[np.int64]
) -> GlyphSet:
    """Make one glyph of each task on all cores, with a progress bar.

    Refused pictures, of which `work` makes None, are left out together with their labels, and counted on the console.
    """
    chunk = max(1, min(500, len(tasks) // 8))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        glyphs = list(track(pool.map(work, tasks, chunksize=chunk), what, len(tasks)))
    kept = [glyph for glyph in glyphs if glyph is not None]
    if len(kept) < len(glyphs):
        console.print(f"{what}: {len(glyphs) - len(kept)} of {len(glyphs)} pictures are refused as blank and left out.")
    found = [glyph is not None for glyph in glyphs]
    return GlyphSet.of(np.stack(kept), labels[found])


def mnist_pictures(data: Path, train: bool) -> tuple[Pictures, npt.NDArray[np.int64]]:
    """MNIST as it is; downloaded by torchvision where it is not in `data` yet."""
    raw = MNIST(str(data), train=train, download=not (data / "MNIST" / "raw").is_dir())
    return raw.data.numpy(), raw.targets.numpy()


def from_pictures(
    what: str, images: Pictures, labels: npt.NDArray[np.int64], cleaning: Cleaning = DEFAULT_CLEANING
) -> GlyphSet:
    """Pictures, (n, height, width) uint8, as glyphs."""
    return in_parallel(what, partial(_glyph_of_array, cleaning), list(images), labels.astype(np.int64))


def damaged(
    images: Pictures, labels: npt.NDArray[np.int64], seed: int, cleaning: Cleaning = DEFAULT_CLEANING
) -> GlyphSet:
    """Pictures damaged before they become glyphs: noise and haze also change what is taken for ink and for paper."""
    pictures = torch.from_numpy(images).unsqueeze(1).float() / 255
    spoilt = damage(pictures, 1.0, torch.Generator().manual_seed(seed))[:, 0]
    return from_pictures("damaged", (spoilt * 255).round().byte().numpy(), labels, cleaning)


def warped(pictures: Pictures, how: Augmentation, seed: int) -> Pictures:
    """Pictures, dark on bright, before they become glyphs: size and place are then found anew."""
    generator = torch.Generator().manual_seed(seed)
    ink = 1 - torch.from_numpy(pictures).unsqueeze(1).float() / 255
    parts = [warp(part, how, generator)[:, 0].clamp(0, 1) for part in ink.split(256)]
    changed: Pictures = ((1 - torch.cat(parts)) * 255).round().byte().numpy()
    return changed


def small(images: Pictures, labels: npt.NDArray[np.int64], seed: int) -> GlyphSet:
    """Pictures squeezed into a few pixels, most of them black and white alone, as faxes and small scans are."""
    tasks = [(image, seed * 1_000_003 + i) for i, image in enumerate(images)]
    return in_parallel("small", _glyph_of_squeezed, tasks, labels.astype(np.int64))


def _glyph_of_squeezed(task: tuple[Pictures, int]) -> Pictures | None:
    pixels, seed = task
    return glyph_of_picture(squeezed(Image.fromarray(pixels), np.random.default_rng(seed)))


def small_drawings(strokes: StrokeSet, times: int, seed: int, limit: int | None = None) -> GlyphSet:
    """As `small`, of each character drawn `times` times with random brush."""
    return _drawn("small pen strokes", _glyph_of_squeezed_strokes, strokes, times, seed, limit)


def _glyph_of_squeezed_strokes(task: tuple[Any, int]) -> Pictures | None:
    strokes, seed = task
    rng = np.random.default_rng(seed)
    brush = float(rng.uniform(9, 24))  # one to three pixels once it is squeezed
    return glyph_of_picture(squeezed(ImageOps.invert(draw(strokes, canvas=144, extent=112, brush=brush)), rng))


def squeezed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The part with bright ink, stretched to 12 to 24 pixels either way: cropped to the edge or nearly so."""
    tight = picture.crop(picture.getbbox()).resize(
        tuple(rng.integers(12, 25, 2)) if rng.random() < 0.5 else (16, 16), Image.Resampling.BOX
    )
    if rng.random() < 0.7:
        level = int(rng.uniform(80, 150))
        tight = tight.point(lambda shade: 255 * (shade > level))
    return ImageOps.expand(tight, int(rng.integers(0, 3)))


def pen_strokes(data: Path) -> tuple[StrokeSet, StrokeSet] | None:
    """The training and the validation writers' strokes, or None where the file is not in `data`."""
    if not (data / STROKES_FILE).is_file():
        return None
    strokes = StrokeSet.load(data / STROKES_FILE)
    held_out = np.isin(strokes.writers, np.unique(strokes.writers)[-VALIDATION_WRITERS:])
    return strokes.subset(~held_out), strokes.subset(held_out)


def needed_pen_strokes(data: Path) -> tuple[StrokeSet, StrokeSet]:
    """As `pen_strokes`; ends the program where the file is not in `data`."""
    strokes = pen_strokes(data)
    if strokes is None:
        raise SystemExit(f"There is no {STROKES_FILE} in {data}, whose writers' digits lines are made of.")
    return strokes


def drawings(
    strokes: StrokeSet,
    times: int,
    seed: int,
    limit: int | None = None,
    cleaning: Cleaning = DEFAULT_CLEANING,
    thickest: float = 1.0,
) -> GlyphSet:
    """Each character drawn `times` times with random brush, size and place, as `draw_at_random` does."""
    return _drawn("pen strokes", partial(_glyph_of_strokes, cleaning, thickest), strokes, times, seed, limit)


def _drawn(
    what: str, work: Callable[[Any], Pictures | None], strokes: StrokeSet, times: int, seed: int, limit: int | None
) -> GlyphSet:
    """The glyphs that `work` makes of each of the first `limit` characters and a seed of its own, `times` times."""
    tasks = [(sample, seed * 1_000_003 + i) for i, sample in enumerate(strokes.samples[:limit] * times)]
    return in_parallel(what, work, tasks, np.tile(strokes.labels[:limit], times))


def no_characters(
    data: Path,
    characters: GlyphSet,
    count: int,
    seed: int,
    cleaning: Cleaning = DEFAULT_CLEANING,
    lookalikes: Lookalikes = negatives.OF_DIGITS,
) -> GlyphSet:
    """Pictures of no character: scribbles, textures, two characters at once, parts of them, letters if there."""
    some = characters[:2000]
    make = partial(
        negatives.make,
        characters=some.pictures,
        labels=some.labels.cpu().numpy(),
        letters=letters_in(data),
        lookalikes=lookalikes,
    )
    tasks = [seed * 1_000_003 + i for i in range(count)]
    work = partial(_glyph_of_negative, make, cleaning)
    return in_parallel("no characters", work, tasks, np.full(count, NO_CHARACTER))


def letters_in(data: Path) -> Path | None:
    """The archive of letters, if it is there."""
    return data / LETTERS_FILE if (data / LETTERS_FILE).is_file() else None


def _glyph_of_negative(make: Callable[[int], Image.Image], cleaning: Cleaning, seed: int) -> Pictures | None:
    return glyph_of_picture(make(seed), cleaning)


def checksums(data: Path, patterns: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each file of `data` that a glob pattern fits, by file name."""
    return {file.name: sha256(file) for pattern in patterns for file in sorted(data.glob(pattern))}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
