"""What the network that judges candidates learns from: parts of composed numbers, and which character each is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading import rows
from app.reading.ink import Ink
from app.reading.lines import Parts
from app.reading.reader import DIRT, MARKS, NONE
from app.reading.rows import Row
from training import composing
from training.composing import Composed, Manner
from training.writers import Writers, made

Integers = npt.NDArray[np.int64]
Views = npt.NDArray[np.uint8]

KINDS: Final = (*"0123456789", *MARKS, DIRT, NONE)
"""What a candidate may be."""

_NEARLY, _CLEARLY, _LEAST = 0.06, 0.15, 0.5
"""A candidate is a character if it has as much of its ink in common with it (intersection over union) as the best one,
or less by at most the first, and the last at any rate; it is none if it has less by more than the second. What is
between is left out: nobody could say which it is."""

NEGATIVES: Final = 2.0
"""Candidates that are no character, for each that is one."""


@dataclass(frozen=True)
class Candidates:
    """`views`: (n, channels, 28, 28) uint8; `kinds`: (n,), places in `KINDS`."""

    views: Views
    kinds: Integers


def of_row(row: Row, composed: Composed, labels: str, rng: np.random.Generator) -> Candidates:
    """The candidates of a row, `labels` being the characters that `composed.owner` counts."""
    parts = Parts.of(row.ink)
    spans = parts.spans()
    picture = Image.fromarray(composed.owner.astype(np.int32) + 1)
    owner = np.asarray(row.of_picture(picture, Image.Resampling.NEAREST))
    drawn = parts.of_pixel > 0
    shared = np.zeros((len(parts.left) + 1, len(labels) + 1), np.int64)
    np.add.at(shared, (parts.of_pixel[drawn], owner[drawn]), 1)
    shared = shared[1:]
    sums = np.vstack([np.zeros((1, shared.shape[1]), np.int64), shared.cumsum(axis=0)])
    of_span = np.array([sums[after] - sums[first] for first, after in spans]).reshape(len(spans), -1)
    whole = shared.sum(axis=0)
    union = of_span.sum(axis=1, keepdims=True) + whole - of_span
    common = of_span[:, 1:] / np.maximum(union[:, 1:], 1)
    best, own = common.max(axis=0), common.argmax(axis=1)
    much = common.max(axis=1)
    behind = best[own] - much
    is_one = (behind <= _NEARLY) & (much >= _LEAST)
    kinds = np.array([KINDS.index(labels[place]) for place in own])
    kinds[~is_one] = KINDS.index(NONE)
    single = np.array([after == first + 1 for first, after in spans])
    kinds[single & (of_span[:, 0] > 0.7 * of_span.sum(axis=1))] = KINDS.index(DIRT)
    kept = is_one | (behind > _CLEARLY) | (much < _LEAST)
    wrong = np.flatnonzero(kept & (kinds == KINDS.index(NONE)))
    spared = rng.permutation(wrong)[: round(NEGATIVES * max(1, int(is_one.sum())))]
    chosen = np.concatenate([np.flatnonzero(kept & (kinds != KINDS.index(NONE))), spared])
    views = parts.views([spans[place] for place in chosen])
    return Candidates((255 * views.clip(0, 1)).round().astype(np.uint8), kinds[chosen])


def composed_at_random(writers: Writers, seed: int) -> Composed:
    """A number of 1 to 9 digits as training has them, in half of them neighbours that touch; sometimes two lines."""
    rng = np.random.default_rng(seed)
    manner = Manner.at_random(rng, float(rng.uniform(0.2, 1)) if rng.random() < 0.6 else 0.0, rng.random() < 0.5)
    manner = manner.of_another_hand(rng) if rng.random() < 0.7 else manner
    writer = writers.one(rng)
    texts = [composing.text_at_random(rng, 1, 9, manner.marks) for _ in range(1 + (rng.random() < 0.1))]
    composed = composing.page([(text, writer) for text in texts], manner, rng)
    return composing.soiled(composed, manner, rng) if rng.random() < 0.2 else composed


def _of_seed(writers: Writers, seed: int) -> Candidates | None:
    rng = np.random.default_rng(seed)
    composed = composed_at_random(writers, seed)
    found = rows.find(Ink(composed.ink))
    if len(found) != len(composed.lines):
        return None
    labels = "".join(composed.lines)
    parts = [of_row(row, composed, labels, rng) for row in found]
    return Candidates(np.concatenate([one.views for one in parts]), np.concatenate([one.kinds for one in parts]))


def many(writers: Writers, count: int, seed: int, jobs: int) -> Candidates:
    """The candidates of so many composed numbers, made by so many processes at once, with a progress bar."""
    seeds = range(seed * 10_000_019, seed * 10_000_019 + count)
    parts = [one for one in made(writers, _of_seed, seeds, "composed numbers", jobs, chunksize=50) if one]
    return Candidates(np.concatenate([one.views for one in parts]), np.concatenate([one.kinds for one in parts]))
