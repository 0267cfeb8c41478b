"""Pen strokes as other hands might have drawn them."""

import numpy as np

from training.strokes import Hand, StrokeSet

CROSS = [np.array([[10, 0], [10, 40]], np.float32), np.array([[0, 20], [10, 20], [20, 20]], np.float32)]


def test_a_hand_that_differs_in_nothing_changes_nothing() -> None:
    again = Hand(0, 0, 0, 0).rewritten(CROSS, np.random.default_rng(1))
    for stroke, before in zip(again, CROSS, strict=True):
        assert stroke.dtype == np.float32
        assert np.allclose(stroke, before, atol=1e-4)


def test_slant_moves_what_is_high_and_low_apart_and_keeps_heights() -> None:
    upright, bar = Hand(0, 0.5, 0, 0).rewritten(CROSS, np.random.default_rng(2))
    assert abs(upright[0, 0] - upright[1, 0]) > 1
    assert np.allclose(upright[:, 1], CROSS[0][:, 1], atol=1e-4)
    assert np.allclose(bar, CROSS[1], atol=1e-4)  # in the middle of the height


def test_every_copy_is_written_differently_and_keeps_its_label() -> None:
    strokes = StrokeSet([CROSS, CROSS], np.array([3, 5]), np.array(["a", "b"]))
    many = strokes.rewritten(Hand(6, 0.25, 0.12, 0.05), times=3, seed=1)
    assert many.labels.tolist() == [3, 5] * 3
    assert many.writers.tolist() == ["a", "b"] * 3
    assert len({sample[0].tobytes() for sample in many.samples}) == 6
    assert all(len(sample) == 2 for sample in many.samples)
