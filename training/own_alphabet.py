"""An alphabet of anybody's own, from pictures alone: a folder for each label, or EMNIST.

Few pictures are enough: an epoch shows each many times, warped and damaged in another way, beside drawings of its
skeleton by other pens.
"""

import argparse
import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps

from app.reading.glyphs import Cleaning
from training import alphabets, datasets, emnist, evaluation_sets, negatives, picture_folder, skeletons
from training.alphabets import Alphabet, DataSettings
from training.datasets import NO_CHARACTER, GlyphSet, Pictures
from training.evaluation_sets import EvaluationSet
from training.splits import Split
from training.strokes import StrokeSet
from training.training_data import TrainingData

Group = argparse._ArgumentGroup  # argparse has no public name for it

Read = Callable[[], Split]
"""The pictures of an alphabet, which are read once. Can be sent to another process, which reads them again."""

TEST = "test pictures"

CLEANING = Cleaning(speck=0.01, cut_off=False)
"""Of characters that nobody here knows: small pieces may belong to them, and pieces that stand apart."""

THICKEST = 0.15
"""Of a brush, as a share of the character's size."""

LEAST_SURE = 0.8
"""Too few pictures are held out to tell from them how sure one may be. [0.5: of 32 letters learned from 20 pictures
each, 98% of answers are sure, and 5.1% sure and wrong; so, 89% and 2.0%]"""

RAREST = 10
"""A label is seen at least a tenth as often as the most frequent one."""

MOST_DRAWINGS = 40_000
FEWEST_TO_JUDGE_BY, MOST_TO_JUDGE_BY = 300, 5000
"""Drawings, and damaged pictures, of the validation part, of few pictures several each."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def add_options(parser: argparse.ArgumentParser) -> Group:
    """What names an alphabet, beside `--data`; returns the group of those that are for one's own."""
    here = ", ".join(alphabets.NAMES)
    parser.add_argument(
        "--alphabet",
        default="digits",
        metavar="NAME",
        help=f"{here}, or a name for your own, with --pictures or --emnist (%(default)s)",
    )
    own = parser.add_argument_group("an alphabet of your own")
    own.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help=f"folder with a folder for each label, named by it, of {picture_folder.FEW} pictures or more: DIR/α/1.png",
    )
    own.add_argument(
        "--emnist", choices=emnist.SPLITS, help="a set of EMNIST in the data folder; downloaded if missing"
    )
    return own


def chosen(args: argparse.Namespace, name: str, title: str = "", fold: int = 0) -> Alphabet:
    """The alphabet of a name, from what `add_options` asked for; raises ValueError with what is wrong with that.

    A `title` is for one's own, a `fold` for those that are judged by cross-validation.
    """
    here = ", ".join(alphabets.NAMES)
    if args.pictures and args.emnist:
        raise ValueError("--pictures and --emnist are of two alphabets: train one after the other")
    if name in alphabets.NAMES:
        if args.pictures or args.emnist or title:
            raise ValueError(f"{name} is an alphabet that is here already: give yours another name by --alphabet NAME")
        folds = alphabets.named(name).folds
        if not 0 <= fold <= folds:
            raise ValueError(f"{name} has folds 1 to {folds}" if folds else f"{name} has no folds")
        return alphabets.named(name, fold)
    if fold:
        raise ValueError("an alphabet of your own has no folds")
    if not (args.pictures or args.emnist):
        raise ValueError(f"there is no alphabet {name} here, only {here}; for your own, say --pictures DIR")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"an alphabet cannot be called {name!r}, since its name stands in addresses: at most 32 small letters a to "
            "z, digits and hyphens, a letter first. What people read is the --title"
        )
    read = (
        partial(emnist.read, args.data, args.emnist, CLEANING)
        if args.emnist
        else partial(picture_folder.read, args.pictures, CLEANING)
    )
    return of(name, title or name.replace("-", " ").capitalize(), read)


def of(name: str, title: str, read: Read) -> Alphabet:
    """The alphabet of some pictures, which are read at once."""
    pictures = read()
    return Alphabet(
        name=name,
        title=title,
        labels=pictures.labels,
        files=pictures.files,
        load_training=partial(_load_training, read),
        load_test=partial(_load_test, read),
        test_name=TEST,
        temperature_from="damaged",
        threshold_from=("pictures", "drawings"),
        load_evaluation=partial(_load_evaluation, read),
        targets={},
        cleaning=CLEANING,
        least_sure=LEAST_SURE,
        origin=pictures.origin,
    )


def _load_training(read: Read, _: Path, settings: DataSettings, limit: int | None) -> TrainingData:
    """The pictures as they are, repeated to fill an epoch, with as extras damaged ones, drawings of their skeletons and
    what is no character.
    """
    learned, judged = read().training[:limit], read().validation[:limit]
    least = min(settings.least_per_epoch, limit or settings.least_per_epoch)
    train = learned[torch.from_numpy(evened(learned.labels.numpy(), least))]
    size, seed = len(train), settings.seed
    spoilt = _damaged(learned, round(2 * settings.damaged_per_epoch * size), seed)
    drawn = _drawings(learned, min(MOST_DRAWINGS, round(4 * settings.drawings_per_epoch * size)), seed)
    none = _no_characters(learned, max(64, round(2 * settings.no_characters_per_epoch * size)), seed)
    judges = min(MOST_TO_JUDGE_BY, max(FEWEST_TO_JUDGE_BY, len(judged)))
    return TrainingData(
        train,
        {
            "damaged": (spoilt, settings.damaged_per_epoch),
            "drawings": (drawn, 2 * settings.drawings_per_epoch),
            "no characters": (none, settings.no_characters_per_epoch),
        },
        {
            "pictures": judged,
            "damaged": _damaged(judged, judges, seed=0),
            "drawings": _drawings(judged, judges, seed=0),
        },
    )


def _load_test(read: Read, _: Path) -> GlyphSet:
    return read().test


def _load_evaluation(read: Read, _: Path) -> list[EvaluationSet]:
    pictures = read()
    test = pictures.test[:MOST_TO_JUDGE_BY]
    strokes = skeletons.strokes_of_glyphs(test)
    return [
        EvaluationSet(TEST, pictures.test_labels, pictures.test_file, "pictures that nothing was learned from"),
        EvaluationSet(
            "drawings",
            strokes.labels,
            partial(evaluation_sets.drawing, strokes, 0.0, thickest=THICKEST),
            "their skeletons drawn on a canvas: any place, size, brush and paper",
        ),
        EvaluationSet(
            "no character",
            np.full(2000, NO_CHARACTER),
            partial(_file_of_no_character, test.pictures),
            "scribbles, textures and pairs of characters",
        ),
    ]


def evened(labels: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.intp]:
    """Indices of all pictures, some of them repeated: at least so many, and no label rarer than `RAREST` allows."""
    counts = np.bincount(labels)
    wanted = max(least / np.count_nonzero(counts), counts.max() / RAREST)
    return _of_each(labels, np.maximum(counts, math.ceil(wanted)))


def _alike(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.intp]:
    """Indices of about so many pictures, as many of each label."""
    counts = np.bincount(labels)
    return _of_each(labels, np.full(len(counts), math.ceil(count / np.count_nonzero(counts))))


def _of_each(labels: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Indices of so many pictures of each label: its first ones, or all of them again and again."""
    own = (np.flatnonzero(labels == label) for label in range(len(counts)))
    return np.concatenate([np.resize(one, count) for one, count in zip(own, counts, strict=True) if one.size])


def _damaged(part: GlyphSet, count: int, seed: int) -> GlyphSet:
    labels = part.labels.numpy()
    places = _alike(labels, count)
    return datasets.damaged(part.pictures[places], labels[places], seed, CLEANING)


def _drawings(part: GlyphSet, count: int, seed: int) -> GlyphSet:
    """About so many drawings of skeletons, each with a brush and a size of its own."""
    places, which = np.unique(_alike(part.labels.numpy(), count), return_inverse=True)
    strokes = skeletons.strokes_of_glyphs(part[torch.from_numpy(places)])
    repeated = StrokeSet([strokes.samples[one] for one in which], strokes.labels[which], strokes.writers[which])
    return datasets.drawings(repeated, 1, seed, cleaning=CLEANING, thickest=THICKEST)


def _no_characters(part: GlyphSet, count: int, seed: int) -> GlyphSet:
    work = partial(_glyph_of_no_character, part[:2000].pictures)
    tasks = [seed * 1_000_003 + number for number in range(count)]
    return datasets.in_parallel("no characters", work, tasks, np.full(count, NO_CHARACTER))


def _glyph_of_no_character(characters: Pictures, seed: int) -> Pictures | None:
    return datasets.glyph_of_picture(_no_character(characters, seed), CLEANING)


def _file_of_no_character(characters: Pictures, index: int) -> bytes:
    return evaluation_sets.png(_no_character(characters, 7_000_000 + index))


def _no_character(characters: Pictures, seed: int) -> Image.Image:
    """Black on white. Neither halves of characters, which may be others of this alphabet, nor letters of another."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3)
    if kind == 0:
        return negatives.scribble(rng)
    if kind == 1:
        return negatives.texture(rng)
    return ImageOps.invert(Image.fromarray(negatives.two_characters(rng, characters)))
