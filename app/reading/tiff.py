"""TIFF files: what the directory at their beginning claims is checked before Pillow and libtiff believe it.

Of large ones, some strips or tiles at a time are decoded.
"""

import io
import math
import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

TiffImagePlugin.READ_LIBTIFF = True  # Pillow's own reader of what is not compressed works strip by strip, in Python

_HEADERS: Final = (b"II*\0", b"MM\0*", b"II+\0")
"""Of classic files and of those with 64-bit offsets; Pillow and libtiff see something different in other ones."""

_WIDTH, _LENGTH, _COMPRESSION = 256, 257, 259
_SAMPLES, _ROWS_PER_STRIP, _PLANES = 277, 278, 284
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_OFFSETS: Final = (273, 324)
"""Where each strip begins in the file, or each tile."""
_BYTE_COUNTS: Final = (279, 325)
"""How long each strip is in the file, or each tile."""

_OLD_JPEG = 6
"""A compression that has its data elsewhere, whatever is said of strips."""

_NUMBERS: Final = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
"""Types that sizes and lengths are written in."""

_BYTES: Final = (1, 2, 6, 7)
"""Types of values that are taken as they are: profiles and texts may be long."""

_MOST_TAGS = 256
_MOST_NUMBERS = 65536
"""Of one tag; a number for each strip is the most there is."""

_DECODED = 2_000_000
"""Pixels that are decoded at a time, unless a strip or a row of tiles has more."""

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


def rows_at_once(file: TiffFile) -> int:
    """How many rows cannot be decoded without each other: a strip's, or a tile's. Raises ValueError."""
    return _Grid(_Directory(_data(file))).rows


def bands(file: TiffFile, rows: int) -> Iterator[Image.Image]:
    """A picture of several strips or tiles from top to bottom, as stored and in its own mode.

    Some of them are decoded at a time, as a file of their own: all data, and a directory that knows of these only.

    Args:
        file: of which only the header has been read.
        rows: no band has more.

    Raises ValueError where the strips are fewer than the picture needs, and whatever Pillow raises.
    """
    directory = _Directory(_data(file))
    grid = _Grid(directory)
    together = max(1, _DECODED // (grid.width * grid.rows))
    for first in range(0, grid.down, together):
        count = min(together, grid.down - first)
        height = min(grid.rows * count, grid.height - grid.rows * first)
        numbers = grid.part(first, count) | {_LENGTH: np.array([height], np.uint64)}
        decoded = TiffFile(io.BytesIO(directory.with_numbers(numbers)))
        decoded.load()
        for top in range(0, height, rows):
            yield decoded.crop((0, top, grid.width, min(top + rows, height)))
        del decoded  # before the next


def _data(file: TiffFile) -> bytes:
    assert isinstance(file.fp, io.BytesIO)
    return file.fp.getvalue()


class _Grid:
    """How a picture is cut into strips or tiles, `down` rows of them, each of so many rows of pixels but the last."""

    def __init__(self, directory: "_Directory") -> None:
        self.width, self.height = directory.number(_WIDTH, 0), directory.number(_LENGTH, 0)
        tiled = directory.number(_TILE_WIDTH, 0) > 0
        rows = directory.number(_TILE_LENGTH if tiled else _ROWS_PER_STRIP, self.height)
        self.rows = self.height if directory.number(_COMPRESSION, 1) == _OLD_JPEG else min(rows, self.height)
        if self.rows < 1 or self.width < 1:
            raise ValueError("no pixels")
        self.down = -(-self.height // self.rows)
        self._across = -(-self.width // directory.number(_TILE_WIDTH, 0)) if tiled else 1
        self._planes = directory.number(_SAMPLES, 1) if directory.number(_PLANES, 1) == 2 else 1
        self._numbers = {tag: directory.numbers(tag) for tag in (_OFFSETS[tiled], _BYTE_COUNTS[tiled])}

    def part(self, first: int, count: int) -> dict[int, npt.NDArray[np.unsignedinteger]]:
        """Where so many rows of strips or tiles are, and how long. Raises ValueError where there are fewer."""
        shape = self._planes, self.down, self._across
        whole = {tag: numbers[: math.prod(shape)].reshape(shape) for tag, numbers in self._numbers.items()}
        return {tag: numbers[:, first : first + count].ravel() for tag, numbers in whole.items()}


class _Directory:
    """The file's first: its numbers by their tags."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data.startswith(b"II") else ">"
        self._big = data[2] == 43
        self._tags, self._entry = ("Q", "HHQQ") if self._big else ("H", "HHLL")
        (start,) = self._unpacked(self._entry[-1], self._room)
        (count,) = self._unpacked(self._tags, start)
        self._places = dict(self._entries(count, start + struct.calcsize(self._order + self._tags)))

    @property
    def _room(self) -> int:
        """Bytes that an entry has for its values, and that a place takes: that of the directory stands at this one."""
        return struct.calcsize(self._order + self._entry[-1])

    def _unpacked(self, form: str, place: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self._order + form, self._data, place)
        except struct.error:
            raise ValueError("cut off") from None

    def _entries(self, tags: int, start: int) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
        """Each tag with its type, count and where its values stand and its entry ends.

        Raises ValueError where there are too many.
        """
        if tags > _MOST_TAGS:
            raise ValueError("too many tags")
        size, room = struct.calcsize(self._order + self._entry), self._room
        seen = set()
        for end in range(start + size, start + size * tags + 1, size):
            tag, kind, count, place = self._unpacked(self._entry, end - size)
            if tag in seen or (kind not in _BYTES and count > _MOST_NUMBERS):
                raise ValueError("a tag twice or too many numbers in it")
            seen.add(tag)
            width = np.dtype(_NUMBERS.get(kind, "u1")).itemsize
            yield tag, (kind, count, end - room if width * count <= room else place, end)

    def numbers(self, tag: int) -> npt.NDArray[np.unsignedinteger]:
        """All that stand there, none where the tag is missing. Raises ValueError where they are not whole."""
        if tag not in self._places:
            return np.zeros(0, np.uint8)
        kind, count, place, _ = self._places[tag]
        if kind not in _NUMBERS:
            raise ValueError("another type than sizes have")
        return np.frombuffer(self._data, np.dtype(self._order + _NUMBERS[kind]), count, place)

    def number(self, tag: int, default: int) -> int:
        found = self.numbers(tag)
        return int(found[0]) if found.size else default

    def with_numbers(self, others: dict[int, npt.NDArray[np.unsignedinteger]]) -> bytes:
        """The file with another directory at its end, where these tags have these numbers."""
        kind, size = 16 if self._big else 4, struct.calcsize(self._order + self._entry)
        directory = struct.pack(self._order + self._tags, len(self._places))
        start = len(self._data)
        further, values = start + len(directory) + size * len(self._places) + self._room, b""
        for tag, (*_, end) in self._places.items():
            if tag in others:
                packed = others[tag].astype(self._order + _NUMBERS[kind]).tobytes()
                directory += struct.pack(self._order + self._entry[:-1], tag, kind, others[tag].size)
                if len(packed) <= self._room:
                    directory += packed.ljust(self._room, b"\0")
                else:
                    directory += struct.pack(self._order + self._entry[-1], further + len(values))
                    values += packed
            else:
                directory += self._data[end - size : end]
        head = self._data[: self._room] + struct.pack(self._order + self._entry[-1], start)
        return b"".join((head, memoryview(self._data)[len(head) :], directory, bytes(self._room), values))


def _check(directory: _Directory, length: int) -> None:
    pixels = directory.number(_WIDTH, 0) * directory.number(_LENGTH, 0)
    across, down = directory.number(_TILE_WIDTH, _SMALL_TILE), directory.number(_TILE_LENGTH, _SMALL_TILE)
    if min(across, down) < _SMALL_TILE or across * down > max(pixels, _LARGE_TILE):
        raise ValueError("tiles that are no part of the picture")
    compressed = directory.number(_COMPRESSION, 1) != 1
    if compressed and any(float(directory.numbers(tag).sum(dtype=np.float64)) > length for tag in _BYTE_COUNTS):
        raise ValueError("strips that are longer than the file: one may stand for many")
