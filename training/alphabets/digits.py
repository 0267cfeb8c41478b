"""The digits 0 to 9, from MNIST and from pen strokes drawn anew."""

from pathlib import Path

from training import datasets, evaluation_sets
from training.alphabets import Alphabet, DataSettings
from training.datasets import GlyphSet
from training.progress import console
from training.strokes import StrokeSet
from training.training_data import TrainingData


def load_training(folder: Path, settings: DataSettings, limit: int | None) -> TrainingData:
    """MNIST, with as extras damaged and small copies of it, drawings of pen strokes, and pictures that are no digit.

    The first pictures of MNIST and the last writers of the pen strokes are for validation, their copies included.
    """
    images, labels = datasets.mnist_pictures(folder, train=True)
    images, labels = images[:limit], labels[:limit]
    held_out = min(settings.validation, len(images) // 6)
    train = datasets.from_pictures("MNIST", images[held_out:], labels[held_out:])
    validation = {"MNIST": datasets.from_pictures("MNIST, held out", images[:held_out], labels[:held_out])}
    extras = {}
    for name, spoil, share in (
        ("damaged", datasets.damaged, settings.damaged_per_epoch),
        ("small", datasets.small, settings.small_per_epoch),
    ):
        half = slice(held_out, None, 2)
        extras[name] = (spoil(images[half], labels[half], settings.seed), share)
        validation[name] = spoil(images[: held_out // 2], labels[: held_out // 2], 0)
    strokes = datasets.pen_strokes(folder)
    if strokes is None:
        console.print(f"No {datasets.STROKES_FILE} in the data folder: training without pen-stroke drawings.")
    else:
        learned, judged = strokes
        drawings = datasets.drawings(learned, settings.drawings_per_sample, settings.seed, limit)
        extras["drawings"] = (drawings, settings.drawings_per_epoch)
        validation["drawings"] = datasets.drawings(judged, 1, seed=0, limit=limit)
        small = datasets.small_drawings(learned, settings.drawings_per_sample // 2, settings.seed, limit)
        extras["small"] = (GlyphSet.joined([extras["small"][0], small]), settings.small_per_epoch)
        small = datasets.small_drawings(judged, 1, seed=0, limit=limit)
        validation["small"] = GlyphSet.joined([validation["small"], small])
    count = max(64, 2 * round(len(train) * settings.no_characters_per_epoch))
    no_digits = datasets.no_characters(folder, train, count, settings.seed)
    return TrainingData(train, extras | {"no digits": (no_digits, settings.no_characters_per_epoch)}, validation)


def load_test(folder: Path) -> GlyphSet:
    return datasets.from_pictures("MNIST test", *datasets.mnist_pictures(folder, train=False))


def load_strokes(folder: Path) -> StrokeSet | None:
    strokes = datasets.pen_strokes(folder)
    return strokes and strokes[1]


ALPHABET = Alphabet(
    name="digits",
    title="Digits",
    labels=tuple("0123456789"),
    files=("MNIST/raw/*-ubyte", datasets.STROKES_FILE, datasets.LETTERS_FILE),
    load_training=load_training,
    load_test=load_test,
    test_name="MNIST test",
    temperature_from="MNIST",
    threshold_from=("MNIST", "drawings"),
    load_evaluation=evaluation_sets.of_digits,
    squeezed=0.4,
    load_strokes=load_strokes,
    targets={
        "MNIST test": 0.9975,
        "drawings": 0.985,
        "turned drawings": 0.975,
        "photographs": 0.95,
        "USPS test": 0.97,
        "Semeion": 0.96,
        "optdigits": 0.98,
        "MNIST-C mean": 0.97,
    },
)
