"""From an opened file to a picture of a size to work with, of which no more is held at once than must be."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeGuard

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from app.reading import limits, png, small_png, tiff
from app.reading.decoding import decoding

Floats = npt.NDArray[np.float32]

_WHITES = (1.0, 255.0, 65535.0)
"""What white may be in greys of more than 8 bits: the least of these that nothing is brighter than."""

_WHOLE = 12_500_000
"""Pixels of a picture that is held whole: 50 MB, and no mode or decoder makes 200 MB of them."""

_STRIP = 32
"""Rows of a smaller copy that are made at once."""

_REDUCIBLE: Final = ("L", "LA", "RGB", "RGBA", "CMYK")
"""Modes whose pixels can be averaged as they are."""


def to_side(image: Image.Image, side: int) -> Image.Image:
    """What a file shows, as stored, in mode L, RGB or RGBA, at most so many pixels on its longer side.

    Args:
        image: of which only the header has been read, and within its `limits`; or a later frame.
        side: of a smaller one nothing is changed but the mode.

    Raises Undecodable, and MemoryError where it takes more than there is.
    """
    with decoding():
        small = small_png.decoded(image)
        if small is not None:
            return _at_side(small, side)
        image.draft(None, _fraction(image.size, side))  # JPEG: decode at a fraction of the size
        if not _has_bands(image):
            image.load()
    if image.mode.startswith(("I", "F")):  # greys of 16 bits, 32 bits or floating point
        image = _in_eight_bits(_blocks(image, max(1, max(image.size) // side)))
    with decoding():
        return _at_side(image, side)


def _at_side(image: Image.Image, side: int) -> Image.Image:
    transparent = image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info
    mode = "RGBA" if transparent else "L" if image.mode in ("1", "L") else "RGB"
    longest = max(image.size)
    if longest > side:
        factor = longest // side
        if _is_large(image) or (factor > 1 and image.mode in _REDUCIBLE):
            image = _reduced(image, factor, mode)
        image = image.convert(mode)
        image.thumbnail((side, side), Image.Resampling.BOX, reducing_gap=None)
    else:
        image = image.convert(mode)
    return image


def _fraction(size: tuple[int, int], side: int) -> tuple[int, int]:
    """What a JPEG may be shrunk to while it is decoded, and no further: on either side, or a huge one on its longer."""
    if size[0] * size[1] <= limits.AT_ONCE:
        return side, side
    width, height = (max(1, length * side // max(size)) for length in size)
    return width, height


def _is_large(image: Image.Image) -> bool:
    return image.width * image.height > _WHOLE


def _has_bands(image: Image.Image) -> TypeGuard[PngImageFile | tiff.TiffFile]:
    """Whether parts of a file can be decoded by themselves, and should be."""
    if not _is_large(image):
        return False
    if isinstance(image, tiff.TiffFile):
        return tiff.rows_at_once(image) < image.height
    return isinstance(image, PngImageFile) and not png.is_interlaced(image)


def _reduced(image: Image.Image, factor: int, mode: str) -> Image.Image:
    """What `reduce` returns, band by band: of a transparent picture it would make another copy of the whole.

    In the picture's own mode; in the other, if pixels of that cannot be averaged.
    """
    if image.mode not in _REDUCIBLE:
        kept = mode
    elif image.mode in ("LA", "RGBA") or _is_large(image):
        kept = image.mode
    else:
        return image.reduce(factor)
    small = Image.new(kept, (-(-image.width // factor), -(-image.height // factor)))
    if kept == image.mode and "transparency" in image.info:
        small.info["transparency"] = image.info["transparency"]
    top = 0
    bands = (band if band.mode == kept else band.convert(kept) for band in _bands(image, factor))
    for band in _cut_anew(bands, factor):
        small.paste(band.reduce(factor), (0, top))
        top += band.height // factor
    return small


def _in_eight_bits(values: Floats) -> Image.Image:
    values = np.clip(np.nan_to_num(values), 0, None)
    brightest = float(values.max())
    white = next((top for top in _WHITES if brightest <= top), brightest)
    return Image.fromarray((values * (255 / white)).astype(np.uint8))


def _blocks(image: Image.Image, factor: int) -> Floats:
    """(height, width) greys, blocks of which are averaged to one: all of them as floats would be 100 MB and more."""
    down, right = (min(factor, length) for length in reversed(image.size))
    width = image.width // right
    bands = _decoded(_cut_anew(_bands(image, down), down))
    rows = (band[top : top + down, : width * right] for band in bands for top in range(0, len(band) - down + 1, down))
    return np.stack([row.reshape(down, width, right).mean(axis=(0, 2), dtype=np.float32) for row in rows])


def _decoded(bands: Iterator[Image.Image]) -> Iterator[npt.NDArray[Any]]:
    """Their pixels. Raises Undecodable for whatever is raised on the way to them."""
    pixels = map(np.asarray, bands)
    while True:
        with decoding():
            band = next(pixels, None)
        if band is None:
            return
        yield band


def _bands(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    """The picture from top to bottom, in parts of about so many rows, or of a multiple of them."""
    if _has_bands(image):
        yield from png.bands(image, rows) if isinstance(image, PngImageFile) else tiff.bands(image, rows * _STRIP)
    else:
        rows *= _STRIP
        for top in range(0, image.height, rows):
            yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _cut_anew(bands: Iterable[Image.Image], rows: int) -> Iterator[Image.Image]:
    """The same in bands of so many rows or a multiple of them, but for the last: what is left over goes to the next."""
    rest = None
    for band in bands:
        if rest is not None:
            band = _stacked(rest, band)
        whole = band.height // rows * rows
        rest = band.crop((0, whole, *band.size)) if whole < band.height else None
        if whole:
            yield band if rest is None else band.crop((0, 0, band.width, whole))
    if rest is not None:
        yield rest


def _stacked(upper: Image.Image, lower: Image.Image) -> Image.Image:
    both = Image.new(upper.mode, (upper.width, upper.height + lower.height))
    both.paste(upper)
    both.paste(lower, (0, upper.height))
    return both
