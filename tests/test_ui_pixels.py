"""Sizes and parts of pictures, upright as a browser shows them."""

import io
from typing import Any

import pytest
from PIL import Image

from app.ui import pixels


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def lying(width: int, height: int) -> bytes:
    """A JPEG that a browser turns to the right; upright, its left half is red and its right half blue."""
    upright = Image.new("RGB", (width, height), "red")
    upright.paste("blue", (width // 2, 0, width, height))
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


def test_a_size_is_told_as_it_is_shown() -> None:
    assert pixels.size_of(encoded(Image.new("L", (30, 20)))) == (30, 20)
    assert pixels.size_of(lying(40, 100)) == (40, 100)


def test_a_part_is_cut_out_upright() -> None:
    part = Image.open(io.BytesIO(pixels.cropped(lying(40, 100), (22, 10, 38, 50))))
    assert part.size == (16, 40)
    red, _, blue = part.getpixel((8, 20))  # type: ignore[misc]
    assert (red < 40, blue > 200) == (True, True)


def test_transparency_stays() -> None:
    assert Image.open(io.BytesIO(pixels.cropped(encoded(Image.new("RGBA", (9, 9))), (0, 0, 5, 5)))).mode == "RGBA"


def test_a_large_photograph_is_decoded_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MOST_PIXELS", 1000)
    assert pixels.can_crop(lying(40, 100))
    assert not pixels.can_crop(encoded(Image.new("L", (40, 100))))
    assert not pixels.can_crop(encoded(Image.new("L", (40, 100)), "JPEG", progressive=True))
    part = Image.open(io.BytesIO(pixels.cropped(lying(40, 100), (20, 0, 40, 100))))
    assert part.size == (10, 50)


def test_a_large_part_is_sent_smaller() -> None:
    data = encoded(Image.new("L", (4000, 100)))
    assert Image.open(io.BytesIO(pixels.cropped(data, (0, 0, 4000, 100)))).size == (2000, 50)
