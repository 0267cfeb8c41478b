"""From the bytes of an uploaded picture to ink: a float array in [0, 1], 1 where the pen was.

What is paper and what is pen is found out, not assumed: dark on light, light on dark, coloured, or drawn on
transparency. A picture with one flat paper colour (a canvas, a scan) takes a short path; a photograph, whose
paper has shadows and grain, goes through `app.reading.photo`.
"""

import io
import warnings
from functools import reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

from app.reading import frame, photo

Ink = npt.NDArray[np.float32]
Shades = npt.NDArray[np.uint8]

warnings.filterwarnings("ignore", module="PIL")  # odd metadata and sizes, of which the caller is told by errors

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
Image.preinit()  # with the two plugins below all that is accepted; else the first odd file would load forty more
_PLUGINS: Final = (TiffImagePlugin, WebPImagePlugin)

MAX_PIXELS: Final = 25_000_000
WORKING_SIDE: Final = 512
"""Larger pictures are shrunk to this many pixels on their longer side: a glyph needs 20 of them."""

_MOST_SCANS = 100
"""Passes over the picture that a progressive JPEG may ask for; cameras write about ten, a bomb a million."""

_PAPER_TOLERANCE = 10
"""How far, of 255, a pixel may be from the paper's colour and be paper: lossy compression moves it that far."""

_PLAIN_EDGE = 0.75
"""Where this much of the edge is one shade, that is the paper."""

_ACCEPTED = "Accepted are PNG, JPEG, WebP, GIF, BMP or TIFF."

_FLAT_TOLERANCE = 1
_FLAT_SHARE = 0.75
"""A picture is flat when at least this share of its pixels is this near to the paper's colour, or has the pen's: grain
makes a photograph of it, however even, for that knows light and dirt from ink."""

_WHITES = (1.0, 255.0, 65535.0)
"""What white may be in greys of more than 8 bits: the least of these that nothing is brighter than."""

_MOSTLY_OPAQUE = 0.6
"""Where more than this of a picture is opaque, and not of one shade, it is paper, its margin or corners transparent."""

_SMALLEST_PHOTO = 64
"""Pixels on the shorter side below which a picture is taken as it is: too small to tell paper grain from ink."""


class InkError(ValueError):
    """The picture cannot be turned into ink; the message is a sentence for the person who sent it."""


class UnreadableImage(InkError):
    """The bytes are no picture, or a broken one."""


class EmptyFile(UnreadableImage):
    """There are no bytes."""

    def __init__(self) -> None:
        super().__init__("The file is empty. Please send a picture.")


class NotAPicture(UnreadableImage):
    """The bytes begin like none of the accepted formats."""

    def __init__(self) -> None:
        super().__init__(f"This is not a picture that can be read. {_ACCEPTED}")


class DamagedPicture(UnreadableImage):
    """The bytes begin like a picture and do not go on like one."""

    def __init__(self) -> None:
        super().__init__(f"The picture is damaged and cannot be decoded. {_ACCEPTED}")


class TooManyPixels(InkError):
    """The picture's header announces more pixels than are decoded."""


class BlankImage(InkError):
    """There is a picture and nothing on it."""

    def __init__(self) -> None:
        super().__init__("Image is blank. Please provide a valid digit.")


def read_ink(data: bytes, max_pixels: int = MAX_PIXELS) -> Ink:
    """The ink of an encoded picture.

    Args:
        data: a whole PNG, JPEG, WebP, GIF (its first frame), BMP or TIFF file.
        max_pixels: pictures with more pixels than this are refused before they are decoded.

    Returns:
        (height, width) float32 in [0, 1], at most `WORKING_SIDE` pixels on its longer side.

    Raises:
        UnreadableImage, TooManyPixels, BlankImage
    """
    return lift(decode(data, max_pixels))


def decode(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A picture upright, in mode L, RGB or RGBA, shrunk to `WORKING_SIDE`. Raises as `read_ink`."""
    return decode_picture(open_picture(data, max_pixels))


def open_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A picture of which only the header has been read. Raises UnreadableImage, TooManyPixels."""
    if not data:
        raise EmptyFile
    accepted = f"at most {max_pixels / 1e6:g} million are accepted."
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAPicture from None
    except Image.DecompressionBombError:
        raise TooManyPixels(f"The picture has far too many pixels; {accepted}") from None
    except Exception:  # Pillow raises nearly anything on hostile bytes
        raise DamagedPicture from None
    if image.width * image.height > max_pixels:
        raise TooManyPixels(f"The picture has {image.width} x {image.height} pixels; {accepted}")
    if image.format == "JPEG" and data.count(b"\xff\xda") > _MOST_SCANS:
        raise DamagedPicture
    return image


def decode_picture(image: Image.Image) -> Image.Image:
    """As `decode`, of a picture that `open_picture` has opened."""
    try:
        image.draft(None, (WORKING_SIDE, WORKING_SIDE))  # JPEG: decode at a fraction of the size
        image.load()
        return _working_copy(image)
    except Exception:  # as above
        raise DamagedPicture from None


def _working_copy(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # greys of 16 bits, 32 bits or floating point
        image = _eight_bits(image)
    transparent = image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info
    mode = "RGBA" if transparent else "L" if image.mode in ("1", "L") else "RGB"
    longest = max(image.size)
    if longest > WORKING_SIDE:
        factor = longest // WORKING_SIDE
        if factor > 1 and image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
            image = image.reduce(factor)
        image = image.convert(mode)
        image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX, reducing_gap=None)
    else:
        image = image.convert(mode)
    return ImageOps.exif_transpose(image)


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.clip(np.nan_to_num(_blocks(np.asarray(image))), 0, None)
    brightest = float(values.max())
    white = next((top for top in _WHITES if brightest <= top), brightest)
    return Image.fromarray((values * (255 / white)).astype(np.uint8))


def _blocks(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """(height, width) numbers as float32; many are shrunk by averaging first: a float each would be 100 MB and more."""
    factor = max(1, max(values.shape) // WORKING_SIDE)
    down, right = (min(factor, side) for side in values.shape)
    height, width = values.shape[0] // down, values.shape[1] // right
    rows = (values[top : top + down, : width * right] for top in range(0, height * down, down))
    return np.stack([row.reshape(down, width, right).mean(axis=(0, 2), dtype=np.float32) for row in rows])


def lift(image: Image.Image) -> Ink:
    """The ink of a decoded picture in mode L, RGB or RGBA. Raises BlankImage where there is none."""
    bands = frame.within(_bands(image))
    distance = _distance_from_paper(bands)
    strongest = int(distance.max())
    if strongest <= _PAPER_TOLERANCE:
        raise BlankImage
    if min(bands[0].size) < _SMALLEST_PHOTO or _is_flat(distance, strongest):
        return distance * np.float32(1 / strongest)
    ink = photo.lift(bands)
    if ink is None:
        raise BlankImage
    return ink


def _is_flat(distance: Shades, strongest: int) -> bool:
    paper = np.count_nonzero(distance <= _FLAT_TOLERANCE)
    pen = np.count_nonzero(distance >= max(strongest - _PAPER_TOLERANCE, _PAPER_TOLERANCE + 1))
    return bool(paper + pen >= _FLAT_SHARE * distance.size)


def _bands(image: Image.Image) -> list[Image.Image]:
    """The picture's colour bands on opaque paper; one alone where all are equal, which most drawings' are."""
    bands = list(image.split())
    if len(bands) == 4:
        opaque = np.asarray(bands[3]).min() == 255
        bands = bands[:3] if opaque else list(_on_contrasting_paper(image).split())
    first = np.asarray(bands[0])
    return bands[:1] if all(np.array_equal(first, np.asarray(band)) for band in bands[1:]) else bands


def _on_contrasting_paper(image: Image.Image) -> Image.Image:
    """Lay a transparent drawing on white, or on black if its own strokes are light; on its paper, if it has some."""
    opacity = np.asarray(image.getchannel("A"), dtype=np.float32)
    brightness = float((np.asarray(image.convert("L")) * opacity).sum() / max(1.0, float(opacity.sum())))
    paper: str | tuple[int, ...] = "white" if brightness < 128 else "black"
    opaque = opacity == 255
    stencil = frame.edge(opaque).all()  # what is transparent was cut out of the paper: it is the ink
    if opaque.mean() > _MOSTLY_OPAQUE and not stencil:
        shades = np.asarray(image)[opaque]
        own = np.median(shades, axis=0).astype(np.uint8)
        if _distance(shades, own).max() > _PAPER_TOLERANCE:
            paper = tuple(own.tolist())
        else:  # strokes cut to their ink: some paper around tells them apart
            image = ImageOps.expand(image, 1, (0, 0, 0, 0))
    return Image.alpha_composite(Image.new("RGBA", image.size, paper), image).convert("RGB")


def _distance_from_paper(bands: list[Image.Image]) -> Shades:
    """Each pixel's distance from the paper's colour, the largest over the bands."""
    distances = []
    for band in bands:
        distances.append(_distance(np.asarray(band), _paper_of(band)))
    return reduce(np.maximum, distances)


def _distance(pixels: Shades, shade: np.uint8 | Shades) -> Shades:
    return np.maximum(pixels, shade) - np.minimum(pixels, shade)


def _paper_of(band: Image.Image) -> np.uint8:
    """The shade of the paper: the median of the picture's edge, which strokes seldom touch.

    Where a picture is cropped so tightly that strokes fill much of its edge, the median of all of it may be another
    shade. Of the two, the paper is the one that is more of the edge and of the whole, which count alike.
    """
    pixels = np.asarray(band)
    edge = frame.edge(pixels)
    outer = frame.median(edge)
    if _presence(outer, edge) >= _PLAIN_EDGE:
        return outer
    inner = np.uint8(np.searchsorted(np.cumsum(band.histogram()), pixels.size / 2))
    return max(outer, inner, key=lambda shade: _presence(shade, edge) + _presence(shade, pixels))


def _presence(shade: np.uint8, pixels: Shades) -> float:
    """The share of pixels that are near a shade."""
    return float(np.count_nonzero(_distance(pixels, shade) <= _PAPER_TOLERANCE) / pixels.size)
