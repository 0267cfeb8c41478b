"""How many pixels a picture may have by its kind: as many as are decoded in little memory."""

from dataclasses import dataclass
from typing import Final

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from app.reading import png, tiff

AT_ONCE: Final = 25_000_000
"""Pixels that are decoded at once: 100 MB, and some decoders hold them twice."""

_BYTES_AT_ONCE = 75_000_000
"""The same of modes with a byte a pixel."""

_OF_BYTES: Final = ("1", "L", "P")

_COEFFICIENTS = 75_000_000
"""Of a progressive JPEG, which are held until the last pass is over: 150 MB."""

_FEWER: Final = {"WEBP": "a WebP", "AVIF": "an AVIF"}
_MOST_OF_THESE = 12_500_000
"""Their decoders hold a picture five times: these are 250 MB."""

_MOST_RUN_LENGTH_ENCODED = 2_000_000
"""Pillow decodes such BMPs in Python, pixel by pixel."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many `pixels`, if of `kind`, and how (`remedy`) to send a picture that has more."""

    pixels: int
    kind: str = ""
    remedy: str = "smaller"


def of(image: Image.Image) -> Limit | None:
    """The limit of a picture of which only the header has been read; None if its kind has none of its own.

    Raises ValueError where the header makes no sense.
    """
    if image.format in _FEWER:
        return Limit(_MOST_OF_THESE, _FEWER[image.format], "smaller, or as JPEG or PNG")
    if is_run_length_encoded(image):
        return Limit(_MOST_RUN_LENGTH_ENCODED, "a run-length encoded BMP", "smaller, or as PNG")
    if isinstance(image, JpegImageFile):
        return _of_jpeg(image)
    if isinstance(image, PngImageFile):
        if not png.is_interlaced(image):
            return None
        return _at_once(image, "an interlaced PNG", "smaller, or without interlacing")
    if isinstance(image, tiff.TiffFile):
        uncut = _at_once(image, "a TIFF of large strips or tiles", "smaller, in smaller strips, or as PNG")
        return uncut if image.width * tiff.rows_at_once(image) > uncut.pixels else None
    if image.format == "GIF":
        return Limit(AT_ONCE, "a GIF", "smaller, or as JPEG or PNG")
    return _at_once(image, "a BMP", "smaller, or as PNG")


def is_run_length_encoded(image: Image.Image) -> bool:
    return isinstance(image, BmpImageFile) and bool(image.tile) and image.tile[0].codec_name == "bmp_rle"


def _of_jpeg(image: JpegImageFile) -> Limit | None:
    """None for one that is decoded in a single pass, of which no more than a fraction is held."""
    if "progressive" not in image.info:
        return None
    areas = [across * down for _, across, down, _ in image.layer]
    most = int(_COEFFICIENTS * max(areas) / max(1, sum(areas)))
    return Limit(max(AT_ONCE, most), "a progressive JPEG of this kind", "smaller, or as baseline JPEG")


def _at_once(image: Image.Image, kind: str, remedy: str) -> Limit:
    if image.mode in _OF_BYTES:
        return Limit(_BYTES_AT_ONCE, f"{kind} with up to 8 bits a pixel", remedy)
    return Limit(AT_ONCE, f"{kind} with more than 8 bits a pixel", remedy)
