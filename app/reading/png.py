"""PNGs that are too large to be decoded at once, in bands of rows, exactly as Pillow would decode them."""

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

_BITS: Final = {
    **{"1": 1, "L;2": 2, "L;4": 4, "L": 8, "I;16B": 16, "P;1": 1, "P;2": 2, "P;4": 4, "P": 8},
    **{"LA": 16, "RGB": 24, "RGBA": 32, "LA;16B": 32, "RGB;16B": 48, "RGBA;16B": 64},
}
"""Of a pixel, by Pillow's name of how it is stored."""

_HIGH_BYTES: Final = {"LA;16B": "LA", "RGB;16B": "RGB", "RGBA;16B": "RGBA"}
"""Of samples so stored Pillow keeps the high byte, in which the low one has no part: filters go byte by byte."""

_OF_BYTES: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Modes with so many bytes a pixel: as one of these, rows of anything are freed from their filters without a loss."""

_BAND = 500_000
"""Bytes of a band, unless it must have more."""

_PIECE = 65536
"""Bytes that are unpacked at once: those that have to wait are copied each time."""


def is_interlaced(file: PngImageFile) -> bool:
    return bool(file.info.get("interlace"))


def bands(file: PngImageFile, rows: int) -> Iterator[Image.Image]:
    """A picture from top to bottom, in its own mode. EXIF that comes after the pixels is in `file.info` at the end.

    Args:
        file: of which only the header has been read; not interlaced.
        rows: each band has a multiple of these, but for the last one.

    Raises ValueError, and whatever Pillow and zlib raise, where it is damaged.
    """
    codec, extents, place, stored = file.tile[0]
    width, height = file.size
    if codec != "zip" or extents != (0, 0, width, height) or not isinstance(stored, str):
        raise ValueError("a frame that is not the whole picture")
    bits, length = _BITS[stored], 1 + -(-width * _BITS[stored] // 8)
    high = stored in _HIGH_BYTES
    if high:
        stored, bits = _HIGH_BYTES[stored], bits // 2
    above = bytes(1 + -(-width * bits // 8))
    rows *= max(1, _BAND // (rows * length))
    unpacked = _Unpacked(_packed(file, place))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        filtered = unpacked.take(count * length)
        if high:
            filtered = _without_low_bytes(filtered, count)
        freed = _freed(above + filtered, count, _OF_BYTES[-(-bits // 8)])
        above = b"\0" + freed.crop((0, count, freed.width, count + 1)).tobytes()
        band = freed.crop((0, 1, freed.width, count + 1))
        if not freed.mode == file.mode == stored:
            band = Image.frombytes(file.mode, (width, count), band.tobytes(), "raw", stored)
        if file.palette:
            band.putpalette(file.palette.palette)
        if "transparency" in file.info:
            band.info["transparency"] = file.info["transparency"]
        yield band
    unpacked.skip()


def _packed(file: PngImageFile, place: int) -> Iterator[bytes]:
    """Pieces of what the rows are packed in, from the first at this place on."""
    assert file.fp is not None
    file.fp.seek(place - 8)
    while len(head := file.fp.read(8)) == 8:
        left, name = int.from_bytes(head[:4], "big"), head[4:]
        if name == b"IDAT":
            while left:
                yield file.fp.read(min(_PIECE, left))
                left = max(0, left - _PIECE)
        elif name == b"eXIf":
            file.info["exif"] = b"Exif\0\0" + file.fp.read(left)
        else:
            file.fp.seek(left, 1)
        file.fp.seek(4, 1)


class _Unpacked:
    """Filtered rows, unpacked no further than they are taken: whatever is said of their number, no more are held."""

    def __init__(self, packed: Iterator[bytes]) -> None:
        self._packed = packed
        self._unpacker = zlib.decompressobj()

    def take(self, count: int) -> bytes:
        """The next bytes. Raises ValueError where there are fewer."""
        parts = []
        while count:
            packed = self._unpacker.unconsumed_tail or next(self._packed, b"")
            part = self._unpacker.decompress(packed, count)
            if not part and not packed:
                raise ValueError("cut off")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def skip(self) -> None:
        """Go on to the end of the file without unpacking anything."""
        for _ in self._packed:
            pass


def _without_low_bytes(filtered: bytes, count: int) -> bytes:
    rows = np.frombuffer(filtered, np.uint8).reshape(count, -1)
    return np.concatenate([rows[:, :1], rows[:, 1::2]], axis=1).tobytes()


def _freed(filtered: bytes, count: int, mode: str) -> Image.Image:
    """The bytes of rows without their filters, as pixels of this mode; after the row above them, which has none."""
    width = (len(filtered) // (1 + count) - 1) // Image.getmodebands(mode)
    return Image.frombytes(mode, (width, 1 + count), zlib.compress(filtered, 0), "zip", mode)
