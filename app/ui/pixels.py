"""What needs a picture's pixels. To be imported where it is used: Pillow takes 8 MB of memory.

To be called only with pictures that the API has read: it refuses what is made to do harm.
"""

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageOps

from app.client.models import Box

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")

_LYING: Final = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""

_ORIENTATION: Final = 0x0112

MOST_PIXELS: Final = 12_000_000
"""Of a picture that is decoded here, 72 MB with its upright copy; of a JPEG that has more, a smaller version."""

_MARGIN: Final = 0.25
"""Of a character's longer side, on each side of it."""

_SIDE: Final = 2000
"""Pixels of a part's longer side; larger ones are shrunk."""


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height as a browser shows it, upright; nothing is decoded. Raises OSError for what is no picture."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        lying = picture.getexif().get(_ORIENTATION) in _LYING
        return (picture.height, picture.width) if lying else picture.size


def around(box: Box, others: Sequence[Box], size: tuple[int, int]) -> Box:
    """A character's box with some of what is around it, and nothing of its neighbours' boxes.

    Args:
        box: left, top, right and bottom limit.
        others: those of all characters.
        size: of the picture, in the same pixels.
    """
    left, top, right, bottom = box
    margin = _MARGIN * max(right - left, bottom - top)
    beside = [one for one in others if one != box and one[1] < bottom and one[3] > top]
    before = max((one[2] for one in beside if one[2] <= left), default=0)
    after = min((one[0] for one in beside if one[0] >= right), default=size[0])
    return (
        max(left - margin, (left + before) / 2 if before else 0),
        max(top - margin, 0),
        min(right + margin, (right + after) / 2 if after < size[0] else size[0]),
        min(bottom + margin, size[1]),
    )


def can_crop(data: bytes) -> bool:
    """Whether it takes little memory: a progressive JPEG is held as a whole, however small it is wanted."""
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        in_parts = picture.format == "JPEG" and not picture.info.get("progressive")
        return in_parts or picture.width * picture.height <= MOST_PIXELS


def cropped(data: bytes, box: Box) -> bytes:
    """A part of a picture as a PNG. Raises OSError for what cannot be decoded.

    Args:
        data: an encoded picture that `can_crop`.
        box: left, top, right and bottom limit in its pixels, upright.
    """
    width, height = size_of(data)
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        smaller = 1
        while picture.width * picture.height > MOST_PIXELS * smaller**2:
            smaller *= 2
        picture.draft(None, (picture.width // smaller, picture.height // smaller))
        upright = ImageOps.exif_transpose(picture)
    across, down = upright.width / width, upright.height / height
    left, top, right, bottom = box
    part = upright.crop((round(left * across), round(top * down), round(right * across), round(bottom * down)))
    part = part.convert("RGBA" if part.has_transparency_data else "RGB")
    part.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    part.save(buffer, "PNG")
    return buffer.getvalue()
