"""Crops of writing: a digit in the middle, and what is cut out with it when single digits are cut out of numbers.

Remains of its neighbours, which may touch it or lean over it, full stops, rules, a cell's lines, specks. Hands lean far
to the right, as in old registers.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from app.reading.middle import field
from training import clutter, composing
from training.composing import Draw, Floats, Manner, Random
from training.writers import Writers, made


@dataclass(frozen=True)
class Crops:
    """`fields`: (n, 32, 32) uint8, what networks are shown of each; `labels`: (n,), the digits in the middle."""

    fields: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def crop(write: Draw, rng: Random) -> tuple[int, Floats]:
    """A digit, and the ink around it, (height, width) in [0, 1]."""
    while True:
        manner = _manner(rng)
        digits = composing.text_at_random(rng, 1, int(rng.integers(1, 4)))
        composed = composing.page([(digits + ("." if rng.random() < 0.3 else ""), write)], manner, rng)
        middle = int(rng.integers(len(digits)))
        rows, columns = np.nonzero(composed.owner == middle)
        if len(rows) >= 8:
            limits = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            return int(digits[middle]), _soiled(_cut_out(composed.ink, limits, manner, rng), manner, rng)


def _manner(rng: Random) -> Manner:
    height = float(np.exp(rng.uniform(np.log(22), np.log(60))))
    return replace(
        Manner.at_random(rng, float(rng.uniform(0.3, 1)) if rng.random() < 0.5 else 0.0),
        height=height,
        brush=max(1.2, height * float(rng.uniform(0.04, 0.16))),
        gap=float(rng.uniform(0.03, 0.35)),
        slant=float(rng.normal(0.35, 0.3)),
        aspect=float(np.exp(rng.normal(0, 0.2))),
        warp=float(rng.uniform(0, 0.11)),
        broken=0.1,
        marks=0.0,
    )


def _cut_out(ink: Floats, limits: npt.NDArray[np.int64], manner: Manner, rng: Random) -> Floats:
    """The part within limits (left, top, right, bottom) and some margin, which may be less than none."""
    loose = rng.random(4) < 0.7
    margins = manner.height * np.where(loose, rng.uniform(-0.06, 0.4, 4), rng.uniform(-0.06, 0.12, 4))
    margins *= (1, 0.7, 1, 0.7)
    left, top, right, bottom = np.round(limits + margins * (-1, -1, 1, 1)).astype(int).tolist()
    room = int(np.ceil(manner.height))
    padded = np.pad(ink, room)
    part: Floats = padded[top + room : bottom + room, left + room : right + room]
    return part


def _soiled(ink: Floats, manner: Manner, rng: Random) -> Floats:
    """With rules, a cell's line, a stroke of the line below and specks, each in some; and not always sharp."""
    picture = Image.fromarray((255 * ink).astype(np.uint8))
    pen, (width, height) = ImageDraw.Draw(picture), picture.size
    thick = manner.height * float(rng.uniform(0.02, 0.12))
    if rng.random() < 0.25:
        x = width * float(rng.choice([rng.uniform(-0.05, 0.2), rng.uniform(0.8, 1.05)]))
        pen.line((x, 0, x + width * rng.normal(0, 0.04), height), int(rng.integers(80, 256)), max(1, round(thick)))
    if rng.random() < 0.25:
        places = rng.uniform(-0.05, 0.15), rng.uniform(0.8, 1.05), rng.uniform(0.3, 1)
        y = height * float(rng.choice(places, p=(0.3, 0.5, 0.2)))
        pen.line((0, y, width, y + width * rng.normal(0, 0.04)), int(rng.integers(40, 256)), max(1, round(thick / 2)))
    if rng.random() < 0.15:
        x, y = width * rng.uniform(0, 0.7), height * rng.uniform(0.85, 1)
        pen.line((x, y, x + 0.4 * width, y + width * rng.normal(0, 0.03)), 255, max(1, round(manner.brush)))
    for _ in range(3 if rng.random() < 0.15 else 0):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), 0.06 * manner.height
        pen.ellipse((x, y, x + size, y + size), 255)
    if rng.random() < 0.6:
        picture = picture.filter(ImageFilter.GaussianBlur(max(0.0, 0.025 * max(picture.size) * rng.normal(0.4, 0.5))))
    soiled: Floats = np.asarray(picture, np.float32) / np.float32(255)
    return soiled


def scanned(write: Draw, rng: Random) -> tuple[int, bytes]:
    """A digit, and the file of a small scan or photograph of its crop."""
    label, ink = crop(write, rng)
    return label, clutter.scan(Image.fromarray((255 * ink).astype(np.uint8)), max(ink.shape), rng)


def _shown(write: Draw, rng: Random) -> tuple[int, npt.NDArray[np.uint8]]:
    """A digit, and what a network learns from of its crop: its field, some with grain, some darker."""
    label, ink = crop(write, rng)
    seen = field(ink)
    if rng.random() < 0.3:
        grain = rng.normal(0, 0.06, seen.shape) * (rng.random() < 0.5) + rng.uniform(0, 0.1) * rng.random(seen.shape)
        seen = seen + grain.astype(np.float32)
    return label, (255 * (seen.clip(0, 1) * rng.uniform(0.9, 1.6)).clip(0, 1)).astype(np.uint8)


_BATCH = 500


def _of_seed(writers: Writers, seed: int) -> tuple[list[int], list[npt.NDArray[np.uint8]]]:
    rng = np.random.default_rng(seed)
    labels, fields = zip(*(_shown(writers.anybody(rng), rng) for _ in range(_BATCH)), strict=True)
    return list(labels), list(fields)


def many(writers: Writers, count: int, seed: int) -> Crops:
    """About so many crops, made on all cores, with a progress bar."""
    batches = -(-count // _BATCH)
    seeds = range(seed * 10_000_019, seed * 10_000_019 + batches)
    parts = list(made(writers, _of_seed, seeds, "crops"))
    return Crops(
        np.stack([one for _, fields in parts for one in fields]),
        np.array([label for labels, _ in parts for label in labels], np.int64),
    )
