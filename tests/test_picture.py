"""What decoding a stranger's file costs: far less than the file was made to cost."""

import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from app.reading import picture
from app.reading.picture import DamagedPicture, NotAPicture, TooManyPixels
from tests.support.handmade import run_length_encoded_bmp
from tests.support.pictures import drawn, encoded


@contextmanager
def quick(seconds: float = 1) -> Iterator[None]:
    """What takes seconds where it is not bounded."""
    before = time.process_time()
    yield
    assert time.process_time() - before < seconds


def exif(orientation: int, numbers: int = 0) -> bytes:
    """EXIF of an orientation and a great many fractions."""
    tags = [(ExifTags.Base.Orientation, 3, 1, orientation), (ExifTags.Base.WhitePoint, 5, numbers, 38)]
    packed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + packed + bytes(4) + os.urandom(8 * numbers)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_pictures_are_turned_upright(orientation: int, format: str) -> None:
    marked = Image.new("L", (48, 32), 255)
    marked.paste(0, (0, 0, 16, 8))
    kept = {ExifTags.Base.Orientation.value: orientation}
    sent = Image.Exif()
    sent.update(kept)
    decoded = picture.decode(encoded(marked, format, exif=sent))
    marked.getexif().update(kept)
    upright = ImageOps.exif_transpose(marked)
    assert decoded.size == decoded.image.size == upright.size
    assert np.abs(np.asarray(decoded.image, int) - np.asarray(upright, int)).max() < 32


def test_megabytes_of_exif_are_not_taken_apart() -> None:
    data = encoded(drawn(5), exif=exif(6, numbers=1_100_000))
    with quick():
        assert picture.decode(data).size == (280, 280)


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (
            run_length_encoded_bmp(5000, 5000, b"\x01\0\0\0" * 5000),
            TooManyPixels,
            "^The picture has 5000 x 5000 pixels, 25 million; at most 2 million are accepted of a run-length encoded BMP. "
            "Please send it smaller, or as PNG.$",
        ),
        (run_length_encoded_bmp(40, 40, b"\1\0" * 3_000_000), DamagedPicture, "damaged"),
    ],
    ids=["one pixel a line", "runs of nothing"],
)
def test_run_length_encoded_bombs(data: bytes, error: type[Exception], sentence: str) -> None:
    with quick(), pytest.raises(error, match=sentence):
        picture.decode(data)


def test_a_run_length_encoded_picture() -> None:
    runs = b"".join(bytes([40, row % 2]) + b"\0\0" for row in range(40)) + b"\0\1"
    assert picture.decode(run_length_encoded_bmp(40, 40, runs)).size == (40, 40)


@pytest.mark.parametrize("segment", [b"\xff\xe1\0\x1cExif\0\0" + bytes(20), b"\xff\xe1\0\x09Exif\0\0\0"])
def test_exif_in_very_many_segments(segment: bytes) -> None:
    """Each is added to all before it."""
    data = encoded(drawn(5), "JPEG")
    with quick(), pytest.raises(DamagedPicture):
        picture.decode(data[:2] + segment * 120_000 + data[2:])


def test_profiles_by_the_thousand() -> None:
    """Each of them unpacks to a megabyte."""
    packed = b"iCCPname\0\0" + zlib.compress(bytes(1_000_000), 9)
    chunk = struct.pack(">I", len(packed) - 4) + packed + struct.pack(">I", zlib.crc32(packed))
    data = encoded(drawn(5))
    with quick(), pytest.raises(DamagedPicture):
        picture.decode(data[:33] + chunk * 3000 + data[33:])


def test_a_webp_may_have_fewer_pixels() -> None:
    data = encoded(Image.new("L", (5000, 4000)), "WEBP", lossless=True, quality=0, method=0)
    with pytest.raises(
        TooManyPixels, match=r"5000 x 4000 pixels, 20 million; at most 12\.5 million are accepted of a WebP\."
    ):
        picture.decode(data)


@pytest.mark.parametrize("brands", [b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0mif1heic", b"msf1\0\0\0\0hevc"])
def test_a_photo_as_iphones_keep_it_is_named(brands: bytes) -> None:
    data = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(1000)
    with pytest.raises(NotAPicture, match=r"^HEIC is not read; please send JPEG\. Accepted are PNG, JPEG, WebP, AVIF"):
        picture.decode(data)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif(mode: str) -> None:
    data = encoded(drawn(3).convert(mode), "AVIF", quality=95)
    for known in (data, data.replace(b"ftypavif", b"ftypmif1")):
        decoded = picture.decode(known)
        assert np.abs(np.asarray(decoded.image.convert("L"), int) - np.asarray(drawn(3), int)).max() < 32
    with pytest.raises(DamagedPicture):
        picture.decode(data[: len(data) // 2])
    with pytest.raises(TooManyPixels):
        picture.decode(data, max_pixels=1000)


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
@pytest.mark.parametrize("ground", [(255, 255, 255, 255), (255, 255, 255, 0)], ids=["white", "transparent"])
def test_the_first_frame_with_something_on_it(format: str, ground: tuple[int, ...]) -> None:
    empty = Image.new("RGBA", (280, 280), ground)
    frames = [empty, empty, drawn(4).convert("RGBA"), drawn(7).convert("RGBA")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=[100, 101, 102, 103])
    decoded = picture.decode(data).image.convert("L")
    assert np.abs(np.asarray(decoded, int) - np.asarray(drawn(4), int)).mean() < 4


def test_frames_without_end_are_not_all_looked_at() -> None:
    frames = [Image.new("L", (1000, 1000), 250 + number % 2) for number in range(60)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=[*frames[1:], drawn(4).resize((1000, 1000))])
    with quick(3):
        assert np.ptp(np.asarray(picture.decode(data).image)) == 0


def test_a_broken_frame_after_an_empty_one_is_left_out() -> None:
    frames = [Image.new("L", (280, 280), 255), drawn(4)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.asarray(picture.decode(data[: len(data) // 2]).image).min() == 255
