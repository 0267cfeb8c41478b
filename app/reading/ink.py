"""From a picture to its ink: a float array in [0, 1], 1 where the pen was.

What is paper and what is pen is found out, not assumed: dark on light, light on dark, coloured, or drawn on
transparency. A picture with one flat paper colour (a canvas, a scan) takes a short path; a photograph, whose
paper has shadows and grain, goes through `photo`. From here on all is NumPy; Pillow only filters and resizes.

In brackets beside a threshold: what else was tried, on 80 pictures of each of 16 sets of
`training.evaluate --reading`, or also of digits in cells, beside others and of registers, and what was lost by it.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from app.reading import components, frame, grid, paper, photo, surroundings
from app.reading.frame import Band
from app.reading.picture import Picture

Density = npt.NDArray[np.float32]
"""(height, width) in [0, 1]."""

_PAPER_TOLERANCE = 10
"""How far, of 255, a pixel may be from the paper's colour and be paper: lossy compression moves it that far. [5: 1,
20: 2 of 80 of MNIST-C's foggy digits lost.]"""

_PLAIN_EDGE = 0.75
"""Where this much of the edge is one shade, that is the paper. [0.5: 2 of 80 foggy digits and one of Semeion lost;
0.95: no loss.]"""

_FLAT_TOLERANCE = 1
_FLAT_SHARE = 0.75
"""A picture is flat when at least this share of its pixels is this near to the paper's colour, or has the pen's: grain
makes a photograph of it, however even, for that knows light and dirt from ink. [Tolerance 0: no loss; 3: 2 of 80 blank
papers a sure answer. Share 0.5, 0.9: no loss.]"""

_MOSTLY_OPAQUE = 0.6
"""Where more than this of a picture is opaque, and not of one shade, it is paper, its margin or corners transparent.
[0.3, 0.9: no loss.]"""

_LEAST_TILE, _FILLED_TILE, _PLAIN_TILE = 0.12, 0.9, 0.5
"""Paper on transparency is at least this share of the picture, fills this share of its rectangle, and has one shade in
this share of it, but not all over: that is a stroke. [half and double, 0.8 and 0.95, half and half as much again:
none]"""

_PEN, _MOST_PEN = 0.5, 0.25
"""Where more than the second share of a flat picture is more than the first of full ink, it may be something else.
[0.25, 0.75 and 0.125: none; 0.5: 2 in surroundings]"""

_SMALLEST_PHOTO = 64
"""Pixels on the shorter side below which a picture is taken as it is: too small to tell paper grain from ink. [32: no
loss; 128: 6 of 80 blank papers a sure answer.]"""

_FAINTEST = 4
_FAINT_SHARE = 0.25
"""Faint ink, within the tolerance, is ink if at most this share of the picture is not exactly of the paper's colour.
[2: an empty cell, 8: none; 0.125: none, 0.5: an empty cell]"""

_PALE, _PALE_GRAIN = 40, 2
"""Where nothing is farther than the first from the paper, what is as near to it as the second is grain, and the picture
rather a scan than a canvas. [20, 80 and 1, 4: none]"""

_GRAIN, _ABOVE_GRAIN = 3.0, 5.0
"""Ink of a small picture is more than the first times its grain, and more than the second in some pixels at least.
[1.5: 3 of registers, 6: 2 of them won; 2.5, 10: none]"""

_LAG, _PAPER_PAIRS = 3, 0.3
"""Grain is judged by pixels so far apart, which compression leaves different; this share of them are surely paper. [2:
4 of registers, 6: none; 0.15: an empty cell and 1 of registers, 0.6: an empty cell won]"""

_TOO_SMALL = 30
"""Pixels on the shorter side below which strokes are too much of a picture to judge its grain. [15: none; 60: 3 of
registers]"""

_FEWEST = 8
"""Pixels that must stand out so far. [4, 16: none]"""


@dataclass(frozen=True, slots=True)
class Ink:
    """`density`: (height, width) float32 in [0, 1], all 0 where there is only paper; `left` and `top` tell how many
    pixels of the picture were cut away before it, as a frame; negative where some were added. `flat`: whether the
    paper is of one colour, as a canvas is."""

    density: Density
    left: int = 0
    top: int = 0
    flat: bool = True


def of(picture: Picture) -> Ink:
    """The ink of a picture."""
    bands, across, down = _bands(picture.image)
    bands = grid.without(bands)
    box = frame.paper_box(bands)
    left, top, right, bottom = box or (0, 0, *bands[0].shape[::-1])
    bands = [band[top:bottom, left:right] for band in bands]
    density, flat = _density(bands)
    if not flat or np.count_nonzero(density > _PEN) > _MOST_PEN * density.size:
        sheet = surroundings.without(bands)
        if sheet is not None:
            density, flat = _density(sheet)
    return Ink(density, left + across, top + down, flat)


def _density(bands: list[Band]) -> tuple[Density, bool]:
    """The ink, and whether the paper is flat."""
    distance = reduce(np.maximum, (_distance(band, _paper_of(band)) for band in bands))
    strongest = int(distance.max())
    faint = strongest <= _PAPER_TOLERANCE
    if strongest <= _FAINTEST or (faint and np.count_nonzero(distance) > _FAINT_SHARE * distance.size):
        return np.zeros(distance.shape, np.float32), True
    if _is_flat(distance, strongest) or min(distance.shape) < _TOO_SMALL:
        if faint or strongest > _PALE:
            return distance * np.float32(1 / strongest), True
        return np.where(distance > _PALE_GRAIN, distance, 0) * np.float32(1 / strongest), False
    small = min(distance.shape) < _SMALLEST_PHOTO
    return _of_small(distance, strongest) if small else photo.density(bands), False


def _of_small(distance: Band, strongest: int) -> Density:
    """What stands out from grain, which in a small picture is judged by how neighbouring pixels differ."""
    shades = distance.astype(np.int16)
    pairs = (shades[_LAG:] - shades[:-_LAG], shades[:, _LAG:] - shades[:, :-_LAG])
    differences = np.abs(np.concatenate([one.ravel() for one in pairs]))
    grain = paper.noise(differences, _PAPER_PAIRS) / np.sqrt(2)  # of each of the two
    if np.count_nonzero(distance > _ABOVE_GRAIN * grain) < _FEWEST:
        return np.zeros(distance.shape, np.float32)
    return np.where(distance > _GRAIN * grain, distance, 0) * np.float32(1 / strongest)


def _is_flat(distance: Band, strongest: int) -> bool:
    paper = np.count_nonzero(distance <= _FLAT_TOLERANCE)
    pen = np.count_nonzero(distance >= max(strongest - _PAPER_TOLERANCE, _PAPER_TOLERANCE + 1))
    return bool(paper + pen >= _FLAT_SHARE * distance.size)


def _bands(image: Image.Image) -> tuple[list[Band], int, int]:
    """The picture's colour bands on opaque paper; one alone where all are equal, which most drawings' are.

    Also where they begin in the picture: pixels from the left and from the top.
    """
    if image.mode == "L":
        return [np.asarray(image)], 0, 0
    left = top = border = 0
    words = _words(image)
    if image.mode == "RGBA" and words.min() < 255 << 24:
        tile = _tile(image)
        if tile is not None:
            left, top = tile[:2]
            image = image.crop(tile)
        image, border = _on_contrasting_paper(image)
        words = _words(image)
    differ = words >> 8
    differ ^= words
    differ &= 0xFFFF
    count = 3 if differ.any() else 1
    return [(words >> 8 * band).astype(np.uint8) for band in range(count)], left - border, top - border


def _words(image: Image.Image) -> npt.NDArray[np.uint32]:
    """(height, width): a pixel's bands in one number, red in the lowest byte, alpha, if any, in the highest.

    As Pillow keeps them: one pass tells of all at once what would take three on every third byte.
    """
    mode = "RGBX" if image.mode == "RGB" else "RGBA"
    return np.frombuffer(image.tobytes("raw", mode), "<u4").reshape(image.height, image.width)


def _tile(image: Image.Image) -> frame.Box | None:
    """Where a rectangle of paper lies on transparency, with whatever else; None where there is none."""
    opaque = np.asarray(image.getchannel("A")) == 255
    if opaque.mean() < _LEAST_TILE * _FILLED_TILE:
        return None
    block = components.block_of(opaque.shape)
    blocks = components.any_in_blocks(opaque, block)
    pieces = components.label(blocks)
    areas = np.bincount(pieces.ravel())[1:]
    if not areas.size or areas.max() < _LEAST_TILE * pieces.size or areas.max() == pieces.size:
        return None
    rows, columns = np.nonzero(pieces == areas.argmax() + 1)
    left, top = int(columns.min()) * block, int(rows.min()) * block
    right = min((int(columns.max()) + 1) * block, image.width)
    bottom = min((int(rows.max()) + 1) * block, image.height)
    shades = np.asarray(image)[top:bottom, left:right]
    filled = opaque[top:bottom, left:right]
    if filled.mean() < _FILLED_TILE:
        return None
    own = np.median(shades[filled], axis=0).astype(np.uint8)
    off = _distance(shades[filled], own).max(axis=1) > _PAPER_TOLERANCE
    return (left, top, right, bottom) if 0 < off.mean() < 1 - _PLAIN_TILE else None


def _on_contrasting_paper(image: Image.Image) -> tuple[Image.Image, int]:
    """Lay a transparent drawing on white, or on black if its own strokes are light; on its paper, if it has some."""
    opacity = np.asarray(image.getchannel("A"), dtype=np.float32)
    brightness = float((np.asarray(image.convert("L")) * opacity).sum() / max(1.0, float(opacity.sum())))
    paper: str | tuple[int, ...] = "white" if brightness < 128 else "black"
    border = 0
    opaque = opacity == 255
    stencil = frame.edge(opaque).all()  # what is transparent was cut out of the paper: it is the ink
    if opaque.mean() > _MOSTLY_OPAQUE and not stencil:
        shades = np.asarray(image)[opaque]
        own = np.median(shades, axis=0).astype(np.uint8)
        if _distance(shades, own).max() > _PAPER_TOLERANCE:
            paper = tuple(own.tolist())
        else:  # strokes cut to their ink: some paper around tells them apart
            border = 1
            image = ImageOps.expand(image, border, (0, 0, 0, 0))
    return Image.alpha_composite(Image.new("RGBA", image.size, paper), image).convert("RGB"), border


def _distance(pixels: Band, shade: np.uint8 | Band) -> Band:
    shades = np.full_like(pixels, shade)  # of two arrays NumPy takes the larger in a tenth of the time
    return np.maximum(pixels, shades) - np.minimum(pixels, shades)


def _paper_of(band: Band) -> np.uint8:
    """The shade of the paper: the median of the picture's edge, which strokes seldom touch.

    Where a picture is cropped so tightly that strokes fill much of its edge, the median of all of it may be another
    shade. Of the two, the paper is the one that is more of the edge and of the whole, which count alike.
    """
    edge = frame.edge(band)
    outer = frame.median(edge)
    if _presence(outer, edge) >= _PLAIN_EDGE:
        return outer
    histogram = np.bincount(band.ravel(), minlength=256)
    inner = np.uint8(np.searchsorted(np.cumsum(histogram), band.size / 2))
    return max(outer, inner, key=lambda shade: _presence(shade, edge) + _presence(shade, band))


def _presence(shade: np.uint8, pixels: Band) -> float:
    """The share of pixels that are near a shade."""
    return float(np.count_nonzero(frame.within(pixels, shade, _PAPER_TOLERANCE)) / pixels.size)
