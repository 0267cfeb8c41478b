"""From the bytes of an uploaded picture to a picture: decoded, upright, of a size to work with.

Whatever strangers send is refused by name, or becomes a `Picture`. Only Pillow's own calls are wrapped: a mistake of
ours must not tell anybody that their picture is damaged.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError, WebPImagePlugin

from app.reading import heif, limits, shrinking, tiff
from app.reading.decoding import Undecodable, decoding
from app.reading.limits import Limit

warnings.filterwarnings("ignore", module="PIL")  # odd metadata and sizes, of which the caller is told by errors

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""That Pillow tells apart; TIFF and AVIF are told by `app.reading.tiff` and `app.reading.heif`."""
Image.preinit()  # with the plugin below all that is accepted; else the first odd file would load forty more
_PLUGINS: Final = (WebPImagePlugin,)

MAX_PIXELS: Final = 120_000_000
WORKING_SIDE: Final = 512
"""Larger pictures are shrunk to this many pixels on their longer side: a glyph needs 20 of them."""

_MOST_SCANS = 100
"""Passes over the picture that a progressive JPEG may ask for; cameras write about ten, a bomb a million."""

_ACCEPTED = "Accepted are PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF."

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""

_LYING = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""

_MOST_EXIF = 64 * 1024
"""Bytes of EXIF in which an orientation is looked for: what one segment of a JPEG holds. Pillow takes it all apart."""

_MOST_HEADINGS = 32
_HEADINGS: Final = (b"Exif\0\0", b"iCCP")
"""Of metadata that Pillow unpacks or copies anew for each; an ordinary file has one, a bomb a hundred thousand."""

_MOVING: Final = ("GIF", "WEBP")
_MOST_FRAMES = 20
_MOST_FRAME_PIXELS = 20_000_000
"""Frames, and pixels of them all, in which something is looked for where the first frame is empty."""

_ONE_SHADE = 8
"""Of 255: how far the shades of one colour may lie apart after a lossy encoder had it."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom limit."""


class ReadingError(ValueError):
    """Nothing can be read of a picture; the message is a sentence for the person who sent it."""


class UnreadablePicture(ReadingError):
    """The bytes are no picture, or a broken one."""


class EmptyFile(UnreadablePicture):
    """There are no bytes."""

    def __init__(self) -> None:
        super().__init__("The file is empty. Please send a picture.")


class NotAPicture(UnreadablePicture):
    """The bytes begin like none of the accepted formats."""

    def __init__(self) -> None:
        super().__init__(f"This is not a picture that can be read. {_ACCEPTED}")


class HeicPicture(NotAPicture):
    """A photo as iPhones keep it, in a format that needs a licence to be read."""

    def __init__(self) -> None:
        ReadingError.__init__(self, f"HEIC is not read; please send JPEG. {_ACCEPTED}")


class DamagedPicture(UnreadablePicture):
    """The bytes begin like a picture and do not go on like one."""

    def __init__(self) -> None:
        super().__init__(f"The picture is damaged and cannot be decoded. {_ACCEPTED}")


class TooManyPixels(ReadingError):
    """The picture's header announces more pixels than are decoded; its size may be too large to be told."""

    def __init__(self, limit: Limit, size: tuple[int, int] | None = None) -> None:
        pixels = f"{size[0]} x {size[1]} pixels, {_million(size[0] * size[1])}" if size else "far too many pixels"
        of_kind = f" of {limit.kind}" if limit.kind else ""
        accepted = f"at most {_million(limit.pixels)} are accepted{of_kind}"
        super().__init__(f"The picture has {pixels}; {accepted}. Please send it {limit.remedy}.")


def _million(pixels: int) -> str:
    return f"{round(pixels / 1e6, 2):.10g} million"


class TooLaborious(ReadingError):
    """Decoding takes more time or memory than any ordinary picture does."""

    def __init__(self) -> None:
        super().__init__("The picture takes too much work to decode. Please send it smaller, or as PNG or JPEG.")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    `image` is upright, in mode L, RGB or RGBA, at most `WORKING_SIDE` pixels on its longer side; `size` is the width
    and height as sent, upright too.
    """

    image: Image.Image
    size: tuple[int, int]

    @classmethod
    def of(cls, image: Image.Image) -> "Picture":
        """A picture that was made here, in mode L, RGB or RGBA and of a size to work with."""
        return cls(image, image.size)

    @property
    def shrunk(self) -> float:
        """How many pixels as sent are one of `image`, along the longer side."""
        return max(self.size) / max(self.image.size)

    def box_as_sent(self, left: float, top: float, width: float, height: float) -> Box:
        """A part of `image` in pixels of the picture as sent."""
        across, down = (sent / kept for sent, kept in zip(self.size, self.image.size, strict=True))
        right, bottom = (left + width) * across, (top + height) * down
        return max(0.0, left * across), max(0.0, top * down), min(right, self.size[0]), min(bottom, self.size[1])


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    """The picture in a file.

    Args:
        data: a whole PNG, JPEG, WebP, AVIF, GIF (its first frame with something on it), BMP or TIFF file.
        max_pixels: pictures with more pixels than this are refused before they are decoded.

    Raises:
        UnreadablePicture, TooManyPixels
    """
    return load(open_file(data, max_pixels))


def open_file(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A picture of which only the header has been read. Raises UnreadablePicture, TooManyPixels."""
    if not data:
        raise EmptyFile
    if any(data.count(heading) > _MOST_HEADINGS for heading in _HEADINGS):
        raise DamagedPicture
    if heif.is_heic(data):
        raise HeicPicture
    try:
        image = _opened(data)
        limit = limits.of(image)
    except (UnidentifiedImageError, SyntaxError):
        raise (DamagedPicture if heif.is_avif(data) else NotAPicture) from None
    except Image.DecompressionBombError:
        raise TooManyPixels(Limit(max_pixels)) from None
    except MemoryError:
        raise TooLaborious from None
    except Exception:  # Pillow raises nearly anything on hostile bytes
        raise DamagedPicture from None
    if image.width * image.height > max_pixels:
        raise TooManyPixels(Limit(max_pixels), image.size)
    if image.width * image.height == 0 or _scans(data) > _MOST_SCANS or _has_empty_runs(image, len(data)):
        raise DamagedPicture
    if limit and image.width * image.height > limit.pixels:
        raise TooManyPixels(limit, image.size)
    return image


def _scans(data: bytes) -> int:
    """Of a JPEG, by whatever name Pillow calls it: one with a second picture in it is an "MPO"."""
    return data.count(b"\xff\xda") if data.startswith(b"\xff\xd8") else 0


def _opened(data: bytes) -> Image.Image:
    """By whatever of Pillow's reads this; raises whatever that does."""
    if tiff.is_tiff(data):
        return tiff.open_file(data)
    if heif.is_avif(data):
        from PIL import AvifImagePlugin  # 5 MB, which most processes never need

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each has its own memory
        return Image.open(io.BytesIO(data), formats=("AVIF",))
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _has_empty_runs(image: Image.Image, length: int) -> bool:
    """Whether a run-length encoded BMP has more runs than pixels."""
    return limits.is_run_length_encoded(image) and length > 4 * image.width * image.height + 4096


def load(image: Image.Image) -> Picture:
    """Decode what `open_file` has opened. Raises DamagedPicture, TooLaborious."""
    first = _loaded(image)
    if image.format in _MOVING and _is_empty(first.image):
        return next((frame for frame in _further_frames(image) if not _is_empty(frame.image)), first)
    return first


def _further_frames(image: Image.Image) -> Iterator[Picture]:
    """Those after the first, while there are some that can be decoded, and not too many."""
    for number in range(1, min(_MOST_FRAMES, _MOST_FRAME_PIXELS // (image.width * image.height))):
        try:
            image.seek(number)
            yield _loaded(image)
        except Exception:  # there are no more; or a broken one: what came before is what there is to see
            return


def _is_empty(image: Image.Image) -> bool:
    """Whether nothing is on it: all of one colour, or transparent."""
    shades = np.asarray(image).reshape(image.width * image.height, -1)
    transparent = image.mode == "RGBA" and shades[:, 3].max() <= _ONE_SHADE
    return bool(transparent or np.all(np.ptp(shades, axis=0) <= _ONE_SHADE))


def _loaded(image: Image.Image) -> Picture:
    width, height = image.size
    try:
        small = shrinking.to_side(image, WORKING_SIDE)
        with decoding():
            orientation = _orientation(image)
            if orientation in _UPRIGHT:
                small = small.transpose(_UPRIGHT[orientation])
    except MemoryError:
        raise TooLaborious from None
    except Undecodable:
        raise DamagedPicture from None
    return Picture(small, (height, width) if orientation in _LYING else (width, height))


def _orientation(image: Image.Image) -> Any:
    """As EXIF has it, or XMP; whatever stands there. 1, upright, where there is nothing or too much to look through."""
    metadata = (image.info.get(name) or b"" for name in ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"))
    if sum(map(len, metadata)) > _MOST_EXIF:
        return 1
    exif = Image.Image.getexif(image)  # a PNG's own would decode the whole picture first
    return exif.get(ExifTags.Base.Orientation, 1)
