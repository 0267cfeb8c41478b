"""Fifteen Chinese numerals, from Chinese MNIST (K. Nazarpour and M. Chen, Newcastle University, 2017): 100 people wrote
each ten times.

The pictures have 64x64 pixels. Drawings are made of their skeletons, as pens of other widths would have drawn them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.reading.glyphs import Cleaning
from training import archives, datasets, evaluation_sets, skeletons
from training.alphabets import Alphabet, DataSettings
from training.datasets import GlyphSet
from training.evaluation_sets import EvaluationSet
from training.negatives import Lookalikes
from training.strokes import StrokeSet
from training.training_data import TrainingData

FILE = "chinese-mnist.zip"
"""As Kaggle's `gpreda/chinese-mnist` is downloaded."""

NAMES = {
    "零": "zero, líng",
    "一": "one, yī",
    "二": "two, èr",
    "三": "three, sān",
    "四": "four, sì",
    "五": "five, wǔ",
    "六": "six, liù",
    "七": "seven, qī",
    "八": "eight, bā",
    "九": "nine, jiǔ",
    "十": "ten, shí",
    "百": "hundred, bǎi",
    "千": "thousand, qiān",
    "万": "ten thousand, wàn",
    "亿": "hundred million, yì",
}
LABELS = tuple(NAMES)

TEST_WRITERS, VALIDATION_WRITERS = 15, 10
"""The last and those before them, by number; all others are learned from."""

THICKEST = 0.1
"""Of a brush, as a share of the character's size: 零 has ten strokes one above another."""

CLEANING = Cleaning(speck=0.01, cut_off=False)
"""Strokes stand apart; and a bar at the edge is one of 二 or 三."""

LOOKALIKES = Lookalikes("ЛлІіЇїТтғҒһ", tuple(LABELS.index(one) for one in "一二三五六七八九十千万亿"))


@dataclass(frozen=True)
class Written:
    """`pictures`: (n, 64, 64) uint8, ink bright; `labels`, `writers`: (n,)."""

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    writers: npt.NDArray[np.int64]

    def __getitem__(self, chosen: npt.NDArray[Any] | slice) -> "Written":
        return Written(self.pictures[chosen], self.labels[chosen], self.writers[chosen])

    def glyphs(self) -> GlyphSet:
        return datasets.from_pictures("Chinese MNIST", self.pictures, self.labels, CLEANING)

    def strokes(self) -> StrokeSet:
        return skeletons.strokes_of_all(self.pictures, self.labels, self.writers, CLEANING)


@cache
def read(folder: Path) -> Written:
    """All pictures, in random order, always the same; read once for training and test.

    Ends the program where the file is missing.
    """
    name = "data/data/input_{suite_id}_{sample_id}_{code}.jpg"
    pictures, rows = archives.read(
        folder / FILE, "gpreda/chinese-mnist", "chinese_mnist.csv", lambda row: name.format(**row)
    )
    labels = [LABELS.index(row["character"]) for row in rows]
    return Written(pictures, np.array(labels), np.array([int(row["suite_id"]) for row in rows]))


def by_writer(written: Written) -> tuple[Written, Written, Written]:
    """For training, validation and the test: nobody wrote for two of them."""
    everybody = np.unique(written.writers)
    tested, judged = everybody[-TEST_WRITERS:], everybody[-TEST_WRITERS - VALIDATION_WRITERS : -TEST_WRITERS]
    test, validation = np.isin(written.writers, tested), np.isin(written.writers, judged)
    return written[~test & ~validation], written[validation], written[test]


def load_training(
    folder: Path, settings: DataSettings, limit: int | None, everything: Callable[[Path], Written] = read
) -> TrainingData:
    """The pictures as they are, with as extras damaged ones, drawings of their skeletons and what is no numeral."""
    learned, judged, _ = (part[:limit] for part in by_writer(everything(folder)))
    train = learned.glyphs()
    spoilt = datasets.damaged(learned.pictures, learned.labels, settings.seed, CLEANING)
    drawn = datasets.drawings(
        learned.strokes(), settings.drawings_per_sample, settings.seed, cleaning=CLEANING, thickest=THICKEST
    )
    count = max(64, 2 * round(len(train) * settings.no_characters_per_epoch))
    none = datasets.no_characters(folder, train, count, settings.seed, CLEANING, LOOKALIKES)
    return TrainingData(
        train,
        {
            "damaged": (spoilt, settings.damaged_per_epoch),
            "drawings": (drawn, 2 * settings.drawings_per_epoch),
            "no characters": (none, settings.no_characters_per_epoch),
        },
        {
            "Chinese MNIST": judged.glyphs(),
            "drawings": datasets.drawings(judged.strokes(), 2, seed=0, cleaning=CLEANING, thickest=THICKEST),
        },
    )


def load_test(folder: Path, everything: Callable[[Path], Written] = read) -> GlyphSet:
    return by_writer(everything(folder))[2].glyphs()


def load_evaluation(folder: Path) -> list[EvaluationSet]:
    test = by_writer(read(folder))[2]
    glyphs = test.glyphs()
    return [
        EvaluationSet(
            "Chinese MNIST test",
            test.labels,
            partial(evaluation_sets.scanned, test.pictures),
            "numerals of 15 people never seen, as they come",
        ),
        EvaluationSet(
            "drawings",
            test.labels,
            partial(evaluation_sets.drawing, test.strokes(), 0.0, thickest=THICKEST),
            "their skeletons drawn on a canvas: any place, size, brush and paper",
        ),
        evaluation_sets.no_characters(
            folder,
            glyphs.pictures,
            glyphs.labels.numpy(),
            "scribbles, textures, letters, halves of numerals and pairs of them",
            LOOKALIKES,
        ),
    ]


ALPHABET = Alphabet(
    name="chinese",
    title="Chinese numerals",
    labels=LABELS,
    files=(FILE, datasets.LETTERS_FILE),
    load_training=load_training,
    load_test=load_test,
    test_name="Chinese MNIST test",
    temperature_from="Chinese MNIST",
    threshold_from=("Chinese MNIST", "drawings"),
    load_evaluation=load_evaluation,
    targets={"Chinese MNIST test": 0.998, "drawings": 0.995},
    names=NAMES,
    cleaning=CLEANING,
)
