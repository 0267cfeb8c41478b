"""From ink to rows: the pieces that stand in one line of writing, straightened, and scaled to one height."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.reading import components
from app.reading.components import Mask, Pieces
from app.reading.glyphs import DEFAULT_CLEANING
from app.reading.ink import Density, Ink
from app.reading.picture import Box, Picture, ReadingError

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

HEIGHT: Final = 42
"""Pixels of an ordinary character of a row."""

FIELD: Final = 2 * HEIGHT
"""Pixels of a row, in whose middle the line of writing lies."""

_INK = 0.1
"""Where ink counts as drawn."""

_SPECK = 0.03
"""A piece that is no larger than this share of the usual height, both ways, is dirt."""

_TALL = 0.4
"""Pieces of at least this share of the usual height make rows; smaller ones belong to the nearest row."""

_ABREAST = 0.35
"""Neighbours in a row share at least this much of the lower one's height."""

_FARTHEST = 3.0
"""and are at most so many heights apart."""

_THIN, _LONG_RULE = 0.14, 1.6
"""A line that nobody wrote is no thicker than the first, and longer than the second, in usual heights."""

_FEWEST_TEETH = 3
"""A comb has at least so many."""

_NEAR = 0.6
"""A small piece belongs to a row if it is not farther above or below it than this share of its height,"""

_ASIDE = 1.2
"""nor so many heights to the left or right."""

_STEEP, _LONG = 0.02, 2.5
"""A row that slopes more than the first, and is so many heights long, is straightened."""


MOST_PIECES: Final = 400
"""Of ink that may be characters, in a picture; what has more is no page of a few lines."""


class TooMuchWriting(ReadingError):
    """There is more on a picture than a few lines of writing."""

    def __init__(self) -> None:
        super().__init__("There is more on the picture than can be read at once. Please send a part of it.")


@dataclass(frozen=True, slots=True)
class Row:
    """`ink`: (`FIELD`, width) in [0, 1], with as much free space at both ends as half a field; its point x, y is at
    `scale` * x + `left`, `scale` * y + `slope` * (`scale` * x) + `top` of the ink.
    """

    ink: Floats
    scale: float
    left: float
    top: float
    slope: float

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """A part of the row in pixels of the picture: the limits of its ink, as far as a slope lets them be known."""
        lean = self.slope * self.scale
        return (
            self.scale * left + self.left,
            self.scale * top + self.top + min(lean * left, lean * right),
            self.scale * right + self.left,
            self.scale * bottom + self.top + max(lean * left, lean * right),
        )

    def of_picture(self, image: Image.Image, resampling: Image.Resampling) -> Image.Image:
        """The row's part of another picture of the same size as the ink's, without its choice of pieces."""
        scale, lean = self.scale, self.slope * self.scale
        turned = (scale, 0, self.left, lean, scale, self.top)
        return image.transform(self.ink.shape[::-1], Image.Transform.AFFINE, turned, resampling)


@dataclass(frozen=True)
class _Boxes:
    """Limits of pieces, (pieces,): the first two are included, the others not."""

    left: Integers
    top: Integers
    right: Integers
    bottom: Integers

    @property
    def height(self) -> Integers:
        return self.bottom - self.top

    @property
    def width(self) -> Integers:
        return self.right - self.left


def find(ink: Ink) -> list[Row]:
    """The rows of a picture, from top to bottom; none where nothing is drawn, or a stray dot. Raises TooMuchWriting."""
    density = ink.density
    drawn = density > _INK
    pieces = components.find(drawn)
    if not pieces.starts.size:
        return []
    boxes, areas, kept, usual = _seen(pieces)
    unruled = _without_rules(drawn, pieces, boxes, kept, usual)
    if np.count_nonzero(unruled) < np.count_nonzero(drawn):
        pieces = components.find(unruled)
        if not pieces.starts.size:
            return []
        boxes, areas, kept, usual = _seen(pieces)
    if not kept.any():
        return []
    wide = boxes.right[kept].max() - boxes.left[kept].min()
    high = boxes.bottom[kept].max() - boxes.top[kept].min()
    if max(wide, high) - 1 < max(DEFAULT_CLEANING.dot_pixels, DEFAULT_CLEANING.dot_share * max(density.shape)):
        return []
    found = []
    for chosen in _in_rows(boxes, kept, usual):
        where = np.zeros(len(areas), np.bool_)
        where[chosen] = True
        found.append(_row(density, pieces, boxes, where))
    return found


def _seen(pieces: Pieces) -> tuple[_Boxes, Integers, Mask, float]:
    """Limits and areas of pieces, which of them are more than specks, and the usual height of these."""
    boxes, areas = _Boxes(*pieces.boxes()), pieces.areas()
    usual = _usual_height(boxes.height, areas)
    kept = np.maximum(boxes.height, boxes.width) > max(2, _SPECK * usual)
    if np.count_nonzero(kept) > MOST_PIECES:
        raise TooMuchWriting
    return boxes, areas, kept, _usual_height(boxes.height[kept], areas[kept]) if kept.any() else 0.0


def _usual_height(heights: Integers, areas: Integers) -> float:
    """Of what is likely to be a character: the median, by area, of those that are not much lower than the highest."""
    likely = (heights >= 0.4 * heights.max()) | (areas >= 0.5 * areas.max())
    order = np.argsort(heights[likely])
    weights = np.sqrt(areas[likely][order]).cumsum()
    return float(heights[likely][order][np.searchsorted(weights, weights[-1] / 2)])


def _without_rules(drawn: Mask, pieces: Pieces, boxes: _Boxes, kept: Mask, usual: float) -> Mask:
    """Ink without lines that nobody wrote: rules under a number, the boxes of a form, a comb's bar.

    They are thin, straight and longer than any stroke; where a stroke crosses one, it is thick and stays.
    """
    thin = max(3.0, _THIN * usual)
    left = drawn.copy()
    for piece in np.flatnonzero(kept & ((boxes.width >= _LONG_RULE * usual) | (boxes.height >= _LONG_RULE * usual))):
        window = slice(boxes.top[piece], boxes.bottom[piece]), slice(boxes.left[piece], boxes.right[piece])
        one = np.zeros(len(kept), np.bool_)
        one[piece] = True
        part = pieces.where(one)[window]
        height, width = part.shape
        rules = np.zeros_like(part)
        across = _LONG_RULE * usual
        if _is_rectangle(part):
            across = min(across, 0.8 * width)
            rules |= (components.run_lengths(_thickened(part.T)) >= 0.8 * height).T & (
                components.run_lengths(part) <= thin
            )
        flat = thin >= components.run_lengths(part.T).T
        level = flat & (components.run_lengths(_thickened(part)) >= across)
        left[window] &= ~((rules | level | _ticks(part, level, thin, usual)) & part)
    return left & ~_partitions(pieces, boxes, kept, thin)


def _ticks(part: Mask, level: Mask, thin: float, usual: float) -> Mask:
    """The teeth of a comb, (height, width): thin upright lines from its bar, at regular distances."""
    teeth = np.zeros_like(part)
    if not level.any():
        return teeth
    upright = part & ~level & (components.run_lengths(part) <= thin)
    runs = components.run_lengths(_thickened(upright.T)).T * upright
    columns = np.flatnonzero(runs.max(axis=0) >= 0.3 * usual)
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1)
    groups = [group for group in groups if group.size and np.ptp(group) < thin]
    if len(groups) < _FEWEST_TEETH:
        return teeth
    distances = np.diff([group.mean() for group in groups])
    if np.abs(distances - np.median(distances)).max() <= max(1, 0.1 * float(np.median(distances))):
        for group in groups:
            teeth[:, group] = upright[:, group]
    return teeth


def _partitions(pieces: Pieces, boxes: _Boxes, kept: Mask, thin: float) -> Mask:
    """Lines between cells, (height, width), thin and upright from edge to edge of the picture, where others are not."""
    from_edge_to_edge = kept & (boxes.top == 0) & (boxes.bottom == pieces.height) & (boxes.width <= thin)
    others = kept & ~from_edge_to_edge & (boxes.height < 0.9 * pieces.height)
    return pieces.where(from_edge_to_edge & others.any())


def _thickened(mask: Mask) -> Mask:
    """With a pixel above and below: a line that is a little aslant goes on in the next row."""
    thicker = mask.copy()
    thicker[1:] |= mask[:-1]
    thicker[:-1] |= mask[1:]
    return thicker


def _is_rectangle(part: Mask) -> bool:
    """Whether a piece has ink along all of its four sides."""
    across, down = (max(2, side // 10) for side in part.shape)
    sides = part[:across].any(0), part[-across:].any(0), part[:, :down].any(1), part[:, -down:].any(1)
    return all(side.mean() > 0.85 for side in sides)


def _in_rows(boxes: _Boxes, kept: Mask, usual: float) -> list[Integers]:
    """The pieces of each row, from top to bottom."""
    tall = np.flatnonzero(kept & (boxes.height >= _TALL * usual))
    if not tall.size:
        tall = np.flatnonzero(kept & (boxes.width >= _TALL * usual))
    if not tall.size:
        return []
    top, bottom, height = boxes.top[tall], boxes.bottom[tall], boxes.height[tall]
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    gap = np.maximum(boxes.left[tall][:, None], boxes.left[tall]) - np.minimum(
        boxes.right[tall][:, None], boxes.right[tall]
    )
    lower = np.minimum(height[:, None], height)
    linked = (shared >= _ABREAST * lower) & (gap <= _FARTHEST * np.maximum(height[:, None], height))
    rows = _connected(linked)
    members = [tall[rows == row] for row in range(rows.max() + 1)]
    for piece in np.flatnonzero(kept & ~np.isin(np.arange(len(kept)), tall)):
        distances = [_distance(boxes, int(piece), row) for row in members]
        nearest = int(np.argmin(distances))
        if distances[nearest] < np.inf:
            members[nearest] = np.append(members[nearest], piece)
    return sorted(members, key=lambda row: float((boxes.top[row] + boxes.bottom[row]).mean()))


def _connected(linked: Mask) -> Integers:
    """The number of each one's group, from 0 without gaps."""
    group = np.arange(len(linked))
    while True:
        joined = np.where(linked, group, len(linked)).min(axis=1)
        if np.array_equal(joined, group):
            return np.unique(group, return_inverse=True)[1].astype(np.int64)
        group = joined


def _distance(boxes: _Boxes, piece: int, row: Integers) -> float:
    """How far a small piece is from the nearest character of a row, in its heights; infinite if it is too far."""
    tall = row[boxes.height[row] >= _TALL * boxes.height[row].max()]
    height = np.maximum(boxes.height[tall], 1)
    above = np.maximum(boxes.top[tall] - boxes.bottom[piece], boxes.top[piece] - boxes.bottom[tall]) / height
    aside = np.maximum(boxes.left[tall] - boxes.right[piece], boxes.left[piece] - boxes.right[tall]) / height
    above, aside = np.maximum(above, 0), np.maximum(aside, 0)
    near = (above <= _NEAR) & (aside <= _ASIDE)
    return float((above + 0.5 * aside)[near].min()) if near.any() else np.inf


def _row(density: Density, pieces: Pieces, boxes: _Boxes, chosen: Mask) -> Row:
    members = np.flatnonzero(chosen)
    left, right = int(boxes.left[members].min()), int(boxes.right[members].max())
    heights, areas = boxes.height[members], pieces.areas()[members]
    height = _usual_height(heights, areas)
    slope = _slope(pieces, boxes, chosen, height) if right - left > _LONG * height else 0.0
    if slope:
        height = _height_without(slope, pieces, chosen, height)
    middle = _middle(boxes, members, slope, left, height)
    scale = height / HEIGHT
    room = FIELD // 2
    width = -(-round((right - left) / scale) // 3) * 3 + 2 * room
    origin = left - room * scale
    row = Row(
        np.zeros((FIELD, width), np.float32), scale, origin, middle - FIELD / 2 * scale - slope * room * scale, slope
    )
    where = pieces.where(chosen)
    ink = Image.fromarray(np.where(where, density, np.float32(0)))
    scaled = np.asarray(_reduced(ink, row))
    return Row(np.clip(scaled / max(float(scaled.max()), 1e-6), 0, 1), row.scale, row.left, row.top, row.slope)


def _reduced(ink: Image.Image, row: Row) -> Image.Image:
    """As `Row.of_picture`, but every pixel counts where many become one."""
    factor = int(row.scale)
    if factor < 2:
        return row.of_picture(ink, Image.Resampling.BILINEAR)
    smaller = Row(row.ink, row.scale / factor, row.left / factor, row.top / factor, row.slope)
    return smaller.of_picture(ink.reduce(factor), Image.Resampling.BILINEAR)


def _slope(pieces: Pieces, boxes: _Boxes, chosen: Mask, height: float) -> float:
    """Of the line of writing: how far it falls for a pixel to the right; 0 where it is level or nearly so."""
    members = np.flatnonzero(chosen & (boxes.height >= 0.6 * height) & (boxes.width <= 1.6 * height))
    if len(members) >= 3:
        x, y = (boxes.left + boxes.right)[members] / 2, (boxes.top + boxes.bottom)[members] / 2
    else:
        y, x = (places.astype(np.float64) for places in np.nonzero(pieces.where(chosen)))
    x = x - x.mean()
    slope = float(x @ (y - y.mean()) / max(float(x @ x), 1e-6))
    return slope if _STEEP < abs(slope) < 0.6 else 0.0


def _height_without(slope: float, pieces: Pieces, chosen: Mask, height: float) -> float:
    """The usual height once a row is straightened: long pieces were high by their slope alone."""
    row, column = np.divmod(pieces.starts, pieces.width + 1)
    ends = pieces.ends - row * (pieces.width + 1)
    own = chosen[pieces.piece]
    which, count = pieces.piece[own], len(chosen)
    upper, lower = np.full(count, np.inf), np.full(count, -np.inf)
    for x in (column[own], ends[own]):
        y = row[own] - slope * x
        np.minimum.at(upper, which, y)
        np.maximum.at(lower, which, y + 1)
    members = np.flatnonzero(chosen)
    heights = (lower - upper)[members].round().astype(np.int64)
    return max(_usual_height(heights, pieces.areas()[members]), 0.3 * height)


def _middle(boxes: _Boxes, members: Integers, slope: float, left: int, height: float) -> float:
    """Height of the line's middle where it begins: the median of its characters' middles."""
    tall = members[boxes.height[members] >= 0.6 * height]
    tall = tall if tall.size else members
    middle = (boxes.top + boxes.bottom)[tall] / 2 - slope * ((boxes.left + boxes.right)[tall] / 2 - left)
    return float(np.median(middle))


def as_sent(picture: Picture, ink: Ink, box: Box) -> Box:
    """A part of the ink in pixels of the picture as sent."""
    left, top, right, bottom = box
    return picture.box_as_sent(left + ink.left, top + ink.top, right - left, bottom - top)
