"""Samples -> what is learned from them, and what a model is judged by: nobody drew for both."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from app.reading.glyphs import Cleaning, Glyph
from app.reading.picture import ReadingError, decode
from app.reading.pipeline import glyph_of
from app.samples.sample import NOT_A_CHARACTER, Sample
from training.alphabets import Alphabet
from training.datasets import NO_CHARACTER, GlyphSet
from training.progress import track

HELD_OUT: Final = 4
"""One visitor of so many is never learned from, in this retraining or in any other."""

BY_HAND: Final = 2
"""How often a label that somebody has reviewed is shown for one that only its drawer has given."""

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Corrections:
    """Glyphs to learn, and how often each is shown, relative to the others: (n,)."""

    glyphs: GlyphSet
    weights: torch.Tensor

    def __len__(self) -> int:
        return len(self.glyphs)


def usable(samples: Iterable[Sample], alphabet: Alphabet) -> list[Sample]:
    """Those of an alphabet of which somebody has said what they are, those that were reviewed first."""
    known = {*alphabet.labels, NOT_A_CHARACTER}
    of_it = [one for one in samples if one.alphabet == alphabet.name and one.label in known]
    return sorted(of_it, key=lambda one: not one.reviewed)


def by_visitor(sample: Sample) -> str:
    """Who drew a sample; where that is not known, the same picture is at least on one side alone."""
    return sample.visitor or hashlib.sha256(sample.picture).hexdigest()


def by_drawing(sample: Sample) -> str:
    """For samples of one person: how well that person's other drawings are read says little of others'."""
    return hashlib.sha256(sample.picture).hexdigest()


SPLITS: Final[dict[str, Callable[[Sample], str]]] = {"visitor": by_visitor, "drawing": by_drawing}


def split(samples: Sequence[Sample], key: Callable[[Sample], str]) -> tuple[list[Sample], list[Sample]]:
    """Those to learn from and those to judge by. On which side a key is does not depend on what other samples there
    are.
    """
    held_out = [int(hashlib.sha256(key(one).encode()).hexdigest(), 16) % HELD_OUT == 0 for one in samples]
    sides = {side: [one for one, out in zip(samples, held_out, strict=True) if out == side] for side in (False, True)}
    return sides[False], sides[True]


def labels_of(samples: Sequence[Sample], alphabet: Alphabet) -> Labels:
    """(n,), `NO_CHARACTER` where there is none."""
    places = {label: place for place, label in enumerate(alphabet.labels)} | {NOT_A_CHARACTER: NO_CHARACTER}
    return np.array([places[one.label or NOT_A_CHARACTER] for one in samples], np.int64)


def read(samples: Sequence[Sample], cleaning: Cleaning, pool: ProcessPoolExecutor) -> list[Glyph | None]:
    """The glyph of each, as the code that serves requests reads it; None where there is none."""
    pictures = [one.picture for one in samples]
    return list(track(pool.map(partial(_glyph, cleaning), pictures, chunksize=16), "samples", len(pictures)))


def _glyph(cleaning: Cleaning, picture: bytes) -> Glyph | None:
    try:
        return glyph_of(decode(picture), cleaning)
    except ReadingError:
        return None


def corrections(samples: Sequence[Sample], alphabet: Alphabet, pool: ProcessPoolExecutor) -> Corrections:
    """What is learned from samples; pictures without a glyph teach nothing."""
    found = [(one, glyph) for one, glyph in zip(samples, read(samples, alphabet.cleaning, pool), strict=True) if glyph]
    pixels = np.zeros((len(found), 28, 28), np.uint8)
    for place, (_, glyph) in enumerate(found):
        pixels[place] = np.round(glyph.pixels * 255)
    weights = torch.tensor([float(BY_HAND if one.reviewed else 1) for one, _ in found])
    return Corrections(GlyphSet.of(pixels, labels_of([one for one, _ in found], alphabet)), weights)
