"""Labelled pictures in three parts: what is learned from, what decides every choice, and what is scored once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.datasets import GlyphSet

TEST_SHARE, VALIDATION_SHARE = 0.15, 0.15
"""Of the pictures of each label, about; all others are learned from."""

FEWEST_HELD_OUT, MOST_HELD_OUT = 2, 0.25
"""In the test part, and in the validation part, there are at least two pictures of each label and at most a quarter."""


@dataclass(frozen=True)
class Split:
    """The pictures of an alphabet, each part in random order."""

    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    training: GlyphSet
    validation: GlyphSet
    test: GlyphSet
    test_file: Callable[[int], bytes]
    """Index -> a test picture, encoded; can be sent to another process."""
    test_labels: npt.NDArray[np.int64]
    """(n,) of these pictures: more than glyphs where some are refused as blank."""
    files: tuple[str, ...] = ()
    """What was read of a data folder, as glob patterns."""
    origin: dict[str, Any] = field(default_factory=dict)
    """What a record tells of pictures that come from elsewhere."""


def by_content(labels: npt.NDArray[np.int64], digests: Sequence[bytes]) -> tuple[torch.Tensor, ...]:
    """The indices of the pictures for training, validation and the test, each in random order.

    A picture's digest decides, so that one that is added moves no other; except in a label of few pictures, which would
    have fewer than `FEWEST_HELD_OUT` in a part, or more than `MOST_HELD_OUT`.
    """
    places = np.array([int.from_bytes(digest[:8], "big") / 2**64 for digest in digests])
    order = np.argsort(places, kind="stable")
    part = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        most = int(MOST_HELD_OUT * len(own))
        tested = np.clip((places[own] < TEST_SHARE).sum(), FEWEST_HELD_OUT, most)
        judged = np.clip((places[own] < TEST_SHARE + VALIDATION_SHARE).sum() - tested, FEWEST_HELD_OUT, most)
        part[own[: tested + judged]], part[own[:tested]] = 1, 2
    return tuple(torch.from_numpy(order[part[order] == number]) for number in range(3))
