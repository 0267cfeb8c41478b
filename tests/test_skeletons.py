"""Strokes found in a picture are those that it was drawn with."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

from tests.support.handwriting import canvas
from tests.support.reading import ink_of, pixels_of
from training.skeletons import strokes_of
from training.strokes import draw


@pytest.mark.parametrize("digit", range(10))
def test_drawn_anew_it_is_the_same_character(digit: int) -> None:
    drawn = canvas(digit)
    strokes = strokes_of(ink_of(drawn))
    again = draw(strokes, canvas=280, extent=160, brush=16)
    before, after = pixels_of(drawn) > 0.5, pixels_of(again) > 0.5
    for one, other in ((before, after), (after, before)):
        assert not (one & ~binary_dilation(other, np.ones((3, 3)))).any()


def test_strokes_that_stand_apart_stay_apart() -> None:
    three = Image.new("L", (64, 64), "white")
    pen = ImageDraw.Draw(three)
    for y, left, right in ((12, 18, 46), (30, 22, 42), (50, 8, 56)):
        pen.line((left, y, right, y), fill="black", width=4)
    strokes = sorted(strokes_of(ink_of(three)), key=lambda stroke: float(stroke[0, 1]))
    assert len(strokes) == 3
    widths = [np.ptp(stroke[:, 0]) for stroke in strokes]
    assert widths[1] < widths[0] < widths[2]


def test_a_ring_is_closed() -> None:
    ring = Image.new("L", (64, 64), "white")
    ImageDraw.Draw(ring).ellipse((10, 10, 54, 54), outline="black", width=4)
    (stroke,) = strokes_of(ink_of(ring))
    assert np.abs(stroke[0] - stroke[-1]).max() < 2
