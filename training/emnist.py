"""EMNIST (G. Cohen et al. 2017, arXiv:1702.05373): letters and digits of thousands of people, in MNIST's format."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torchvision.datasets import EMNIST

from app.reading.glyphs import Cleaning
from training import datasets, evaluation_sets
from training.datasets import Pictures
from training.splits import VALIDATION_SHARE, Split

SPLITS = EMNIST.splits
"""Which characters they are, and of which letters upper and lower case are labels of their own."""

MOST_FOR_VALIDATION = 5000


@cache
def read(data: Path, split: str, cleaning: Cleaning) -> Split:
    """One of `SPLITS`, some of its own training part for validation; downloaded where it is not in `data` yet.

    Ends the program where it can be had from nowhere.
    """
    (pictures, targets), (test, test_targets) = _part(data, split, True), _part(data, split, False)
    held_out = min(MOST_FOR_VALIDATION, round(VALIDATION_SHARE * len(pictures)))
    glyphs = partial(datasets.from_pictures, cleaning=cleaning)
    return Split(
        labels_of(split),
        glyphs(f"EMNIST {split}", pictures[held_out:], targets[held_out:]),
        glyphs(f"EMNIST {split}, held out", pictures[:held_out], targets[:held_out]),
        glyphs(f"EMNIST {split} test", test, test_targets),
        partial(evaluation_sets.scanned, test),
        test_targets,
        files=(f"EMNIST/raw/emnist-{split}-*-ubyte",),
    )


def labels_of(split: str) -> tuple[str, ...]:
    """Characters that its pictures show, which do not count "N/A", the label 0 of the letters."""
    return tuple(name for name in EMNIST.classes_split_dict[split] if name != "N/A")


def _part(data: Path, split: str, train: bool) -> tuple[Pictures, npt.NDArray[np.int64]]:
    """(n, 28, 28) uint8, ink bright, upright, in random order, and which of `labels_of` each shows."""
    try:
        raw = EMNIST(str(data), split, train=train, download=True)
    except (OSError, RuntimeError):
        raise SystemExit(
            f"EMNIST is not in {data / 'EMNIST' / 'raw'}, and cannot be downloaded. Put {EMNIST.url} there."
        ) from None
    order = np.random.default_rng(0).permutation(len(raw.data))
    upright = raw.data.numpy().transpose(0, 2, 1)[order]  # its files have rows for columns
    return upright, raw.targets.numpy()[order].astype(np.int64) - (EMNIST.classes_split_dict[split][0] == "N/A")
