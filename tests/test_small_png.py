"""Small PNGs become what Pillow makes of them, pixel by pixel, and are refused where Pillow refuses them."""

import io
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from app.reading import picture, shrinking, small_png
from app.reading.picture import DamagedPicture
from tests.support import handmade
from tests.support.handmade import png_chunk
from tests.support.pictures import drawn, encoded

Bytes = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 61, 45
NONE, SUB, UP, AVERAGE, PAETH = range(5)
RGBA = 6


def filtered(pixels: Bytes, kinds: Bytes) -> Bytes:
    """(height, width, bytes) pixels -> the rows of a PNG, each with a filter of its own."""
    before = np.pad(pixels.astype(int), ((1, 0), (1, 0), (0, 0)))
    left, above, corner = before[1:, :-1], before[:-1, 1:], before[:-1, :-1]
    # Of three neighbours Paeth's is the one nearest to left + above - corner; the first of equals.
    neighbours = np.stack([left, above, corner])
    nearest = np.abs(neighbours - (left + above - corner)).argmin(axis=0)
    paeth = np.take_along_axis(neighbours, nearest[None], axis=0)[0]
    guesses = np.stack([np.zeros_like(left), left, above, (left + above) // 2, paeth])
    rows = (pixels - guesses[kinds, np.arange(len(pixels))]).astype(np.uint8).reshape(len(pixels), -1)
    return np.concatenate([kinds[:, None], rows], axis=1)


def png(pixels: Bytes, kinds: Bytes) -> bytes:
    colour = {1: 0, 2: 4, 3: 2, 4: RGBA}[pixels.shape[2]]
    packed = zlib.compress(filtered(pixels, kinds).tobytes())
    pieces = [packed[start : start + 500] for start in range(0, len(packed), 500)]
    return handmade.png(pixels.shape[1], pixels.shape[0], pieces, colour=colour)


def every_filter(rng: np.random.Generator) -> Bytes:
    """In a random order; each comes first in some of a few pictures."""
    return rng.integers(0, 5, HEIGHT).astype(np.uint8)


def opaque_grey(rng: np.random.Generator) -> Bytes:
    shades = rng.integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
    return np.concatenate([shades, shades, shades, np.full_like(shades, 255)], axis=2)


def by_pillow(data: bytes) -> Image.Image:
    file = picture.open_file(data)
    file.load()
    return file


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_noise_in_every_filter(samples: int) -> None:
    rng = np.random.default_rng(samples)
    data = png(rng.integers(0, 256, (HEIGHT, WIDTH, samples), np.uint8), every_filter(rng))
    found, right = small_png.decoded(picture.open_file(data)), by_pillow(data)
    assert found is not None
    assert found.mode == right.mode
    assert np.array_equal(np.asarray(found), np.asarray(right))


@pytest.mark.parametrize("first", range(5))
def test_a_grey_and_opaque_drawing_is_grey(first: int) -> None:
    rng = np.random.default_rng(first)
    pixels, kinds = opaque_grey(rng), every_filter(rng)
    kinds[0] = first
    found = small_png.decoded(picture.open_file(png(pixels, kinds)))
    assert found is not None
    assert found.mode == "L"
    assert np.array_equal(np.asarray(found), pixels[:, :, 0])


@pytest.mark.parametrize("row", [0, 1, HEIGHT - 1])
@pytest.mark.parametrize("column", [0, 1, WIDTH - 1])
@pytest.mark.parametrize("band", range(4))
def test_one_pixel_in_colour_or_transparent_is_kept(row: int, column: int, band: int) -> None:
    rng = np.random.default_rng(band)
    pixels = opaque_grey(rng)
    pixels[row, column, band] ^= 1
    found = small_png.decoded(picture.open_file(png(pixels, every_filter(rng))))
    assert found is not None
    assert np.array_equal(np.asarray(found), pixels)


def with_orientation_at_the_end(data: bytes) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return data[:-12] + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + data[-12:]


def moving(frames: int) -> bytes:
    file = io.BytesIO()
    drawn(3).convert("RGBA").save(file, "PNG", save_all=True, append_images=[drawn(5).convert("RGBA")] * (frames - 1))
    return file.getvalue()


RGBA_NOISE = np.random.default_rng(9).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
FILTERED = filtered(RGBA_NOISE, np.full(HEIGHT, UP, np.uint8)).tobytes()
PACKED = zlib.compress(FILTERED)
ODD_FILES: dict[str, Callable[[], bytes]] = {
    "16 bits": lambda: handmade.png_of_zeros(WIDTH, HEIGHT, bits=16),
    "palette": lambda: encoded(drawn(4).convert("P"), "PNG"),
    "one bit": lambda: encoded(drawn(4).convert("1"), "PNG"),
    "transparent colour": lambda: encoded(drawn(4).convert("RGB"), "PNG", transparency=(255, 255, 255)),
    "interlaced": lambda: handmade.png(1, 1, [zlib.compress(b"\0\1\2\3\4")], colour=RGBA, interlaced=True),
    "orientation at the end": lambda: with_orientation_at_the_end(encoded(drawn(4).convert("RGBA"), "PNG")),
    "moving": lambda: moving(3),
    "wrong checksum": lambda: handmade.png(WIDTH, HEIGHT, [PACKED[:-4] + b"\0\0\0\0"], colour=RGBA),
    "more rows": lambda: handmade.png(WIDTH, HEIGHT - 1, [PACKED], colour=RGBA),
    "fewer rows": lambda: handmade.png(WIDTH, HEIGHT + 1, [PACKED], colour=RGBA),
    "pixels in two places": lambda: (
        handmade.png(WIDTH, HEIGHT, [PACKED[:99]], colour=RGBA)[:-12]
        + png_chunk(b"tEXt", b"a\0b")
        + handmade.png(WIDTH, HEIGHT, [PACKED[99:]], colour=RGBA)[33:]
    ),
    "cut off": lambda: encoded(drawn(4).convert("RGBA"), "PNG")[:-200],
    "no end": lambda: encoded(drawn(4).convert("RGBA"), "PNG")[:-12],
    "too large to be held three times": lambda: encoded(Image.new("RGBA", (1001, 1000)), "PNG"),
    "no PNG": lambda: encoded(drawn(4), "BMP"),
}


def outcome(data: bytes) -> object:
    try:
        seen = picture.decode(data)
    except picture.ReadingError as error:
        return type(error), str(error)
    return seen.size, seen.image.mode, seen.image.tobytes()


@pytest.mark.parametrize("name", ODD_FILES)
def test_what_is_odd_is_left_to_pillow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ODD_FILES[name]()
    found = outcome(data)
    assert small_png.decoded(picture.open_file(data)) is None
    monkeypatch.setattr(small_png, "decoded", lambda file: None)
    assert outcome(data) == found


@pytest.mark.parametrize("colour", [0, RGBA])
def test_a_filter_that_there_is_not(colour: int) -> None:
    rows = np.zeros((HEIGHT, 1 + WIDTH * (4 if colour == RGBA else 1)), np.uint8)
    rows[7, 0] = 5
    with pytest.raises(DamagedPicture):
        picture.decode(handmade.png(WIDTH, HEIGHT, [zlib.compress(rows.tobytes())], colour=colour))


def test_an_orientation_before_the_pixels_counts() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encoded(drawn(4).convert("RGBA").crop((0, 0, 280, 100)), "PNG", exif=exif)
    assert small_png.decoded(picture.open_file(data)) is not None
    assert picture.decode(data).image.size == picture.decode(data).size == (100, 280)


def test_a_large_drawing_is_shrunk_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(opaque_grey(np.random.default_rng(1))).resize((900, 700)), "PNG")
    found = shrinking.to_side(picture.open_file(data), 200)
    monkeypatch.setattr(small_png, "decoded", lambda file: None)
    right = shrinking.to_side(picture.open_file(data), 200)
    assert found.mode == "L"
    assert np.array_equal(np.asarray(found.convert("RGBA")), np.asarray(right))
