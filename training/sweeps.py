"""How accuracy on drawings changes with brush width, size, position and rotation."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from app.reading.recognizer import Recognizer
from training import metrics, pictures
from training.answers import Answers
from training.evaluation_sets import glyph_of_file, png
from training.progress import track
from training.strokes import StrokeSet, draw, rotated

CANVAS = 280
SWEEPS: dict[str, tuple[float, ...]] = {
    "brush, px": (4, 8, 12, 16, 20, 26, 32),
    "size, % of the canvas": (15, 25, 40, 60, 75, 90),
    "position, % from the left": (0, 25, 50, 75, 100),
    "rotation, degrees": (-30, -20, -10, 0, 10, 20, 30),
}


def drawing(strokes: StrokeSet, quantity: str, value: float, index: int) -> bytes:
    """A middling drawing (brush 14 px, 60% of the canvas, in the middle, upright) but for one quantity."""
    name = quantity.split(",")[0]
    brush = value if name == "brush" else 14.0
    extent = max((value if name == "size" else 60.0) / 100 * CANVAS - brush, brush)
    turned = rotated(strokes.samples[index], value if name == "rotation" else 0.0)
    place = value / 100 if name == "position" else 0.5
    return png(draw(turned, canvas=CANVAS, extent=extent, brush=brush, position=(place, 0.5)))


def measure(
    recognizer: Recognizer, file: Callable[[int], bytes], labels: list[int], pool: ProcessPoolExecutor
) -> tuple[float, float]:
    """The share right and half the width of its 95% interval."""
    glyph = partial(glyph_of_file, file, recognizer.record.cleaning)
    glyphs = list(pool.map(glyph, range(len(labels)), chunksize=50))
    correct = int(Answers.of(recognizer, np.array(labels), glyphs).right.sum())
    low, high = metrics.wilson(correct, len(labels))
    return correct / len(labels), (high - low) / 2


def draw_all(recognizer: Recognizer, strokes: StrokeSet, folder: Path, count: int = 600) -> None:
    """Draw `sweeps.png` from about `count` of some strokes that the model has not learned from."""
    spread = np.arange(len(strokes.labels)) % max(1, len(strokes.labels) // count) == 0
    unseen = strokes.subset(spread)
    points = [(quantity, value) for quantity, values in SWEEPS.items() for value in values]
    results: dict[str, tuple[list[float], list[float], list[float]]] = {name: ([], [], []) for name in SWEEPS}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for quantity, value in track(points, "brush, size, position, rotation", len(points)):
            share, half = measure(recognizer, partial(drawing, unseen, quantity, value), list(unseen.labels), pool)
            for column, number in zip(results[quantity], (value, share, half), strict=True):
                column.append(number)
    pictures.sweep(results, folder / "sweeps.png")
