"""TIFFs whose directory claims more than there is are refused before they cost anything; ordinary ones are read."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.reading import picture
from app.reading.picture import DamagedPicture
from tests.support.handmade import (
    COUNTS,
    DEFLATE,
    OFFSETS,
    RATIONAL,
    ROWS,
    TILE_COUNTS,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    Tags,
    grey,
    longs,
    tiff,
    tiff_of_a_tile,
    tiff_of_strips,
)
from tests.support.pictures import drawn, encoded
from tests.test_picture import quick


def tile_larger_than_the_picture() -> bytes:
    side = 16_000
    return tiff_of_a_tile(grey(64, 64, DEFLATE), side, zlib.compress(bytes(side * side), 1))


def strips(count: int, packed: bytes) -> bytes:
    """All of the same data."""
    return tiff_of_strips(grey(100, 100, DEFLATE), 1, count, packed)


def one_strip() -> Tags:
    return grey(10, 10) | {ROWS: longs(10), OFFSETS: longs(8), COUNTS: longs(100)}


@pytest.mark.parametrize(
    "data",
    [
        tile_larger_than_the_picture(),
        strips(1_000_000, b""),
        strips(100, zlib.compress(os.urandom(3000))),
        tiff(one_strip() | {282: (RATIONAL, os.urandom(8_000_000))}),
        tiff(one_strip() | {tag: longs(1) for tag in range(30_000, 31_000)}),
        tiff(one_strip() | {WIDTH: (RATIONAL, struct.pack("<II", 10, 1))}),
        tiff(one_strip())[:60],
        b"II*\0",
        b"II+\0\x08\0\0\0" + b"\xff" * 60,
    ],
    ids=[
        "a tile larger than the picture",
        "a million strips",
        "strips of the same data",
        "a million fractions",
        "a thousand tags",
        "a width that is a fraction",
        "a directory cut short",
        "nothing but a header",
        "a directory nowhere",
    ],
)
def test_what_claims_too_much_is_damaged(data: bytes) -> None:
    with quick(0.3), pytest.raises(DamagedPicture):
        picture.decode(data)


def test_a_cameras_directory_is_not_taken_apart() -> None:
    """Of exposures and the like, a million here; the picture is read without."""
    tags = one_strip() | {34665: longs(0)}
    place = len(tiff(tags))
    nested = struct.pack("<HHHII", 1, 0x9204, RATIONAL, 1_000_000, place + 18) + bytes(4) + os.urandom(8_000_000)
    with quick(0.3):
        assert picture.decode(tiff(tags | {34665: longs(place)}, nested)).size == (10, 10)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_ordinary_pictures_of_every_mode(mode: str, compression: str | None) -> None:
    seen = np.asarray(drawn(3))
    image = {
        "1": lambda: drawn(3).convert("1", dither=Image.Dither.NONE),
        "I;16": lambda: Image.fromarray(seen.astype(np.uint16) * 257),
        "I": lambda: Image.fromarray(seen.astype(np.int32) * 257),
        "F": lambda: Image.fromarray(seen.astype(np.float32) / 255),
    }.get(mode, lambda: drawn(3).convert(mode))()
    decoded = picture.decode(encoded(image, "TIFF", compression=compression))
    assert np.abs(np.asarray(decoded.image.convert("L"), int) - seen).max() <= (128 if mode == "1" else 1)


@pytest.mark.parametrize("big", [False, True])
def test_tiles_and_large_offsets(big: bool) -> None:
    whole = drawn(7)
    assert picture.decode(encoded(whole, "TIFF", big_tiff=big)).size == whole.size
    tags = grey(64, 64) | {TILE_WIDTH: longs(64), TILE_HEIGHT: longs(64), TILE_COUNTS: longs(64 * 64)}
    place = len(tiff(tags | {TILE_OFFSETS: longs(0)}))
    pixels = np.asarray(whole.resize((64, 64)))
    decoded = picture.decode(tiff(tags | {TILE_OFFSETS: longs(place)}, pixels.tobytes()))
    assert np.array_equal(np.asarray(decoded.image), pixels)
