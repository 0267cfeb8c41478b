"""What a model answers to an evaluation set, asked in this process or through a running API."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from app.reading.glyphs import SIDE, Glyph
from app.reading.recognizer import ModelRecord, Recognizer
from training import remote
from training.evaluation_sets import EvaluationSet, glyph_of_file
from training.progress import track

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """`probabilities`: (n, labels), all zero where the picture was refused as blank; `glyphs`: (n, 28, 28)."""

    labels: npt.NDArray[np.int64]
    glyphs: Floats
    probabilities: Floats

    @classmethod
    def of(cls, recognizer: Recognizer, labels: npt.NDArray[np.int64], glyphs: Sequence[Glyph | None]) -> "Answers":
        pixels = np.zeros((len(glyphs), SIDE, SIDE), np.float32)
        probabilities = np.zeros((len(glyphs), len(recognizer.labels)), np.float32)
        found = [(place, glyph) for place, glyph in enumerate(glyphs) if glyph]
        answered = recognizer.predict([glyph for _, glyph in found])
        for (place, glyph), prediction in zip(found, answered, strict=True):
            pixels[place], probabilities[place] = glyph.pixels, prediction.probabilities
        return cls(labels, pixels, probabilities)

    def by(self, other: Recognizer) -> "Answers":
        """What another model says of each of the same glyphs, alone."""
        probabilities = other.probabilities(self.glyphs)
        probabilities[~self.glyphs.any(axis=(1, 2))] = 0
        return Answers(self.labels, self.glyphs, probabilities)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        answered = self.probabilities.any(axis=1)
        return answered & (self.probabilities.argmax(axis=1) == self.labels)

    @property
    def confidence(self) -> Floats:
        best: Floats = self.probabilities.max(axis=1)
        return best


def ask(recognizer: Recognizer, asked: EvaluationSet, pool: ProcessPoolExecutor) -> Answers:
    """Answers of the code that serves requests, called in this process."""
    count = len(asked.labels)
    glyph = partial(glyph_of_file, asked.file, recognizer.record.cleaning)
    work = pool.map(glyph, range(count), chunksize=max(8, count // 32))  # the set goes along with each chunk
    return Answers.of(recognizer, asked.labels, list(track(work, asked.name, count)))


def ask_api(url: str, record: ModelRecord, asked: EvaluationSet, pool: ProcessPoolExecutor) -> Answers:
    """Answers of a running API."""
    count, step = len(asked.labels), remote.FILES_A_CALL
    calls = [range(start, min(start + step, count)) for start in range(0, count, step)]
    work = pool.map(partial(remote.ask, url, record, asked.file), calls, chunksize=max(1, len(calls) // 32))
    glyphs, probabilities, _ = zip(*track(work, asked.name, len(calls)), strict=True)
    return Answers(asked.labels, np.concatenate(glyphs), np.concatenate(probabilities))
