"""TIFF files: what the directory at their beginning claims is checked before Pillow and libtiff believe it."""

import io
import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin

TiffImagePlugin.READ_LIBTIFF = True  # Pillow's own reader of what is not compressed works strip by strip, in Python

_HEADERS: Final = (b"II*\0", b"MM\0*", b"II+\0")
"""Of classic files and of those with 64-bit offsets; Pillow and libtiff see something different in other ones."""

_WIDTH, _LENGTH, _COMPRESSION = 256, 257, 259
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_BYTE_COUNTS: Final = (279, 325)
"""How long each strip is in the file, or each tile."""

_NUMBERS: Final = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
"""Types that sizes and lengths are written in."""

_BYTES: Final = (1, 2, 6, 7)
"""Types of values that are taken as they are: profiles and texts may be long."""

_MOST_TAGS = 256
_MOST_NUMBERS = 65536
"""Of one tag; a number for each strip is the most there is."""

_SMALL_TILE, _LARGE_TILE = 16, 1_000_000
"""Pixels: the least side that the format allows, and an area that may be larger than the picture's."""


class TiffFile(TiffImagePlugin.TiffImageFile):
    """One as stored, not yet upright, and without a camera's directories, which Pillow would take apart."""

    def _setup(self) -> None:
        super()._setup()
        self._size = self._tile_size

    def load_end(self) -> None:
        """Leave everything as it is."""


def is_tiff(data: bytes) -> bool:
    return data[:4] in _HEADERS


def open_file(data: bytes) -> TiffFile:
    """A picture of which only the directory has been read.

    Raises ValueError where that is not to be believed, and whatever Pillow raises.
    """
    _check(_Directory(data), len(data))
    return TiffFile(io.BytesIO(data))


class _Directory:
    """The file's first: its numbers by their tags."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data.startswith(b"II") else ">"
        tags, self._entry, here = ("Q", "HHQQ", 8) if data[2] == 43 else ("H", "HHLL", 4)
        (start,) = self._unpacked(self._entry[-1], here)
        (count,) = self._unpacked(tags, start)
        self._places = dict(self._entries(count, start + struct.calcsize(self._order + tags)))

    def _unpacked(self, form: str, place: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self._order + form, self._data, place)
        except struct.error:
            raise ValueError("cut off") from None

    def _entries(self, tags: int, start: int) -> Iterator[tuple[int, tuple[int, int, int]]]:
        """Each tag with its type, count and where its values stand. Raises ValueError where there are too many."""
        if tags > _MOST_TAGS:
            raise ValueError("too many tags")
        size, room = struct.calcsize(self._order + self._entry), struct.calcsize(self._order + self._entry[-1])
        seen = set()
        for end in range(start + size, start + size * tags + 1, size):
            tag, kind, count, place = self._unpacked(self._entry, end - size)
            if tag in seen or (kind not in _BYTES and count > _MOST_NUMBERS):
                raise ValueError("a tag twice or too many numbers in it")
            seen.add(tag)
            width = np.dtype(_NUMBERS.get(kind, "u1")).itemsize
            yield tag, (kind, count, end - room if width * count <= room else place)

    def numbers(self, tag: int) -> npt.NDArray[np.unsignedinteger]:
        """All that stand there, none where the tag is missing. Raises ValueError where they are not whole."""
        if tag not in self._places:
            return np.zeros(0, np.uint8)
        kind, count, place = self._places[tag]
        if kind not in _NUMBERS:
            raise ValueError("another type than sizes have")
        return np.frombuffer(self._data, np.dtype(self._order + _NUMBERS[kind]), count, place)

    def number(self, tag: int, default: int) -> int:
        found = self.numbers(tag)
        return int(found[0]) if found.size else default


def _check(directory: _Directory, length: int) -> None:
    pixels = directory.number(_WIDTH, 0) * directory.number(_LENGTH, 0)
    across, down = directory.number(_TILE_WIDTH, _SMALL_TILE), directory.number(_TILE_LENGTH, _SMALL_TILE)
    if min(across, down) < _SMALL_TILE or across * down > max(pixels, _LARGE_TILE):
        raise ValueError("tiles that are no part of the picture")
    compressed = directory.number(_COMPRESSION, 1) != 1
    if compressed and any(float(directory.numbers(tag).sum(dtype=np.float64)) > length for tag in _BYTE_COUNTS):
        raise ValueError("strips that are longer than the file: one may stand for many")
