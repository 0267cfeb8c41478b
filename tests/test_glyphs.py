"""Ink to glyph: MNIST stays as it is; a drawing becomes the same glyph wherever and however large it is."""

import numpy as np
import pytest
from PIL import Image

from app.reading.glyphs import SIDE, to_glyph
from app.reading.ink import BlankImage, lift
from tests.support.handwriting import canvas, mnist_digits


def test_mnist_digits_stay_as_they_are() -> None:
    images, _ = mnist_digits()
    changes = [float(np.abs(to_glyph(lift(Image.fromarray(image))) - image / 255).mean()) for image in images]
    assert np.median(changes) < 0.001
    assert np.quantile(changes, 0.9) < 0.03  # specks are taken away, and a few digits move by a pixel


@pytest.mark.parametrize("extent", [60, 120, 240])
@pytest.mark.parametrize("position", [(0.0, 0.0), (1.0, 0.2), (0.5, 1.0)])
def test_place_and_size_do_not_matter(extent: float, position: tuple[float, float]) -> None:
    brush = 0.1 * extent
    glyph = to_glyph(lift(canvas(3, extent=extent, brush=brush, position=position)))
    middle = to_glyph(lift(canvas(3, extent=160, brush=16)))
    assert glyph.shape == (SIDE, SIDE)
    assert glyph.max() == pytest.approx(1.0)
    assert float(np.abs(glyph - middle).mean()) < 0.03


def test_the_glyph_fits_the_box_and_its_mass_is_in_the_middle() -> None:
    for digit in range(10):
        glyph = to_glyph(lift(canvas(digit)))
        drawn = np.argwhere(glyph > 0)
        assert (np.ptp(drawn, axis=0) + 1).max() <= 20
        centre = (np.indices(glyph.shape) * glyph).sum(axis=(1, 2)) / glyph.sum()
        assert np.all(np.abs(centre - 14) <= 1)


def test_specks_are_dirt() -> None:
    image = canvas(8)
    clean = to_glyph(lift(image))
    for spot in ((5, 5), (270, 12), (9, 268)):
        image.putpixel(spot, 0)
    assert np.array_equal(to_glyph(lift(image)), clean)


@pytest.mark.parametrize("size", [16, 28, 280, 500])
@pytest.mark.parametrize(("pen", "paper"), [(0, 255), (255, 0)])
def test_a_stray_pixel_is_blank(size: int, pen: int, paper: int) -> None:
    image = Image.new("L", (size, size), paper)
    image.putpixel((size // 3, size // 2), pen)
    with pytest.raises(BlankImage):
        to_glyph(lift(image))


def test_extreme_shapes() -> None:
    bar = Image.new("L", (500, 40), 255)
    bar.paste(0, (10, 18, 490, 20))
    assert to_glyph(lift(bar)).shape == (SIDE, SIDE)
    assert to_glyph(np.ones((1, 9), np.float32)).shape == (SIDE, SIDE)
