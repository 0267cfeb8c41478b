"""What frames of a row say: texts, and how likely they are."""

import itertools
import math

import numpy as np
import pytest

from app.reading import ctc


def said(path: tuple[int, ...]) -> ctc.Said:
    """What a symbol for each frame says."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def by_text(shares: ctc.Doubles) -> dict[ctc.Said, float]:
    """All texts, and how likely they are: by every path there is."""
    texts: dict[ctc.Said, float] = {}
    frames, symbols = shares.shape
    for path in itertools.product(range(symbols), repeat=frames):
        texts[said(path)] = texts.get(said(path), 0.0) + math.prod(shares[range(frames), path])
    return texts


@pytest.mark.parametrize("seed", range(6))
def test_texts_are_as_likely_as_all_paths_that_say_them(seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet([0.5] * 4, 6)
    every = by_text(shares)
    asked = [(), (1,), (1, 1), (1, 2), (3, 3, 3), (2, 1, 2, 1), (1, 2, 3, 1, 2, 3)]
    assert np.exp(ctc.likelihoods(shares, asked)) == pytest.approx([every[text] for text in asked], rel=1e-6)
    assert sum(every.values()) == pytest.approx(1)


def test_a_text_that_is_longer_than_its_row_is_impossible() -> None:
    shares = np.full((2, 3), 1 / 3)
    assert ctc.likelihoods(shares, [(1, 2), (1, 1), (1, 2, 1)])[1:].max() < -500


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_texts_are_proposed_in_their_order(seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet([0.3] * 4, 6)
    every = by_text(shares)
    assert ctc.texts(shares, 200)[:5] == sorted(every, key=lambda text: -every[text])[:5]


def test_symbols_that_are_hardly_likely_are_not_proposed() -> None:
    assert ctc.texts(np.array([[0.9, 0.0995, 0.0005]]), 5) == [(), (1,)]


def test_silence_that_goes_on_tells_nothing() -> None:
    silent, one = [0.9999, 0.0001], [0.0001, 0.9999]
    frames = np.array([silent, silent, one, one, silent, silent, silent, one, silent])
    told = ctc.telling(frames)
    assert told.tolist() == [silent, one, one, silent, one, silent]
    assert ctc.texts(told, 1) == [(1, 1)]
    assert ctc.likelihoods(told, [(1, 1)]) == pytest.approx(ctc.likelihoods(frames, [(1, 1)]), abs=1e-2)
