"""Small PNGs, as canvases send them, in a third of the time that Pillow takes: to the same pixels, or not at all.

Pillow unpacks a row at a time. Here all is unpacked at once, which libdeflate does in a tenth of the time; Pillow then
only frees the rows from their filters. These go byte by byte of a pixel, whatever the others are: where a drawing is
grey and opaque, as most are, its colours are equal before they are freed, and one of them alone has to be.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from deflate import DeflateError, zlib_compress, zlib_decompress
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

_MOST_PIXELS = 1_000_000
"""Of one that is held three times."""

_BYTES: Final = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
"""Of a pixel, in the modes that are decoded here, which are stored as they are kept."""

_OPAQUE: Final = np.array([[255, 0], [0, 255], [0, 0], [0, 128], [0, 0]], np.uint32) << 24
_OPAQUE_IN_FIRST_ROW: Final = np.array([[255, 0], [0, 255], [255, 0], [128, 127], [0, 255]], np.uint32) << 24
"""What a row's filter (none, sub, up, average, Paeth) makes of full opacity: in all its pixels, and in the first on top
of that."""

Rows = npt.NDArray[np.uint8]


def decoded(file: Image.Image) -> Image.Image | None:
    """A file of which only the header has been read, in its own mode, or L where it is RGBA, grey and opaque.

    None where it is for Pillow, to be decoded or to be told what is wrong. Raises whatever Pillow raises where a row's
    filter is unknown.
    """
    if not isinstance(file, PngImageFile) or not isinstance(file.fp, io.BytesIO) or not _is_plain(file):
        return None
    (width, height), place = file.size, file.tile[0].offset
    packed = _packed(file.fp.getvalue(), place - 8)
    length = 1 + width * _BYTES[file.mode]
    try:
        filtered = zlib_decompress(packed, height * length)
    except DeflateError:
        return None
    if len(filtered) != height * length:
        return None
    mode, rows = file.mode, np.frombuffer(filtered, np.uint8).reshape(height, length)
    if mode == "RGBA" and (grey := _grey(rows)) is not None:
        mode, rows = "L", grey
    return Image.frombytes(mode, file.size, zlib_compress(rows, 0), "zip", mode)


def _is_plain(file: PngImageFile) -> bool:
    """Whether all is small, of bytes, in one piece and without a colour that is transparent."""
    codec, extents, _, stored = file.tile[0]
    whole = codec == "zip" and extents == (0, 0, *file.size) and not file.info.get("interlace")
    of_bytes = stored == file.mode and file.mode in _BYTES and "transparency" not in file.info
    return whole and of_bytes and file.width * file.height <= _MOST_PIXELS


def _packed(data: bytes, place: int) -> bytes:
    """What the pixels' chunks hold, the first of which begins at this place; nothing where the file goes on after them.

    There may be more frames then, or an orientation.
    """
    pieces = []
    while data[place + 4 : place + 8] == b"IDAT":
        after = place + 12 + int.from_bytes(data[place : place + 4], "big")
        pieces.append(data[place + 8 : after - 4])
        place = after
    return b"".join(pieces) if data[place + 4 : place + 8] == b"IEND" else b""


def _grey(rows: Rows) -> Rows | None:
    """Filtered rows of RGBA -> those of grey, if they are that and opaque."""
    kinds = rows[:, 0]
    if kinds.max() >= len(_OPAQUE):
        return None
    words = np.ascontiguousarray(rows[:, 1:]).view("<u4")
    grey = np.empty((len(words), 1 + words.shape[1]), np.uint8)
    grey[:, 0], grey[:, 1:] = kinds, words  # of which the lowest byte is kept
    opaque = _OPAQUE[kinds]
    opaque[0] = _OPAQUE_IN_FIRST_ROW[kinds[0]]
    expected = words & 0xFF
    expected *= 0x010101
    expected += opaque[:, :1]
    expected[:, 0] += opaque[:, 1]
    expected ^= words
    return None if expected.max() else grey
