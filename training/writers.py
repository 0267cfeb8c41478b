"""Whose digits numbers are put together of, and what is made of them by many processes at once."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from training import datasets
from training.composing import BlendedDigits, Draw, PenDigits, ScannedDigits, pens_of
from training.progress import track

HELD_OUT: Final = 5000
"""The first training scans, of which none is learned from: choices are made by them."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Writers:
    """Pen strokes of each of some people, and scans of many."""

    pens: tuple[PenDigits, ...]
    scans: ScannedDigits
    share: float = 0.6
    """Of lines that are drawn by pens."""

    def one(self, rng: np.random.Generator) -> Draw:
        return self.pens[int(rng.integers(len(self.pens)))] if rng.random() < self.share else self.scans

    def anybody(self, rng: np.random.Generator) -> Draw:
        """Scans in three of ten, else one of the people, or one who does not exist."""
        kind = rng.random()
        if kind < 0.3:
            return self.scans
        one, other = (self.pens[int(place)] for place in rng.integers(0, len(self.pens), 2))
        return one if kind < 0.55 else BlendedDigits(one, other, float(rng.uniform(-0.3, 1.3)))


def to_learn_from(data: Path) -> Writers:
    """Ends the program where there are no pen strokes."""
    strokes, _ = datasets.needed_pen_strokes(data)
    pictures, labels = datasets.mnist_pictures(data, train=True)
    return Writers(pens_of(strokes), ScannedDigits(pictures[HELD_OUT:], labels[HELD_OUT:]))


def unseen(data: Path, held_out: bool) -> Writers:
    """Those by whom nothing was chosen, for the test, if `held_out`; else those by whom choices are made.

    Ends the program where there are no pen strokes.
    """
    _, strokes = datasets.needed_pen_strokes(data)
    people = np.unique(strokes.writers)
    half = len(people) // 2
    pens = pens_of(strokes.subset(np.isin(strokes.writers, people[half:] if held_out else people[:half])))
    pictures, labels = datasets.mnist_pictures(data, train=not held_out)
    return Writers(pens, ScannedDigits(pictures[:HELD_OUT], labels[:HELD_OUT]))


def made(
    writers: Writers,
    make: Callable[[Writers, int], Made],
    seeds: range,
    what: str,
    jobs: int | None = None,
    chunksize: int = 1,
) -> Iterator[Made]:
    """What is made of each seed, in order, by so many processes, one for each core if not said; with a progress bar."""
    with ProcessPoolExecutor(jobs or os.cpu_count(), initializer=_start, initargs=(writers,)) as pool:
        yield from track(pool.map(partial(_made, make), seeds, chunksize=chunksize), what, len(seeds))


_writers: Writers


def _start(writers: Writers) -> None:
    """Once in each process: they are too large to be sent along with each task."""
    global _writers
    _writers = writers


def _made(make: Callable[[Writers, int], Made], seed: int) -> Made:
    return make(_writers, seed)
