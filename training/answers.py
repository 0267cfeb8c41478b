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
from training.datasets import NO_CASE
from training.evaluation_sets import EvaluationSet, glyph_of_file
from training.progress import track

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """`probabilities`: (n, labels), all zero where the picture was refused as blank; `glyphs`: (n, 28, 28); `cases`:
    (n, 2), what they are and what was said, `NO_CASE` where nobody can tell; None in an alphabet without any.
    """

    labels: Labels
    glyphs: Floats
    probabilities: Floats
    cases: Labels | None = None

    @classmethod
    def of(
        cls, recognizer: Recognizer, labels: Labels, glyphs: Sequence[Glyph | None], cases: Labels | None = None
    ) -> "Answers":
        """Asked in this process; `cases` are those that would be right."""
        pixels = np.zeros((len(glyphs), SIDE, SIDE), np.float32)
        probabilities = np.zeros((len(glyphs), len(recognizer.labels)), np.float32)
        found = [(place, glyph) for place, glyph in enumerate(glyphs) if glyph]
        told, order = np.full(len(glyphs), NO_CASE), list[str](recognizer.record.cases)
        answered = recognizer.predict([glyph for _, glyph in found])
        for (place, glyph), prediction in zip(found, answered, strict=True):
            pixels[place], probabilities[place] = glyph.pixels, prediction.probabilities
            if prediction.case is not None:
                told[place] = order.index(prediction.case)
        return cls(labels, pixels, probabilities, _beside(cases, told))

    @classmethod
    def joined(cls, parts: Sequence["Answers"]) -> "Answers":
        """Those of several sets, or of several networks to a part of one each."""
        cases = [one.cases for one in parts if one.cases is not None]
        return cls(
            np.concatenate([one.labels for one in parts]),
            np.concatenate([one.glyphs for one in parts]),
            np.concatenate([one.probabilities for one in parts]),
            np.concatenate(cases) if cases else None,
        )

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
    def case_right(self) -> npt.NDArray[np.bool_]:
        """Of those alone whose case can be told."""
        if self.cases is None:
            return np.zeros(0, np.bool_)
        wanted, told = self.cases.T
        right: npt.NDArray[np.bool_] = (wanted == told)[wanted != NO_CASE]
        return right

    @property
    def confidence(self) -> Floats:
        best: Floats = self.probabilities.max(axis=1)
        return best


def ask(recognizer: Recognizer, asked: EvaluationSet, pool: ProcessPoolExecutor) -> Answers:
    """Answers of the code that serves requests, called in this process."""
    count = len(asked.labels)
    glyph = partial(glyph_of_file, asked.file, recognizer.record.cleaning)
    work = pool.map(glyph, range(count), chunksize=max(8, count // 32))  # the set goes along with each chunk
    return Answers.of(recognizer, asked.labels, list(track(work, asked.name, count)), asked.cases)


def ask_api(url: str, record: ModelRecord, asked: EvaluationSet, pool: ProcessPoolExecutor) -> Answers:
    """Answers of a running API."""
    count, step = len(asked.labels), remote.FILES_A_CALL
    calls = [range(start, min(start + step, count)) for start in range(0, count, step)]
    work = pool.map(partial(remote.ask, url, record, asked.file), calls, chunksize=max(1, len(calls) // 32))
    glyphs, probabilities, told = map(np.concatenate, zip(*track(work, asked.name, len(calls)), strict=True))
    return Answers(asked.labels, glyphs, probabilities, _beside(asked.cases, told))


def _beside(wanted: Labels | None, told: Labels) -> Labels | None:
    return None if wanted is None else np.stack((wanted, told), axis=1)
