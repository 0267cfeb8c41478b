"""What surrounds the paper is no ink: the glyph is the same with a border, bars or a margin around the picture."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from app.reading import frame
from app.reading.pipeline import BlankImage
from tests.support.handwriting import canvas, mnist_digits
from tests.support.pictures import encoded
from tests.support.reading import pixels_of

DIGITS = range(10)


def bordered(picture: Image.Image, shade: object, *sides: int) -> Image.Image:
    """`sides` as in ImageOps.expand: all, or left and right, top and bottom."""
    return ImageOps.expand(picture.convert("RGB"), sides if len(sides) > 1 else sides[0], shade)  # type: ignore[arg-type]


def transparent_margin(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture.convert("RGBA"), 12, (0, 0, 0, 0))


def transparent_corners(picture: Image.Image) -> Image.Image:
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 279, 279), 60, fill=255)
    picture = picture.convert("RGBA")
    picture.putalpha(mask)
    return picture


FRAMES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "black border": lambda picture: bordered(picture, "black", 2),
    "blue border": lambda picture: bordered(picture, (60, 90, 220), 1),
    "grey all round": lambda picture: bordered(picture, (128, 128, 128), 20),
    "black left and right": lambda picture: bordered(picture, "black", 90, 0),
    "dark above and below": lambda picture: bordered(picture, (14, 17, 23), 0, 60),
    "a border within bars": lambda picture: bordered(bordered(picture, "navy", 3), "black", 80, 0),
    "a canvas with a border on a page of its colour": lambda picture: bordered(
        bordered(picture, (150, 150, 150), 1), (picture.getpixel((0, 0)),) * 3, 60, 40
    ),
    "transparent margin": transparent_margin,
    "transparent corners": transparent_corners,
    "desk around a note": lambda picture: bordered(
        Image.composite(Image.new("RGB", picture.size, (250, 240, 120)), picture.convert("RGB"), picture),
        (120, 80, 50),
        30,
    ),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("inverted", [False, True])
def test_the_glyph_is_the_same_in_a_frame(kind: str, inverted: bool) -> None:
    for digit in DIGITS:
        picture = ImageOps.invert(canvas(digit)) if inverted and kind != "desk around a note" else canvas(digit)
        framed = pixels_of(encoded(FRAMES[kind](picture)))
        assert np.abs(framed - pixels_of(picture)).max() < 0.1, digit


def test_soft_edges_and_compression_hide_no_frame() -> None:
    for digit in DIGITS:
        framed = bordered(canvas(digit), "black", 21).resize((301, 301), Image.Resampling.BILINEAR)
        glyph = pixels_of(encoded(framed, "JPEG", quality=80))
        assert np.abs(glyph - pixels_of(canvas(digit))).mean() < 0.03, digit


def test_a_frame_around_nothing_is_blank() -> None:
    with pytest.raises(BlankImage):
        pixels_of(bordered(Image.new("L", (280, 280), "white"), "black", 10))


SEGMENTS = {
    "top": (90, 40, 190, 60),
    "upper right": (170, 40, 190, 150),
    "lower right": (170, 130, 190, 240),
    "bottom": (90, 220, 190, 240),
    "lower left": (90, 130, 110, 240),
    "upper left": (90, 40, 110, 150),
    "middle": (90, 130, 190, 150),
}
LIT = {0: SEGMENTS.keys() - {"middle"}, 1: ("upper right", "lower right"), 8: SEGMENTS.keys()}


def square(digit: int, thinner: int = 0) -> Image.Image:
    """As a display shows it, with solid segments."""
    picture = Image.new("L", (280, 280), 255)
    pen = ImageDraw.Draw(picture)
    for name in LIT[digit]:
        left, top, right, bottom = SEGMENTS[name]
        pen.rectangle((left + thinner, top + thinner, right - thinner, bottom - thinner), fill=0)
    return picture


@pytest.mark.parametrize("digit", [0, 1, 8])
def test_a_solid_digit_is_no_frame(digit: int) -> None:
    for picture in (square(digit), square(digit).crop((85, 35, 196, 246)), square(digit, thinner=7)):
        assert frame.paper_box([np.asarray(picture)]) is None


def test_a_fat_round_digit_in_few_pixels_is_no_frame() -> None:
    """One pixel further in, nearly all of its outline is ink, and its hole is like a digit on paper."""
    picture = Image.new("L", (28, 28), 0)
    pen = ImageDraw.Draw(picture)
    pen.polygon([(11, 4), (17, 4), (21, 9), (21, 19), (17, 23), (11, 23), (7, 19), (7, 9)], fill=255)
    pen.rectangle((13, 12, 15, 15), fill=0)
    assert frame.paper_box([np.asarray(picture)]) is None


def test_ordinary_pictures_stay_as_they_are() -> None:
    for picture in [
        *(canvas(digit, extent=90, brush=26) for digit in DIGITS),
        *map(Image.fromarray, mnist_digits()[0]),
    ]:
        tight = picture.crop(ImageOps.invert(picture).getbbox()) if picture.mode == "L" else picture
        assert frame.paper_box([np.asarray(picture)]) is None
        assert frame.paper_box([np.asarray(tight)]) is None


@pytest.mark.parametrize("left", [0, 340])
@pytest.mark.parametrize("top", [0, 60])
@pytest.mark.parametrize("ink_is_bright", [True, False])
def test_the_corner_of_a_screenshot_is_the_paper(left: int, top: int, ink_is_bright: bool) -> None:
    """The part that is drawn on, beside a panel with bars; the other way round, too."""
    area = Image.new("L", (560, 560), "black" if ink_is_bright else "white")
    drawn = canvas(3, extent=180, brush=22)
    area.paste(ImageOps.invert(drawn) if ink_is_bright else drawn, (120, 130))
    picture = Image.new("L", (900, 620), "white" if ink_is_bright else "black")
    picture.paste(area, (left, top))
    for bar in range(5):
        x = 40 if left else 600
        picture.paste(40 if ink_is_bright else 210, (x, 90 + 50 * bar, x + 220, 110 + 50 * bar))
    assert np.abs(pixels_of(picture) - pixels_of(area)).max() < 0.1
