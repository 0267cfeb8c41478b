"""Ink to glyph: MNIST stays as it is; a drawing becomes the same glyph wherever and however large it is."""

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw, ImageOps

from app.reading import glyphs, pipeline
from app.reading.glyphs import SIDE, Cleaning
from app.reading.ink import Ink
from app.reading.picture import Picture
from app.reading.pipeline import BlankImage
from tests.support.handwriting import canvas, mnist_digits
from tests.support.pictures import encoded
from tests.support.reading import glyph_of, pixels_of


def test_mnist_digits_stay_as_they_are() -> None:
    images, _ = mnist_digits()
    changes = [float(np.abs(pixels_of(Image.fromarray(image)) - image / 255).mean()) for image in images]
    assert np.median(changes) < 0.001
    assert np.quantile(changes, 0.9) < 0.03  # specks are taken away, and a few digits move by a pixel


@pytest.mark.parametrize("extent", [60, 120, 240])
@pytest.mark.parametrize("position", [(0.0, 0.0), (1.0, 0.2), (0.5, 1.0)])
def test_place_and_size_do_not_matter(extent: float, position: tuple[float, float]) -> None:
    brush = 0.1 * extent
    glyph = pixels_of(canvas(3, extent=extent, brush=brush, position=position))
    middle = pixels_of(canvas(3, extent=160, brush=16))
    assert glyph.shape == (SIDE, SIDE)
    assert glyph.max() == pytest.approx(1.0)
    assert float(np.abs(glyph - middle).mean()) < 0.03


def test_the_glyph_fits_the_box_and_its_mass_is_in_the_middle() -> None:
    for digit in range(10):
        glyph = pixels_of(canvas(digit))
        drawn = np.argwhere(glyph > 0)
        assert (np.ptp(drawn, axis=0) + 1).max() <= 20
        centre = (np.indices(glyph.shape) * glyph).sum(axis=(1, 2)) / glyph.sum()
        assert np.all(np.abs(centre - 14) <= 1)


def test_specks_are_dirt() -> None:
    image = canvas(8)
    clean = pixels_of(image)
    for spot in ((5, 5), (270, 12), (9, 268)):
        image.putpixel(spot, 0)
    assert np.array_equal(pixels_of(image), clean)


@pytest.mark.parametrize("size", [16, 28, 280, 500])
@pytest.mark.parametrize(("pen", "paper"), [(0, 255), (255, 0)])
def test_a_stray_pixel_is_blank(size: int, pen: int, paper: int) -> None:
    image = Image.new("L", (size, size), paper)
    image.putpixel((size // 3, size // 2), pen)
    with pytest.raises(BlankImage):
        pixels_of(image)


def test_extreme_shapes() -> None:
    bar = Image.new("L", (500, 40), 255)
    bar.paste(0, (10, 18, 490, 20))
    assert pixels_of(bar).shape == (SIDE, SIDE)
    line = glyphs.find(Picture.of(Image.new("L", (9, 1))), Ink(np.ones((1, 9), np.float32)))
    assert line is not None
    assert line.pixels.shape == (SIDE, SIDE)


def test_a_glyph_knows_where_it_was_and_how_large() -> None:
    """In pixels of the picture as sent: shrunk, framed or turned by EXIF, the box is the digit's."""
    paper = Image.new("L", (2000, 1000), "white")
    paper.paste("black", (400, 200, 480, 800))
    framed = ImageOps.expand(paper, 50, "black")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    lying = encoded(paper.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)
    for source, border in (
        (encoded(paper), 0),
        (encoded(paper, "JPEG", quality=95), 0),
        (encoded(framed), 50),
        (lying, 0),
    ):
        glyph = glyph_of(source)
        assert np.abs(np.subtract(glyph.box, (400 + border, 200 + border, 480 + border, 800 + border))).max() <= 8
        assert glyph.scale == pytest.approx(20 / 600, rel=0.02)


def test_the_box_of_a_stroke_cut_to_its_ink_is_the_whole_picture() -> None:
    stroke = Image.new("RGBA", (30, 60), "black")
    stroke.putpixel((0, 0), (0, 0, 0, 0))
    assert glyph_of(stroke).box == (0, 0, 30, 60)
    assert glyph_of(stroke).scale == pytest.approx(20 / 60)


def test_what_is_dirt_is_the_alphabets_to_say() -> None:
    image = canvas(1)
    ImageDraw.Draw(image).ellipse((20, 20, 40, 40), fill=0)
    dotted = pipeline.glyph_of(Picture.of(image), Cleaning(speck=0.0))
    clean = pipeline.glyph_of(Picture.of(image), Cleaning(speck=0.5))
    assert dotted.box[:2] == pytest.approx((20, 20), abs=1)
    assert clean.box[0] > 60
