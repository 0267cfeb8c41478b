"""Pen strokes -> canvas drawings: what a person's pen movement looks like on this app's canvas."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw
from scipy import ndimage

Points = npt.NDArray[np.float32]

_OVERSAMPLING = 3
"""Drawings are made this many times larger and shrunk: Pillow's lines have no smooth edges."""

_BENDS = 4
"""Points across a character, and down, that move by chance; what is between them follows."""


@dataclass(frozen=True)
class Hand:
    """How far another hand's writing may differ: standard deviations of random changes to a whole character."""

    turn: float
    """Degrees."""
    slant: float
    """How far each length down moves to the side, as a ratio."""
    stretch: float
    """Logarithm of the ratio by which it is wider."""
    bend: float
    """Of a smooth displacement, as a share of the character's longer side."""

    def rewritten(self, strokes: list[Points], rng: np.random.Generator) -> list[Points]:
        """One character's strokes, as another hand might have drawn them."""
        points = np.concatenate(strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        size, middle = max(float((high - low).max()), 1e-6), (low + high) / 2
        angle = np.deg2rad(rng.normal(0, self.turn))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        slant, wider = rng.normal(0, self.slant), np.exp(rng.normal(0, self.stretch))
        field = rng.normal(0, self.bend, (2, _BENDS, _BENDS))
        changed = []
        for stroke in strokes:
            place = (stroke - middle) / size
            rows_first = ((place + 0.5) * (_BENDS - 1)).T[::-1]
            bent = [ndimage.map_coordinates(one, rows_first, order=3, mode="nearest") for one in field]
            moved = place @ (turn @ [[wider, slant], [0, 1]]).T + np.stack(bent, axis=1)
            changed.append((moved * size + middle).astype(np.float32))
        return changed


@dataclass(frozen=True)
class StrokeSet:
    """Characters as pen movements. `samples[i]` is a list of strokes, each (points, 2) x, y with y down."""

    samples: list[list[Points]]
    labels: npt.NDArray[np.int64]
    writers: npt.NDArray[np.str_]

    def subset(self, chosen: npt.NDArray[np.bool_]) -> "StrokeSet":
        kept = [strokes for strokes, keep in zip(self.samples, chosen, strict=True) if keep]
        return StrokeSet(kept, self.labels[chosen], self.writers[chosen])

    def rewritten(self, hand: Hand, times: int, seed: int) -> "StrokeSet":
        """Each character `times` times, differently."""
        rng = np.random.default_rng(seed)
        samples = [hand.rewritten(strokes, rng) for strokes in self.samples * times]
        return StrokeSet(samples, np.tile(self.labels, times), np.tile(self.writers, times))

    @classmethod
    def load(cls, path: Path) -> "StrokeSet":
        """Read an archive of `xy`, `stroke_off`, `sample_off`, `label` and `writer`."""
        with np.load(path, allow_pickle=False) as file:
            strokes = np.split(file["xy"].astype(np.float32), file["stroke_off"][1:-1])
            offsets = file["sample_off"]
            samples = [strokes[a:b] for a, b in pairwise(offsets)]
            return cls(samples, file["label"].astype(np.int64), file["writer"])


def rotated(strokes: list[Points], degrees: float) -> list[Points]:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return [stroke @ turn for stroke in strokes]


def leaning(strokes: list[Points], width: float, slant: float) -> list[Points]:
    """So many times as wide, and slanting to the right by the tangent of an angle."""
    change = np.array([[width, 0], [-slant, 1]], np.float32)
    return [stroke @ change for stroke in strokes]


def draw(
    strokes: list[Points],
    *,
    canvas: int,
    extent: float,
    brush: float,
    position: tuple[float, float] = (0.5, 0.5),
) -> Image.Image:
    """Draw strokes black on white with a round brush.

    Args:
        strokes: one character.
        canvas: side of the square picture, pixels.
        extent: length of the drawing's longer side, pixels, brush not counted.
        brush: diameter, pixels.
        position: where in the free space the drawing lies, 0 left or top, 1 right or bottom.

    Returns:
        A canvas x canvas picture in mode L.
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = extent / max(float((high - low).max()), 1e-6)
    free = canvas - brush - (high - low) * scale
    origin = brush / 2 + np.maximum(free, 0) * np.asarray(position)
    size = canvas * _OVERSAMPLING
    ink = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(ink)
    radius = brush * _OVERSAMPLING / 2
    for stroke in strokes:
        path = ((stroke - low) * scale + origin) * _OVERSAMPLING
        pen.line([tuple(point) for point in path], fill=255, width=max(1, round(2 * radius)))
        for x, y in path:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return ImageChops.invert(ink.reduce(_OVERSAMPLING))
