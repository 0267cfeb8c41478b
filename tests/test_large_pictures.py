"""Pictures that are decoded in bands or at a fraction: as they would be whole, in little memory and time, or refused."""

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from app.api.decoder import Decoder
from app.api.sought import OneGlyph
from app.reading import limits, picture, pipeline, png, shrinking, tiff
from app.reading.picture import DamagedPicture, ReadingError, TooManyPixels
from app.reading.recognizer import Recognizer
from app.settings import Settings
from tests.support import handmade
from tests.support.broken_files import broken_files
from tests.support.handmade import (
    COUNTS,
    OFFSETS,
    ROWS,
    TILE_COUNTS,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    grey,
    longs,
    png_chunk,
)
from tests.support.pictures import drawn, encoded
from tests.test_picture import quick

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

WIDTH, HEIGHT = 157, 203
SIDE = 20
A4 = 4962, 7014
"""Pixels at 600 dots an inch."""


@pytest.fixture
def in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures are treated as large ones are, and bands have few rows."""
    monkeypatch.setattr(shrinking, "_WHOLE", 1000)
    monkeypatch.setattr(png, "_BAND", 3000)
    monkeypatch.setattr(tiff, "_DECODED", 3000)


def shrunk_by_hand(data: bytes) -> Image.Image:
    image = picture.open_file(data)
    image.load()
    if image.mode[0] in "IF":
        return shrunk(data)  # while they are held whole
    transparent = "A" in image.mode or "transparency" in image.info
    mode = "RGBA" if transparent else "L" if image.mode in ("1", "L") else "RGB"
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image = image.convert(mode)
    small = image.reduce(max(image.size) // SIDE).convert(mode)
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    return small


def shrunk(data: bytes) -> Image.Image:
    return shrinking.to_side(picture.open_file(data), SIDE)


def noise(mode: str) -> Image.Image:
    rng = np.random.default_rng(7)
    match mode:
        case "I;16":
            return Image.fromarray(rng.integers(0, 1 << 16, (HEIGHT, WIDTH), np.uint16))
        case "I":
            return Image.fromarray(rng.integers(0, 1 << 16, (HEIGHT, WIDTH), np.int32))
        case "F":
            return Image.fromarray(rng.random((HEIGHT, WIDTH), np.float32))
    bands = rng.integers(0, 256, (4, HEIGHT, WIDTH), np.uint8)
    return Image.merge("RGBA", [Image.fromarray(band) for band in bands]).convert(mode)


def png_of_noise(bits: int, colour: int, transparent: bool = False) -> bytes:
    """Every filter in it, and several chunks."""
    rng = np.random.default_rng(bits * 8 + colour)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = rng.integers(0, 256, (HEIGHT, 1 + -(-WIDTH * bits * samples // 8)), np.uint8)
    rows[:, 0] = rng.integers(0, 5, HEIGHT)
    packed = zlib.compress(rows.tobytes())
    palette = [png_chunk(b"PLTE", rng.bytes(3 << bits))] if colour == 3 else []
    clear = {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: rng.bytes(1 << bits)}[colour] if transparent else b""
    pieces = [packed[start : start + 999] for start in range(0, len(packed), 999)]
    before = [*palette, png_chunk(b"tRNS", clear)] if clear else palette
    return handmade.png(WIDTH, HEIGHT, pieces, bits, colour, before)


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize(
    ("bits", "colour"),
    [(bits, 0) for bits in (1, 2, 4, 8, 16)]
    + [(bits, 3) for bits in (1, 2, 4, 8)]
    + [(bits, colour) for bits in (8, 16) for colour in (2, 4, 6)],
)
def test_pngs_of_every_kind(bits: int, colour: int, transparent: bool, request: pytest.FixtureRequest) -> None:
    data = png_of_noise(bits, colour, transparent and colour < 4)
    right = shrunk_by_hand(data)
    request.getfixturevalue("in_bands")
    found = shrunk(data)
    assert found.mode == right.mode
    assert np.array_equal(np.asarray(found), np.asarray(right))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits", "jpeg", "group3", "group4"])
@pytest.mark.parametrize("big", [False, True])
def test_tiffs_of_every_kind(compression: str | None, big: bool, request: pytest.FixtureRequest) -> None:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F")
    written = {"jpeg": ("L", "RGB", "YCbCr"), "group3": ("1",), "group4": ("1",)}.get(compression or "", modes)
    strips = {ROWS: 16}
    files = [encoded(noise(mode), "TIFF", compression=compression, big_tiff=big, tiffinfo=strips) for mode in written]
    right = [shrunk_by_hand(data) for data in files]
    request.getfixturevalue("in_bands")
    for data, one in zip(files, right, strict=True):
        assert np.array_equal(np.asarray(shrunk(data)), np.asarray(one))


def tiled() -> bytes:
    """Grey, of 5 x 7 tiles of 32 x 32 pixels."""
    rng = np.random.default_rng(3)
    count = 5 * 7
    tags = grey(WIDTH, HEIGHT) | {TILE_WIDTH: longs(32), TILE_HEIGHT: longs(32), TILE_COUNTS: longs(*[1024] * count)}
    place = len(handmade.tiff(tags | {TILE_OFFSETS: longs(*range(count))}))
    offsets = longs(*(place + 1024 * number for number in range(count)))
    return handmade.tiff(tags | {TILE_OFFSETS: offsets}, rng.bytes(1024 * count))


def in_planes() -> bytes:
    """Red, then green, then blue, in strips of 16 rows."""
    rng = np.random.default_rng(4)
    heights = [min(16, HEIGHT - top) for top in range(0, HEIGHT, 16)] * 3
    counts = [WIDTH * height for height in heights]
    tags = grey(WIDTH, HEIGHT) | {258: (3, struct.pack("<3H", 8, 8, 8)), 262: longs(2), 277: longs(3), 284: longs(2)}
    tags |= {ROWS: longs(16), COUNTS: longs(*counts)}
    place = len(handmade.tiff(tags | {OFFSETS: longs(*counts)}))
    offsets = longs(*(place + sum(counts[:number]) for number in range(len(counts))))
    return handmade.tiff(tags | {OFFSETS: offsets}, rng.bytes(sum(counts)))


@pytest.mark.parametrize("data", [tiled(), in_planes()], ids=["tiles", "planes"])
def test_tiffs_cut_otherwise(data: bytes, request: pytest.FixtureRequest) -> None:
    right = shrunk_by_hand(data)
    request.getfixturevalue("in_bands")
    assert np.array_equal(np.asarray(shrunk(data)), np.asarray(right))


def with_exif_at_the_end(data: bytes, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return data[:-12] + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + data[-12:]


@pytest.mark.usefixtures("in_bands")
@pytest.mark.parametrize("format", ["PNG", "PNG, said at the end", "TIFF", "JPEG"])
def test_large_pictures_are_turned_upright_and_boxes_are_in_pixels_as_sent(format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # its right side is up
    sheet = Image.new("L", (1800, 1200), 255)
    sheet.paste(drawn(7).resize((600, 600)).rotate(90), (900, 100))
    data = encoded(sheet, format.partition(",")[0], **({} if "end" in format else {"exif": exif}))
    seen = picture.decode(with_exif_at_the_end(data, 6) if "end" in format else data)
    assert seen.size == (1200, 1800)
    upright = sheet.rotate(-90, expand=True)
    left, top, right, bottom = upright.point(lambda shade: 255 * (shade < 128)).getbbox()  # type: ignore[misc]
    assert pipeline.glyph_of(seen).box == pytest.approx((left, top, right, bottom), abs=6)


def test_a_jpeg_is_decoded_at_a_fraction_even_if_it_is_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AT_ONCE", 100_000)
    image = picture.open_file(encoded(Image.new("RGB", (8000, 100), "white"), "JPEG"))
    assert shrinking.to_side(image, SIDE).size == (20, 1)
    assert image.size == (1000, 13)


def claiming(data: bytes, place: int, layout: str) -> bytes:
    """The file with a width of 12,000 and a height of 9,000 in its header."""
    packed = struct.pack(layout, *((9000, 12_000) if layout == ">HH" else (12_000, 9000)))
    return data[:place] + packed + data[place + len(packed) :]


def jpeg_claiming(image: Image.Image, **options: object) -> bytes:
    data = encoded(image, "JPEG", progressive=True, **options)
    return claiming(data, data.index(b"\xff\xc2") + 5, ">HH")


def interlaced(bits: int, colour: int) -> bytes:
    return handmade.png(12_000, 9000, [b""], bits, colour, interlaced=True)


REFUSED = {
    "a progressive JPEG": (
        jpeg_claiming(Image.new("RGB", (8, 8)), subsampling=2),
        "50 million are accepted of a progressive JPEG of this kind. Please send it smaller, or as baseline JPEG.",
    ),
    "one in grey": (
        jpeg_claiming(Image.new("L", (8, 8))),
        "75 million are accepted of a progressive JPEG of this kind. Please send it smaller, or as baseline JPEG.",
    ),
    "one of full colours": (
        jpeg_claiming(Image.new("RGB", (8, 8)), subsampling=0),
        "25 million are accepted of a progressive JPEG of this kind. Please send it smaller, or as baseline JPEG.",
    ),
    "an interlaced PNG": (
        interlaced(8, 6),
        "25 million are accepted of an interlaced PNG with more than 8 bits a pixel. "
        "Please send it smaller, or without interlacing.",
    ),
    "an interlaced PNG of few bits": (
        interlaced(1, 0),
        "75 million are accepted of an interlaced PNG with up to 8 bits a pixel. "
        "Please send it smaller, or without interlacing.",
    ),
    "a TIFF in one strip": (
        handmade.tiff(grey(12_000, 9000, 8) | {OFFSETS: longs(8), COUNTS: longs(9)}),
        "75 million are accepted of a TIFF of large strips or tiles with up to 8 bits a pixel. "
        "Please send it smaller, in smaller strips, or as PNG.",
    ),
    "a GIF": (
        claiming(encoded(Image.new("L", (8, 8)), "GIF"), 6, "<HH"),
        "25 million are accepted of a GIF. Please send it smaller, or as JPEG or PNG.",
    ),
    "a BMP": (
        claiming(encoded(Image.new("RGB", (8, 8)), "BMP"), 18, "<ii"),
        "25 million are accepted of a BMP with more than 8 bits a pixel. Please send it smaller, or as PNG.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_takes_too_much_memory_is_refused_with_a_way_out(name: str) -> None:
    data, accepted = REFUSED[name]
    sentence = f"The picture has 12000 x 9000 pixels, 108 million; at most {accepted}"
    with quick(0.3), pytest.raises(TooManyPixels, match=f"^{re.escape(sentence)}$"):
        picture.open_file(data)


def test_more_than_is_accepted_of_anything() -> None:
    sentence = (
        "The picture has 12000 x 11000 pixels, 132 million; at most 120 million are accepted. Please send it smaller."
    )
    with pytest.raises(TooManyPixels, match=f"^{re.escape(sentence)}$"):
        picture.open_file(handmade.png(12_000, 11_000, [b""]))


LARGE = 6000, 5000
ROWS_OF_LARGE = zlib.compress(bytes((1 + LARGE[0]) * LARGE[1]), 1)


def strips(**changed: tuple[int, bytes]) -> bytes:
    """A TIFF of 50 strips of 100 rows each, and some other numbers in its directory."""
    strip = zlib.compress(bytes(LARGE[0] * 100), 1)
    counts = longs(*[len(strip)] * 50)
    tags = grey(*LARGE, 8) | {ROWS: longs(100), COUNTS: counts, OFFSETS: counts}
    place = len(handmade.tiff(tags))
    tags[OFFSETS] = longs(*(place + len(strip) * number for number in range(50)))
    names = {"rows": ROWS, "counts": COUNTS, "offsets": OFFSETS}
    return handmade.tiff(tags | {names[name]: value for name, value in changed.items()}, strip * 50)


@pytest.mark.parametrize(
    "data",
    [
        handmade.png(*LARGE, [ROWS_OF_LARGE[: len(ROWS_OF_LARGE) // 2]]),
        handmade.png(*LARGE, [ROWS_OF_LARGE[:50_000] + os.urandom(50) + ROWS_OF_LARGE[50_050:]]),
        handmade.png(*LARGE, [zlib.compress(bytes((1 + LARGE[0]) * 4000), 1)]),
        handmade.png(*LARGE, [zlib.compress(b"\x09" * ((1 + LARGE[0]) * LARGE[1]), 1)]),
        handmade.png(*LARGE, [ROWS_OF_LARGE])[:60],
        strips(offsets=longs(*[1 << 31] * 50)),
        strips(offsets=longs(*[8] * 40)),
        strips(counts=longs(*[9] * 50)),
        strips(rows=longs(1)),
        strips(rows=longs(0)),
    ],
    ids=[
        "a PNG's pixels cut short",
        "nonsense in them",
        "rows that are missing",
        "filters that there are none of",
        "no more than a header",
        "strips outside of the file",
        "strips that are missing",
        "strips that are too short",
        "fewer rows in a strip",
        "no rows in a strip",
    ],
)
def test_large_files_that_are_damaged(data: bytes) -> None:
    with quick(2), pytest.raises(DamagedPicture):
        picture.decode(data)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.usefixtures("in_bands")
def test_broken_files_by_the_thousand() -> None:
    for data in broken_files(2000):
        with suppress(ReadingError):
            picture.decode(data)


def test_no_more_is_unpacked_than_the_picture_needs() -> None:
    """And what comes after its pixels is left alone."""
    bomb = zlib.compress(bytes((1 + LARGE[0]) * LARGE[1]) + bytes(200_000_000), 1)
    with quick(2):
        assert picture.decode(handmade.png(*LARGE, [bomb])).size == LARGE


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(picture.MAX_PIXELS)
    yield decoder
    decoder.close()


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(Settings().models_dir / "digits" / "model.onnx")


def sheet(mode: str) -> Image.Image:
    """A4 at 600 dots an inch, a digit on it."""
    white = Image.new("L", A4, 255)
    white.paste(drawn(5).resize((2000, 2000)), (1400, 2500))
    return white.convert(mode)


@pytest.mark.parametrize(
    "file",
    [
        lambda: encoded(sheet("RGB"), compress_level=1),
        lambda: encoded(sheet("L"), "JPEG"),
        lambda: encoded(sheet("RGB"), "JPEG", progressive=True, subsampling=2),
        lambda: encoded(sheet("L"), "TIFF", compression="tiff_lzw"),
        lambda: encoded(sheet("1"), "TIFF", compression="group4", tiffinfo={ROWS: A4[1]}),
    ],
    ids=["PNG", "JPEG", "progressive JPEG", "TIFF", "fax in one strip"],
)
def test_a_large_scan_is_read_as_if_it_had_been_shrunk(
    file: Callable[[], bytes], decoder: Decoder, recognizer: Recognizer
) -> None:
    found = decoder.find(file(), OneGlyph())
    small = sheet("L").reduce(13)
    right = pipeline.glyph_of(picture.decode(encoded(small)))
    assert found.box == pytest.approx([13 * limit for limit in right.box], abs=20)
    assert found.scale == pytest.approx(right.scale / 13, rel=0.02)
    assert [one.label for one in recognizer.predict([found, right])] == ["5", "5"]


def test_the_largest_is_decoded_in_little_memory() -> None:
    fresh = Decoder(picture.MAX_PIXELS)
    try:
        with pytest.raises(pipeline.BlankImage):
            fresh.find(handmade.png_of_zeros(10_900, 11_000), OneGlyph())
        assert fresh._worker is not None
        status = Path(f"/proc/{fresh._worker[0].pid}/status").read_text()
        assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 100_000  # type: ignore[index]  # Linux has it
    finally:
        fresh.close()
