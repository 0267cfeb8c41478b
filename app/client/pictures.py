"""Pictures as callers have them, to the bytes that are sent.

Neither Pillow nor NumPy is needed here. What is neither bytes nor a path is one of theirs only if the caller has
imported them, and then it says itself what it is.
"""

import io
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy.typing
    from PIL import Image

    Picture: TypeAlias = (
        bytes | bytearray | memoryview | str | os.PathLike[str] | Image.Image | numpy.typing.NDArray[Any]
    )
else:
    Picture: TypeAlias = Any

_OF_PNG: Final = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow's modes that PNG has, and that every reader of it knows."""

_COLOURS: Final = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG's number for each number of samples a pixel: grey, grey and alpha, RGB, RGBA."""


def encoded(picture: Picture) -> bytes:
    """The file to send.

    Args:
        picture: the bytes of a file, its path, a Pillow image, or an array: (height, width) or (height, width, 1 to 4)
            with numbers from 0 to 255, floats from 0 to 1, or booleans.

    Raises:
        OSError: the file cannot be read.
        TypeError, ValueError: it is none of these.
    """
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, bytearray | memoryview):
        return bytes(picture)
    if isinstance(picture, str | os.PathLike):
        return Path(picture).read_bytes()
    if _is(picture, "PIL.Image", "Image"):
        return _of_image(picture)
    if _is(picture, "numpy", "ndarray"):
        return _of_array(picture)
    raise TypeError(f"A {type(picture).__name__} is no picture: bytes, a path, a Pillow image or an array is.")


def _is(one: object, module: str, name: str) -> bool:
    """Whether it is of a class of a module that may not be there."""
    known = sys.modules.get(module)
    return known is not None and isinstance(one, getattr(known, name))


def _of_image(image: Any) -> bytes:
    file = io.BytesIO()
    (image if image.mode in _OF_PNG else image.convert("L" if image.mode == "F" else "RGB")).save(file, "PNG")
    return file.getvalue()


def _of_array(array: Any) -> bytes:
    if array.ndim not in (2, 3) or not array.size or (array.ndim == 3 and array.shape[2] not in _COLOURS):
        raise ValueError(
            f"An array of shape {array.shape} is no picture: (height, width) or (height, width, 1 to 4) is."
        )
    height, width = array.shape[:2]
    samples = array.shape[2] if array.ndim == 3 else 1
    rows = _in_bytes(array).reshape(height, width * samples)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 1)
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOURS[samples], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (head, packed, b"")))


def _in_bytes(array: Any) -> Any:
    kind, least, most = array.dtype.kind, array.min(), array.max()
    if kind == "b":
        return array.astype("uint8") * 255
    if kind in "ui" and least >= 0 and most <= 255:
        return array.astype("uint8")
    if kind == "f" and least >= 0 and most <= 1:
        return (array * 255).round().astype("uint8")
    raise ValueError(
        f"An array of {array.dtype} from {least} to {most} is no picture: integers from 0 to 255, floats from 0 to 1."
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
