"""Bytes to ink: every paper, mode and format gives the same ink; what is no picture is refused by name."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from app.reading.picture import WORKING_SIDE, TooManyPixels, UnreadablePicture, decode
from app.reading.pipeline import BlankImage
from tests.support.handwriting import canvas
from tests.support.pictures import encoded
from tests.support.reading import glyph_of, ink_of, pixels_of

DRAWN = canvas(5)
INK = 1 - np.asarray(DRAWN, np.float32) / 255


def transparent(stroke: str) -> Image.Image:
    image = Image.new("RGBA", DRAWN.size, stroke)
    image.putalpha(ImageOps.invert(DRAWN))
    return image


def coloured(pen: str, paper: str) -> Image.Image:
    return Image.composite(Image.new("RGB", DRAWN.size, paper), Image.new("RGB", DRAWN.size, pen), DRAWN)


def palette() -> Image.Image:
    image = transparent("black").quantize(16)
    assert image.mode == "P"
    return image


PAPERS: dict[str, Callable[[], Image.Image]] = {
    "black on white": lambda: DRAWN,
    "white on black": lambda: ImageOps.invert(DRAWN),
    "black on transparent": lambda: transparent("black"),
    "white on transparent": lambda: transparent("white"),
    "red on transparent": lambda: transparent("red"),
    "blue on white": lambda: coloured("blue", "white"),
    "yellow on white": lambda: coloured("yellow", "white"),
    "red on a green of the same brightness": lambda: coloured("#ff0000", "#008200"),
    "grey with alpha": lambda: transparent("black").convert("LA"),
    "palette with transparency": palette,
    "CMYK": lambda: DRAWN.convert("CMYK"),
    "1 bit": lambda: DRAWN.convert("1"),
    "16 bit": lambda: Image.fromarray(np.asarray(DRAWN).astype(np.uint16) * 257),
    "float": lambda: Image.fromarray(np.asarray(DRAWN).astype(np.float32) / 255),
}


@pytest.mark.parametrize("paper", PAPERS)
def test_the_ink_is_the_same_on_every_paper(paper: str) -> None:
    image = PAPERS[paper]()
    file = encoded(image, "TIFF" if image.mode in ("CMYK", "F", "I;16") else "PNG")
    ink = ink_of(file)
    assert ink.shape == (280, 280)
    assert ink.dtype == np.float32
    assert float(np.abs(ink - INK).mean()) < 0.01


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats(format: str) -> None:
    assert float(np.abs(ink_of(encoded(DRAWN, format)) - INK).mean()) < 0.01


def test_exif_orientation_is_obeyed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the picture is to be turned 90 degrees clockwise
    turned = encoded(DRAWN.transpose(Image.Transpose.ROTATE_90).convert("RGB"), "JPEG", exif=exif, quality=95)
    assert float(np.abs(ink_of(turned) - INK).mean()) < 0.01


def test_large_pictures_are_shrunk_to_the_working_size() -> None:
    large = DRAWN.resize((2800, 2100))
    assert ink_of(encoded(large)).shape == (384, WORKING_SIDE)
    assert max(decode(encoded(large, "JPEG")).image.size) == WORKING_SIDE


def one_pixel(size: int, pen: int, paper: int) -> Image.Image:
    image = Image.new("L", (size, size), paper)
    image.putpixel((size // 3, size // 2), pen)
    return image


def noisy_paper() -> Image.Image:
    grain = np.random.default_rng(1).normal(230, 3, (300, 400, 3))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


BLANKS: dict[str, Image.Image] = {
    "white": Image.new("RGB", (280, 280), "white"),
    "black": Image.new("L", (280, 280), 0),
    "transparent": Image.new("RGBA", (280, 280), (0, 0, 0, 0)),
    "one colour": Image.new("RGB", (90, 50), (200, 30, 99)),
    "one pixel large": Image.new("L", (1, 1), 128),
    "nearly one 16-bit grey": Image.fromarray(np.tile(np.arange(30_000, 30_060, dtype=np.uint16), (60, 1))),
    "nearly one colour": Image.fromarray(np.tile(np.arange(250, 256, dtype=np.uint8), (60, 10))),
}


@pytest.mark.parametrize("what", BLANKS)
def test_blank_pictures(what: str) -> None:
    with pytest.raises(BlankImage, match=r"^Image is blank\. Please provide a valid digit\.$"):
        glyph_of(encoded(BLANKS[what]))


PNG = encoded(DRAWN)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\x03\x04" + bytes(100), PNG[: len(PNG) // 2]],
    ids=["empty", "text", "svg", "zip", "truncated"],
)
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(UnreadablePicture) as refused:
        ink_of(data)
    message = str(refused.value)
    assert message.endswith(".")
    assert "Traceback" not in message
    assert "0x" not in message
    assert ("PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF" in message) == bool(data)


@pytest.mark.parametrize(("side", "said"), [(12_000, "12000 x 12000 pixels, 144 million"), (30_000, "too many pixels")])
def test_the_pixel_limit_holds_before_decoding(side: int, said: str) -> None:
    with pytest.raises(TooManyPixels, match=f"{said}; at most 120 million are accepted."):
        ink_of(encoded(Image.new("1", (side, side))))


def test_a_photograph_loses_its_shadow() -> None:
    x = np.linspace(1.0, 0.45, 280, dtype=np.float32)
    grain = np.random.default_rng(2).normal(0, 2, (280, 280))
    photo = Image.fromarray(np.clip((60 + 190 * (1 - INK)) * x + grain, 0, 255).astype(np.uint8))
    ink = ink_of(encoded(photo, "JPEG", quality=80))
    assert ink[INK == 0].mean() < 0.02
    assert ink[INK == 1].mean() > 0.8


def test_small_thin_writing_is_ink_and_a_larger_reflection_is_not() -> None:
    spot = Image.new("L", (280, 280), 0)
    ImageDraw.Draw(spot).ellipse((190, 180, 230, 220), fill=80)
    light = 1 + np.asarray(spot.filter(ImageFilter.GaussianBlur(6)), np.float32) / 255
    for digit in range(10):
        drawn = canvas(digit, extent=60, brush=4, position=(0.2, 0.3))
        ink = 1 - np.asarray(drawn, np.float32) / 255
        grain = np.random.default_rng(digit).normal(0, 2, ink.shape)
        photo = Image.fromarray(((180 - 130 * ink) * light + grain).clip(0, 255).astype(np.uint8))
        assert np.abs(pixels_of(encoded(photo)) - pixels_of(drawn)).mean() < 0.06, digit


def test_faint_slanted_lines_around_a_digit_leave_no_trace() -> None:
    for digit in range(10):
        drawn = canvas(digit, extent=90, brush=7)
        paper = noisy_paper().crop((0, 0, 280, 280))
        for y in (20, 50, 230, 260):
            ImageDraw.Draw(paper).line((0, y - 10, 280, y + 10), fill=(165, 180, 205), width=2)
        paper.paste((30, 30, 70), mask=ImageOps.invert(drawn))
        glyph = pixels_of(encoded(paper, "JPEG", quality=80))
        assert np.abs(glyph - pixels_of(drawn)).mean() < 0.05, digit


@pytest.mark.parametrize("brush", [28, 42])
@pytest.mark.parametrize("darkest", [1.0, 0.5])
def test_a_thick_marker_is_ink_all_over(brush: int, darkest: float) -> None:
    """Also where it is as thick as its gaps, so that what is around it is mostly ink; in even light or along a slope."""
    light = np.linspace(1, darkest, 280)
    for digit in range(10):
        ink = 1 - np.asarray(canvas(digit, extent=200, brush=brush), np.float32) / 255
        grain = np.random.default_rng(digit).normal(0, 4, ink.shape)
        photo = Image.fromarray(((235 - 205 * ink) * light + grain).clip(0, 255).astype(np.uint8))
        assert np.corrcoef(ink_of(encoded(photo)).ravel(), ink.ravel())[0, 1] > 0.98, digit


@pytest.mark.parametrize("brush", [28, 42])
def test_a_thick_marker_in_a_tight_crop_survives_compression(brush: int) -> None:
    """Half of such a picture is ink, which must not pass for the paper's noise."""
    for digit in range(10):
        drawn = canvas(digit, extent=180, brush=brush)
        tight = ImageOps.expand(drawn.crop(ImageOps.invert(drawn).getbbox()), 4, 255)
        coloured = ImageOps.colorize(tight, (220, 40, 60), (240, 225, 120))
        ink = 1 - np.asarray(tight, np.float32) / 255
        assert np.corrcoef(ink_of(encoded(coloured, "JPEG", quality=60)).ravel(), ink.ravel())[0, 1] > 0.98, digit


@pytest.mark.parametrize("shade", [20, 100, 250])
@pytest.mark.parametrize("noise", [2, 3, 5, 10])
def test_blank_paper_in_a_photograph(shade: int, noise: int) -> None:
    """Few of many pixels are always far from the rest; that does not make them ink."""
    for height in (64, 280, 1000):
        grain = np.random.default_rng(1).normal(shade, noise, (height, height))
        with pytest.raises(BlankImage):
            glyph_of(encoded(Image.fromarray(grain.clip(0, 255).astype(np.uint8))))


def test_ruled_lines_are_not_ink() -> None:
    paper = noisy_paper()
    pen = ImageDraw.Draw(paper)
    for y in range(30, 300, 60):
        pen.line((0, y, 400, y), fill=(150, 170, 210), width=2)
    pen.line((200, 60, 200, 240), fill=(20, 20, 60), width=12)
    ink = ink_of(paper.rotate(0))
    assert ink[60:240, 195:205].mean() > 0.8
    assert ink[:, :150].mean() < 0.02


@pytest.mark.parametrize("shade", ["black", "white", "red"])
def test_a_thick_stroke_on_transparency_is_not_paper(shade: str) -> None:
    """A 1 cut to its ink is opaque nearly everywhere."""
    mask = Image.new("L", (60, 200), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 59, 199), 30, fill=255)
    stroke = Image.new("RGBA", mask.size, shade)
    stroke.putalpha(mask)
    assert np.array_equal(ink_of(stroke)[1:-1, 1:-1] > 0.5, np.asarray(mask) > 127)


@pytest.mark.parametrize("paper", ["black", "white"])
def test_a_digit_cut_out_of_paper_is_ink(paper: str) -> None:
    stencil = Image.new("RGBA", DRAWN.size, paper)
    stencil.putalpha(DRAWN)
    assert float(np.abs(ink_of(stencil) - INK).mean()) < 0.01


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("inverted", [False, True])
def test_strokes_that_fill_the_edge_are_not_paper(digit: int, inverted: bool) -> None:
    """A thick digit cropped to its ink has more ink than paper on some edges."""
    thick = canvas(digit, extent=90, brush=26)
    tight = thick.crop(ImageOps.invert(thick).getbbox())
    ink = ink_of(ImageOps.invert(tight) if inverted else tight)
    assert np.corrcoef(ink.ravel(), 255 - np.asarray(tight, float).ravel())[0, 1] > 0.99
