"""Files written by hand, since no library writes what is wrong, too much or too large: PNG, TIFF, BMP, JPEG."""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from PIL import Image

SHORT, LONG, RATIONAL = 3, 4, 5
"""Types of a TIFF's numbers."""

SIZES = {SHORT: 2, LONG: 4, RATIONAL: 8}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 256, 257, 258, 259, 262, 277
OFFSETS, ROWS, COUNTS = 273, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
UNCOMPRESSED, FAX, DEFLATE = 1, 3, 8

Tags = dict[int, tuple[int, bytes]]


def zeros(count: int) -> bytes:
    """So many, compressed."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 16)
    whole, rest = divmod(count, len(block))
    return b"".join(packer.compress(block) for _ in range(whole)) + packer.compress(bytes(rest)) + packer.flush()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int,
    height: int,
    packed: Iterable[bytes],
    bits: int = 8,
    colour: int = 0,
    before: Iterable[bytes] = (),
    interlaced: bool = False,
) -> bytes:
    """`packed` is what the pixels' chunks hold, `before` further chunks; colour 0 is grey, 3 a palette's, 6 RGBA."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    pixels = (png_chunk(b"IDAT", piece) for piece in packed)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + b"".join((*before, *pixels)) + png_chunk(b"IEND", b"")


def png_of_zeros(width: int, height: int, bits: int = 8, colour: int = 0, before: Iterable[bytes] = ()) -> bytes:
    """A whole PNG of nothing, however large, in few bytes."""
    samples = 4 if colour == 6 else 1
    return png(width, height, [zeros(height * (1 + width * samples * bits // 8))], bits, colour, before)


def longs(*numbers: int) -> tuple[int, bytes]:
    return LONG, np.array(numbers, "<u4").tobytes()


def grey(width: int, height: int, compression: int = UNCOMPRESSED) -> Tags:
    numbers = {WIDTH: width, HEIGHT: height, BITS: 8, COMPRESSION: compression, PHOTOMETRIC: 1, SAMPLES: 1}
    return {tag: longs(number) for tag, number in numbers.items()}


def tiff(tags: Tags, after: bytes = b"") -> bytes:
    """A file with this directory and, after its values, some data."""
    entries, values = [], b""
    start = 8 + 2 + 12 * len(tags) + 4
    for tag, (kind, value) in sorted(tags.items()):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", start + len(values))
        values += value if len(value) > 4 else b""
        entries.append(struct.pack("<HHI", tag, kind, len(value) // SIZES[kind]) + place)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4) + values + after


def tiff_of_a_tile(tags: Tags, side: int, packed: bytes) -> bytes:
    tags = tags | {TILE_WIDTH: longs(side), TILE_HEIGHT: longs(side), TILE_COUNTS: longs(len(packed))}
    return tiff(tags | {TILE_OFFSETS: longs(len(tiff(tags)) + 12)}, packed)


def tiff_of_strips(tags: Tags, rows: int, count: int, packed: bytes) -> bytes:
    """All of the same data, each of so many rows."""
    tags = tags | {ROWS: longs(rows), COUNTS: longs(*[len(packed)] * count)}
    place = len(tiff(tags | {OFFSETS: longs(*[0] * count)}))
    return tiff(tags | {OFFSETS: longs(*[place] * count)}, packed)


def run_length_encoded_bmp(width: int, height: int, runs: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + bytes(1024) + runs


def with_last_scan(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG whose decoder goes over all of it again and again."""
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * times + jpeg[-2:]


def as_mpo(jpeg: bytes) -> bytes:
    """The JPEG with the segment of files that hold several: Pillow has another name for these."""
    file, small = io.BytesIO(), Image.new("L", (8, 8))
    small.save(file, "MPO", save_all=True, append_images=[small])
    several = file.getvalue()
    start = several.index(b"MPF\0") - 4
    length = int.from_bytes(several[start + 2 : start + 4], "big")
    return jpeg[:2] + several[start : start + 2 + length] + jpeg[2:]
