"""A second look: only at doubtful glyphs, at views that keep the character."""

import numpy as np
import pytest

from app.reading import second_look
from tests.support.handwriting import mnist_digits

GLYPHS = (mnist_digits()[0][:8] / 255).astype(np.float32)


def test_views_are_the_glyph_a_little_changed() -> None:
    seen = second_look.views(GLYPHS[0])
    assert seen.shape == (4, 28, 28)
    assert seen.min() >= 0
    assert seen.max() <= 1
    for view in seen:
        assert 0.02 < np.abs(view - GLYPHS[0]).mean() < 0.15
        assert np.corrcoef(view.ravel(), GLYPHS[0].ravel())[0, 1] > 0.5


def test_larger_and_smaller_and_turned() -> None:
    square = np.zeros((28, 28), np.float32)
    square[9:19, 9:19] = 1
    turned, turned_back, larger, smaller = second_look.views(square)
    assert larger.sum() > square.sum() > smaller.sum()
    assert np.allclose([turned.sum(), turned_back.sum()], square.sum(), rtol=0.02)


def test_only_the_doubtful_are_seen_again() -> None:
    asked: list[int] = []

    def ask(glyphs: np.ndarray) -> np.ndarray:
        asked.append(len(glyphs))
        first = np.tile(np.array([[0.95, 0.05]], np.float32), (len(glyphs), 1))
        if len(asked) == 1:
            first[2] = [0.6, 0.4]  # the one that is doubtful at first; its views are clear
        return first

    shares = second_look.probabilities(ask, GLYPHS)
    assert asked == [8, 4]
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares[[0, 1, 3, 4, 5, 6, 7], 0] == pytest.approx(0.95)
    odds = (0.6 / 0.4 * (0.95 / 0.05) ** 4) ** (1 / 5)  # a geometric mean of shares is one of odds, between two labels
    assert shares[2, 0] == pytest.approx(odds / (1 + odds), rel=1e-4)


def test_all_heads_are_asked_together_and_seen_again_where_the_first_doubts() -> None:
    asked: list[int] = []

    def ask(glyphs: np.ndarray) -> list[np.ndarray]:
        asked.append(len(glyphs))
        sure, torn = np.array([[0.95, 0.05]], np.float32), np.array([[0.6, 0.4]], np.float32)
        labels, cases = np.repeat(sure, len(glyphs), 0), np.repeat(torn, len(glyphs), 0)
        if len(asked) == 1:
            labels[2] = torn[0]
        else:
            cases[:] = [0.2, 0.8]  # by its views it is of the other case
        return [labels, cases]

    labels, cases = second_look.of_heads(ask, GLYPHS)
    assert asked == [8, 4]
    for shares in (labels, cases):
        assert shares.sum(axis=1) == pytest.approx(1)
    assert cases.argmax(axis=1).tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    odds = (0.6 / 0.4 * (0.2 / 0.8) ** 4) ** (1 / 5)
    assert cases[2, 0] == pytest.approx(odds / (1 + odds), rel=1e-4)


def test_nothing_doubtful_is_asked_once() -> None:
    asked: list[int] = []

    def ask(glyphs: np.ndarray) -> np.ndarray:
        asked.append(len(glyphs))
        return np.tile(np.array([[0.99, 0.01]], np.float32), (len(glyphs), 1))

    second_look.probabilities(ask, GLYPHS)
    assert asked == [8]
