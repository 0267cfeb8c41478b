"""Real pen strokes and digits for tests. Nothing here imports torch, which takes longer than a server to start."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.strokes import StrokeSet, draw

DATA = Path(__file__).parent.parent / "data"


def strokes() -> StrokeSet:
    return StrokeSet.load(DATA / "pendigits-strokes.npz")


def stroke_of(digit: int) -> list[Any]:
    """Pen strokes of a digit, by a writer whose strokes are not trained on."""
    everything = strokes()
    return everything.samples[np.flatnonzero(everything.labels == digit)[-1]]


def canvas(
    digit: int, *, extent: float = 160, brush: float = 14, position: tuple[float, float] = (0.5, 0.5)
) -> Image.Image:
    """A digit drawn black on a white 280x280 canvas, mode L."""
    return draw(stroke_of(digit), canvas=280, extent=extent, brush=brush, position=position)


def mnist_digits() -> tuple[Any, Any]:
    """200 MNIST test digits: (200, 28, 28) uint8 with bright ink, and labels."""
    raw = DATA / "MNIST" / "raw"
    images = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((raw / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    return images.reshape(-1, 28, 28).copy(), labels.astype(np.int64)
