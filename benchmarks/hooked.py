"""A style of writing that few people of the training data have: sevens with hooks, zeros with a slash.

What a model gets wrong of it is what people would correct; `benchmarks.corrections` has simulated people write it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.datasets import draw_at_random
from training.strokes import Points

Floats = npt.NDArray[np.float64]

SEVEN, ZERO = 7, 0

THICKEST = 0.14
"""Of a brush, as a share of the character's size: with a thicker one, slash and ring are one blot."""


@dataclass(frozen=True)
class Hand:
    """How one person writes; lengths as shares of a character's height, angles in radians."""

    slant: float
    width: float
    serif: float
    """Of the stroke down at a seven's start."""
    foot: float
    """Of the hook at a seven's end, which turns right as that of a 2 does."""
    rise: float
    """How far that hook goes up again at its end."""
    slash: float
    """Of a zero's slash, as a share of its diagonal."""
    steep: float
    tremble: float

    @classmethod
    def of(cls, person: int) -> "Hand":
        """Always the same one of a number."""
        rng = np.random.default_rng(40_000_000 + person)
        return cls(
            slant=float(rng.uniform(-0.05, 0.4)),
            width=float(rng.uniform(0.5, 0.85)),
            serif=float(rng.uniform(0.0, 0.25)),
            foot=float(rng.uniform(0.15, 0.45)),
            rise=float(rng.uniform(0.04, 0.16)),
            slash=float(rng.uniform(0.8, 1.35)),
            steep=float(rng.uniform(0.6, 1.1)),
            tremble=float(rng.uniform(0.002, 0.006)),
        )


def written(hand: Hand, label: int, rng: np.random.Generator) -> list[Points]:
    """Pen strokes of a seven or a zero, (points, 2) each, y down."""
    strokes = _seven(hand, rng) if label == SEVEN else _zero(hand, rng)
    slant = hand.slant + rng.normal(0, 0.05)
    shear = np.array([[1, 0], [-slant, 1]])
    return [((stroke + rng.normal(0, hand.tremble, stroke.shape)) @ shear).astype(np.float32) for stroke in strokes]


def drawing(hand: Hand, label: int, seed: int) -> Image.Image:
    """Black on a white canvas of 280 pixels, any place, size and brush."""
    rng = np.random.default_rng(seed)
    return draw_at_random(written(hand, label, rng), rng, thickest=THICKEST)


def _curve(corners: list[tuple[float, float]], points: int = 40) -> Floats:
    """Through all corners, rounded (Chaikin's)."""
    path = np.array(corners)
    for _ in range(3):
        near, far = 0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]
        path = np.concatenate([path[:1], np.stack([near, far], 1).reshape(-1, 2), path[-1:]])
    return path[np.linspace(0, len(path) - 1, points).round().astype(int)]


def _around(value: float, rng: np.random.Generator) -> float:
    """As large as usual, as nearly as people repeat themselves."""
    return value * float(np.exp(rng.normal(0, 0.12)))


def _seven(hand: Hand, rng: np.random.Generator) -> list[Floats]:
    width, serif, foot = (_around(value, rng) for value in (hand.width, hand.serif, hand.foot))
    rise = hand.rise + rng.normal(0, 0.02)
    bottom = 0.15 * width
    bar = _curve([(0.0, serif), (0.02, 0.03), (0.1 * width, 0.0), (width, 0.02)], 25)
    stem = [(width, 0.02), (0.55 * width, 0.5), (bottom, 0.94), (bottom + 0.02, 1.0)]
    hook = [(bottom + 0.3 * foot, 1.0), (bottom + 0.7 * foot, 1.0 - 0.3 * rise), (bottom + foot, 1.0 - rise)]
    return [np.concatenate([bar, _curve([*stem, *hook], 40)])]


def _zero(hand: Hand, rng: np.random.Generator) -> list[Floats]:
    width, slash = _around(hand.width, rng), _around(hand.slash, rng)
    start = rng.uniform(-0.5, 0.5) - np.pi / 2
    turn = start - np.linspace(0, 2 * np.pi * rng.uniform(0.97, 1.04), 40)
    ring = np.stack([width / 2 * (1 + np.cos(turn)), 0.5 * (1 + np.sin(turn))], 1)
    angle = np.arctan2(1.0, width) * _around(hand.steep, rng)
    half = slash / 2 * np.hypot(1.0, width)
    middle = np.array([width / 2, 0.5]) + rng.normal(0, 0.03, 2)
    tip = half * np.array([np.cos(angle), -np.sin(angle)])
    return [ring, np.linspace(middle - tip, middle + tip, 20)]
