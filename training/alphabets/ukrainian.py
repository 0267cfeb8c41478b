"""The 33 Ukrainian letters, for 16 of which upper and lower case are told, and the ten digits.

Letters come from Rukopys (862 pictures of cursive, 200x200 pixels) and, of many hands, from Cyrillic-MNIST as far as
Russian and Kazakh share them; digits from MNIST and from pen strokes. Rukopys is too small to spare a test set: five
networks, each without another fifth of it, tell how good the one is that learns from all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.reading.glyphs import Cleaning
from training import archives, datasets, evaluation_sets, skeletons
from training.alphabets import Alphabet, DataSettings
from training.augmentation import Augmentation
from training.datasets import NO_CASE, GlyphSet
from training.evaluation_sets import EvaluationSet
from training.negatives import Lookalikes
from training.progress import console
from training.strokes import Hand, StrokeSet
from training.training_data import TrainingData

FILE = "rukopys.zip"
"""As Kaggle's `lynnporu/rukopys` is downloaded."""

NAMES = {
    "а": "a",
    "б": "be",
    "в": "ve",
    "г": "he",
    "ґ": "ge",
    "д": "de",
    "е": "e",
    "є": "ye",
    "ж": "zhe",
    "з": "ze",
    "и": "y",
    "і": "i",
    "ї": "yi",
    "й": "yot",
    "к": "ka",
    "л": "el",
    "м": "em",
    "н": "en",
    "о": "o",
    "п": "pe",
    "р": "er",
    "с": "es",
    "т": "te",
    "у": "u",
    "ф": "ef",
    "х": "kha",
    "ц": "tse",
    "ч": "che",
    "ш": "sha",
    "щ": "shcha",
    "ь": "soft sign",
    "ю": "yu",
    "я": "ya",
}
LABELS = (*NAMES, *"0123456789")
CASES = ("lower", "upper")
CASED = tuple("абвгдеєжзіїйклно")
"""Rukopys has both cases of these alone."""

FORMS = (*LABELS, *"".join(NAMES).upper())
"""What may be written: sets are put together of these, and then told what each means."""
_LABELS = torch.tensor([LABELS.index(form.lower()) for form in FORMS])
_CASES = torch.tensor([CASES.index("upper" if form.isupper() else "lower") for form in FORMS])
_CASES[[form.lower() not in CASED for form in FORMS]] = NO_CASE

_ZERO = FORMS.index("0")

FOLDS = 5

CLEANING = Cleaning(speck=0.01)
"""ї has two dots and й a breve; but no stroke stands beside another."""

LOOKALIKES = Lookalikes(
    "".join(NAMES) + "".join(NAMES).upper() + "ёЁъғҒқҚңҢұҰүҮөӨһ",
    tuple(LABELS.index(one) for one in "вгґежзиіїйклмнопрстуцчшщью013789"),
)

THICKEST = 0.15
"""Of a brush, as a share of the letter's size: more would fill its loops."""

REPEATED = 3
"""How often a picture of Rukopys is learned from in an epoch, warped anew each time."""
REWRITTEN = 5
"""How often besides as another hand might have written it, its box and its middle found anew."""
DRAWN = 24
"""Drawings of each of its skeletons, as many of it rewritten, and rewritten pictures."""
HAND = Hand(turn=6.0, slant=0.25, stretch=0.12, bend=0.05)
OF_PICTURES = Augmentation(rotation=6.0, shear=0.25, scale=0.12, translation=0.0, elastic=6.0)
"""The same of a picture of Rukopys, 200 pixels a side."""
AUGMENTATION = Augmentation().scaled(0.6)
"""Of glyphs: weaker than of digits alone, for large sets need little of it and Rukopys is rewritten."""
OF_MNIST = 12000
"""Digits, of which an epoch takes some."""


@dataclass(frozen=True)
class Written:
    """`pictures`: (n, height, width) uint8; `forms`: (n,), of `FORMS`."""

    pictures: npt.NDArray[np.uint8]
    forms: npt.NDArray[np.int64]

    def __getitem__(self, chosen: npt.NDArray[Any] | slice) -> "Written":
        return Written(self.pictures[chosen], self.forms[chosen])

    def glyphs(self, what: str) -> GlyphSet:
        return meant(datasets.from_pictures(what, self.pictures, self.forms, CLEANING))

    def rewritten(self, times: int, seed: int) -> "Written":
        seeds = range(seed * times, (seed + 1) * times)
        pictures = [datasets.warped(self.pictures, OF_PICTURES, one) for one in seeds]
        return Written(np.concatenate(pictures), np.tile(self.forms, times))

    def strokes(self) -> StrokeSet:
        return skeletons.strokes_of_all(self.pictures, self.forms, np.zeros(len(self.forms)), CLEANING)


def meant(written: GlyphSet) -> GlyphSet:
    """Forms as labels and cases."""
    return GlyphSet(written.glyphs, _LABELS[written.labels], _CASES[written.labels])


@cache
def rukopys(folder: Path) -> Written:
    """All pictures in random order, always the same. Ends the program where the file is missing."""
    pictures, rows = archives.read(folder / FILE, "lynnporu/rukopys", "glyphs.csv", itemgetter("filename"))
    written = (row["label"].upper() if row["is_uppercase"] == "True" else row["label"] for row in rows)
    return Written(pictures, np.array([FORMS.index(form) for form in written]))


def split(written: Written, fold: int) -> tuple[Written, Written, Written]:
    """For training, validation and the test: of each form a tenth and, in a fold from 1 to 5, a fifth; 0 tests none."""
    tenth = np.zeros(len(written.forms), np.int64)
    for form in np.unique(written.forms):
        places = np.flatnonzero(written.forms == form)
        tenth[places] = np.arange(len(places)) % (2 * FOLDS)
    test = np.isin(tenth, (fold - 1, fold - 1 + FOLDS)) if fold else np.zeros(len(tenth), np.bool_)
    validation = tenth == fold % (2 * FOLDS)
    return written[~test & ~validation], written[validation], written[test]


def others(file: Path, source: str) -> Written:
    """Cyrillic-MNIST's letters that are Ukrainian, of its `train`, `validation` or `test` part."""
    with np.load(file, allow_pickle=False) as archive:
        chosen = np.char.startswith(archive["source"], source) & np.isin(archive["letters"], FORMS)
        letters = archive["letters"][chosen]
        return Written(archive["images"][chosen], np.array([FORMS.index(letter) for letter in letters]))


def load_training(folder: Path, settings: DataSettings, limit: int | None, fold: int = 0) -> TrainingData:
    """Rukopys, again and again, with as extras the same rewritten, drawings, other letters, digits and what is none."""
    learned, judged, _ = (part[:limit] for part in split(rukopys(folder), fold))
    own = learned.glyphs("Rukopys")
    train = GlyphSet.joined([own] * REPEATED)
    written = learned.strokes()
    drawn = [
        draw(written, DRAWN, settings.seed, thickest=THICKEST),
        draw(written.rewritten(HAND, DRAWN, settings.seed), 1, settings.seed, thickest=THICKEST),
    ]
    whole = (REPEATED + REWRITTEN) / REPEATED  # of which all shares are
    validation = {
        "Rukopys": judged.glyphs("Rukopys, held out"),
        "drawings": draw(judged.strokes(), 8, seed=0, thickest=THICKEST),
    }
    extras = {
        "rewritten": (learned.rewritten(DRAWN, settings.seed).glyphs("rewritten"), REWRITTEN / (REPEATED + REWRITTEN)),
        "drawings": (GlyphSet.joined(drawn), 4 * settings.drawings_per_epoch),
    }
    if (file := datasets.letters_in(folder)) is None:
        console.print(f"No {datasets.LETTERS_FILE} in the data folder: training without other people's letters.")
    else:
        letters = others(file, "train")
        letters = letters[np.random.default_rng(settings.seed).permutation(len(letters.forms))[:limit]]
        extras["other hands"] = letters.glyphs("Cyrillic-MNIST"), 2 * settings.drawings_per_epoch
        some = letters[:8000]
        spoilt = datasets.damaged(some.pictures, some.forms, settings.seed, CLEANING)
        extras["damaged"] = meant(spoilt), settings.damaged_per_epoch
        validation["other hands"] = others(file, "validation")[:3000][:limit].glyphs("Cyrillic-MNIST, held out")
    images, digits = datasets.mnist_pictures(folder, train=True)
    forms = digits + _ZERO
    held_out = min(settings.validation, len(images) // 6, 1000)
    some = Written(images[held_out : held_out + OF_MNIST], forms[held_out : held_out + OF_MNIST])[:limit]
    extras["digits"] = some.glyphs("MNIST"), 2 * settings.drawings_per_epoch
    validation["digits"] = Written(images[:held_out], forms[:held_out])[:limit].glyphs("MNIST, held out")
    if (strokes := datasets.pen_strokes(folder)) is not None:
        pens = [replace(one, labels=one.labels + _ZERO) for one in strokes]
        extras["drawn digits"] = (
            draw(pens[0], settings.drawings_per_sample // 2, settings.seed, limit),
            3 * settings.drawings_per_epoch,
        )
        validation["drawn digits"] = draw(pens[1], 1, 0, limit)
    count = max(64, 2 * round(len(train) * whole * settings.no_characters_per_epoch))
    none = datasets.no_characters(folder, own, count, settings.seed, CLEANING, LOOKALIKES)
    extras["no characters"] = none, settings.no_characters_per_epoch
    return TrainingData(train, {name: (part, share * whole) for name, (part, share) in extras.items()}, validation)


def draw(strokes: StrokeSet, times: int, seed: int, limit: int | None = None, thickest: float = 1.0) -> GlyphSet:
    return meant(datasets.drawings(strokes, times, seed, limit, CLEANING, thickest))


def load_test(folder: Path, fold: int = 0) -> GlyphSet:
    """The fifth of Rukopys that a fold leaves out; else other people's letters."""
    if fold:
        return split(rukopys(folder), fold)[2].glyphs("Rukopys test")
    if (file := datasets.letters_in(folder)) is None:
        raise SystemExit(f"There is no {datasets.LETTERS_FILE} in {folder}, whose letters are the test.")
    return others(file, "test").glyphs("Cyrillic-MNIST test")


def load_evaluation(folder: Path, fold: int = 0) -> list[EvaluationSet]:
    """What a fold leaves out, as it comes and drawn; of the network that learns from all, what is not of Rukopys."""
    if fold:
        left_out = split(rukopys(folder), fold)[2]
        return [
            _asked(
                "Rukopys", left_out.forms, partial(evaluation_sets.scanned, left_out.pictures), "letters as they come"
            ),
            _asked(
                "drawings",
                left_out.forms,
                partial(evaluation_sets.drawing, left_out.strokes(), 0.0, thickest=THICKEST),
                "their skeletons drawn on a canvas: any place, size, brush and paper",
            ),
        ]
    images, digits = datasets.mnist_pictures(folder, train=False)
    sets = [_asked("MNIST test", digits + _ZERO, partial(evaluation_sets.scanned, images), "scanned digits")]
    if (strokes := datasets.pen_strokes(folder)) is not None:
        drawn = partial(evaluation_sets.drawing, strokes[1], 0.0)
        sets.append(_asked("drawn digits", strokes[1].labels + _ZERO, drawn, "canvas drawings by people never seen"))
    if (file := datasets.letters_in(folder)) is not None:
        letters = others(file, "test")
        scans = partial(evaluation_sets.scanned, letters.pictures)
        sets.append(_asked("Cyrillic-MNIST test", letters.forms, scans, "letters by many hands, some labels inferred"))
    learned = split(rukopys(folder), 0)[0].glyphs("Rukopys")
    what = "scribbles, textures, other letters, halves of characters and pairs of them"
    none = evaluation_sets.no_characters(folder, learned.pictures, learned.labels.numpy(), what, LOOKALIKES)
    return [*sets, none]


def _asked(name: str, forms: npt.NDArray[np.int64], file: Callable[[int], bytes], what: str) -> EvaluationSet:
    return EvaluationSet(name, _LABELS.numpy()[forms], file, what, _CASES.numpy()[forms])


def held_out(fold: int) -> Alphabet:
    """For cross-validation: without a fifth of Rukopys, which then is the test."""
    return replace(
        ALPHABET,
        load_training=partial(load_training, fold=fold),
        load_test=partial(load_test, fold=fold),
        test_name="Rukopys",
        load_evaluation=partial(load_evaluation, fold=fold),
    )


ALPHABET = Alphabet(
    name="ukrainian",
    title="Ukrainian letters",
    labels=LABELS,
    files=(FILE, datasets.LETTERS_FILE, "MNIST/raw/*-ubyte", datasets.STROKES_FILE),
    load_training=load_training,
    load_test=load_test,
    test_name="Cyrillic-MNIST test",
    temperature_from="Rukopys",
    threshold_from=("Rukopys", "drawings", "drawn digits"),
    load_evaluation=load_evaluation,
    targets={
        f"Rukopys, {FOLDS} folds": 0.965,
        f"Rukopys, {FOLDS} folds, case": 0.95,
        f"drawings, {FOLDS} folds": 0.94,
        "drawn digits": 0.985,
    },
    names=NAMES,
    cases=CASES,
    cased=CASED,
    cleaning=CLEANING,
    augmentation=AUGMENTATION,
    least_sure=0.8,
    folds=FOLDS,
    held_out=held_out,
)
