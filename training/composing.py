"""Whole numbers put together of single digits: lines as a person writes them, each digit's own ink known.

Digits of one writer stand beside one another with natural gaps, heights and base lines; some touch, overlap or are
joined by a stroke. Points, commas, minus signs and slashes may stand between them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from app.reading.reader import MARKS
from training.strokes import Points, StrokeSet, leaning

Random = np.random.Generator
Floats = npt.NDArray[np.float32]

_OVERSAMPLING = 3

_LEAST = 0.35
"""Ink that is darker than this belongs to a character."""


@dataclass(frozen=True)
class Placed:
    """A character's `ink`, (height, width) in [0, 1], and where its upper left corner lies on the line: y 0 is the base
    line's.
    """

    label: str
    ink: Floats
    left: int
    top: int

    def moved(self, right: int) -> "Placed":
        return Placed(self.label, self.ink, self.left + right, self.top)


@dataclass(frozen=True)
class Composed:
    """`ink`: (height, width) in [0, 1]; `owner`: likewise, the place in reading order of the character whose it is, -1
    where there is none; `lines`: the texts, from top to bottom; `touching`: whether two digits somewhere touch.
    """

    ink: Floats
    owner: npt.NDArray[np.int16]
    lines: tuple[str, ...]
    touching: bool

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Manner:
    """How a number is written. All are chosen anew for each number, by `at_random`."""

    height: float
    """Of an ordinary digit, pixels."""
    brush: float
    """Pixels; of strokes alone."""
    gap: float
    """Between two digits, as a share of the height."""
    slant: float
    """To the right, as the tangent of the angle."""
    slope: float
    """Of the base line, likewise."""
    growth: float
    """Size of the last digit for one of the first."""
    touching: float
    """The share of digits that touch the one before."""
    broken: float = 0.0
    """The share of digits with a gap in a stroke."""
    marks: float = 0.0
    """The share of gaps between digits in which a mark stands."""
    aspect: float = 1.0
    """Width of a digit for what its writer would have made it."""
    warp: float = 0.0
    """How far a stroke's points are moved from where their writer put them, as a share of the height."""

    @classmethod
    def at_random(cls, rng: Random, touching: float, plain: bool = False) -> "Manner":
        """`plain`: neither broken nor slanting more than the writer does, without marks."""
        height = float(np.exp(rng.uniform(np.log(26), np.log(110))))
        calm = 0.5 if plain else 1.0
        return cls(
            height=height,
            brush=max(1.2, height * float(rng.uniform(0.03, 0.16))),
            gap=float(rng.uniform(0.06, 0.5)),
            slant=float(rng.normal(0, 0.12 * calm)),
            slope=float(rng.normal(0, 0.05 * calm)),
            growth=float(np.exp(rng.normal(0, 0.12 * calm))),
            touching=touching,
            broken=0.0 if plain else float(rng.random() < 0.15) * 0.3,
            marks=0.0 if plain else float(rng.random() < 0.25) * 0.4,
        )

    def of_another_hand(self, rng: Random, far: float = 1.0) -> "Manner":
        """As nobody of those writes whose digits there are; `far`: how unlike them, for what is usual."""
        aspect, warp = float(np.exp(rng.normal(0, 0.15 * far))), float(rng.uniform(0, 0.06 * far))
        return replace(self, aspect=aspect, warp=warp)


Draw = Callable[[str, Manner, float, Random], Placed]
"""A digit, a manner, its size for the manner's own, a source of chance -> the digit at the line's start."""


@dataclass(frozen=True)
class PenDigits:
    """Digits of one writer as pen strokes."""

    strokes: StrokeSet
    _usual: float = field(init=False)

    def __post_init__(self) -> None:
        heights = [np.ptp(np.concatenate(sample)[:, 1]) for sample in self.strokes.samples]
        object.__setattr__(self, "_usual", float(np.median(heights)))

    def __call__(self, digit: str, manner: Manner, size: float, rng: Random) -> Placed:
        return _written(digit, self.one(digit, rng), manner, size, rng)

    def one(self, digit: str, rng: Random) -> list[Points]:
        """One of the writer's own, whose usual height is 1."""
        sample = self.strokes.samples[int(rng.choice(np.flatnonzero(self.strokes.labels == int(digit))))]
        return [stroke / np.float32(self._usual) for stroke in sample]


@dataclass(frozen=True)
class BlendedDigits:
    """Digits of a person who does not exist: between two writers' own, or beyond one of them, stroke by stroke."""

    one: PenDigits
    other: PenDigits
    share: float
    """Of the other's: 0 is the one's own digit; below 0 and above 1 what sets the two apart is overdone."""

    def __call__(self, digit: str, manner: Manner, size: float, rng: Random) -> Placed:
        strokes, others = self.one.one(digit, rng), self.other.one(digit, rng)
        if len(strokes) == len(others):
            pairs = zip(map(_evenly, _at_origin(strokes)), map(_evenly, _at_origin(others)), strict=True)
            strokes = [(1 - self.share) * own + self.share * other for own, other in pairs]
        return _written(digit, strokes, manner, size, rng)


_STEPS = 24
"""Points of a stroke that is blended with another."""


def _at_origin(strokes: Sequence[Points]) -> list[Points]:
    """With the middle of their limits at 0."""
    points = np.concatenate(strokes)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return [stroke - middle for stroke in strokes]


def _evenly(stroke: Points) -> Points:
    """A stroke as points that are equally far from each other along it."""
    lengths = np.hypot(*np.diff(stroke, axis=0, prepend=stroke[:1]).T).cumsum()
    places = np.linspace(0, lengths[-1], _STEPS)
    return np.stack([np.interp(places, lengths, axis) for axis in stroke.T], axis=1).astype(np.float32)


def _written(digit: str, strokes: Sequence[Points], manner: Manner, size: float, rng: Random) -> Placed:
    """Strokes of a digit whose usual height is 1, in a manner."""
    scaled = [stroke * np.float32(manner.height * size) for stroke in strokes]
    bent = _bent(scaled, manner, rng) if manner.warp else scaled
    return drawn(digit, leaning(bent, 1.0, manner.slant), manner.brush)


def pens_of(strokes: StrokeSet) -> tuple[PenDigits, ...]:
    """A pen for each writer."""
    return tuple(PenDigits(strokes.subset(strokes.writers == writer)) for writer in np.unique(strokes.writers))


@dataclass(frozen=True)
class ScannedDigits:
    """Digits as pictures, (n, side, side) uint8 with bright ink."""

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __call__(self, digit: str, manner: Manner, size: float, rng: Random) -> Placed:
        picture = self.pictures[int(rng.choice(np.flatnonzero(self.labels == int(digit))))]
        rows, columns = np.flatnonzero(picture.max(axis=1) > 50), np.flatnonzero(picture.max(axis=0) > 50)
        cut = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = manner.height * size / max(cut.shape)
        padded = Image.fromarray(np.pad(cut, ((1, 1), (len(cut) // 2, len(cut) // 2))))
        width, height = max(1, round(padded.width * scale * manner.aspect)), max(1, round(padded.height * scale))
        resized = padded.resize((width, height), Image.Resampling.BICUBIC)
        upright = resized.transform(
            (width, height),
            Image.Transform.AFFINE,
            (1, manner.slant, -manner.slant * height / 2, 0, 1, 0),
            Image.Resampling.BILINEAR,
        )
        ink: Floats = np.minimum(np.asarray(upright, np.float32) / np.float32(220), np.float32(1))
        return _at_start(digit, ink, -height)


def drawn(label: str, strokes: Sequence[Points], brush: float) -> Placed:
    """Strokes in pixels, drawn with a round brush; their lowest point is on the base line."""
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    margin = brush / 2 + 1
    size = np.ceil(np.ptp(points, axis=0) + 2 * margin).astype(int)
    picture = Image.new("L", tuple((size * _OVERSAMPLING).tolist()), 0)
    pen, radius = ImageDraw.Draw(picture), brush * _OVERSAMPLING / 2
    for stroke in strokes:
        path = (stroke - low + margin) * _OVERSAMPLING
        pen.line([tuple(point) for point in path.tolist()], fill=255, width=max(1, round(2 * radius)))
        for x, y in path.tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink: Floats = np.asarray(picture.reduce(_OVERSAMPLING), np.float32) / np.float32(255)
    return _at_start(label, ink, -len(ink) + round(margin))


def _at_start(label: str, ink: Floats, top: int) -> Placed:
    rows, columns = np.flatnonzero((ink > _LEAST).any(axis=1)), np.flatnonzero((ink > _LEAST).any(axis=0))
    if not rows.size:
        return Placed(label, ink, 0, top)
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Placed(label, cut, 0, top + int(rows[0]))


def _bent(strokes: list[Points], manner: Manner, rng: Random) -> list[Points]:
    """Strokes in pixels, made narrower or wider and moved along a smooth random field."""
    low, high = (f(np.concatenate(strokes), axis=0) for f in (np.min, np.max))
    phase, pace = rng.uniform(0, 2 * np.pi, (2, 2)), rng.uniform(0.5, 1.5, (2, 2))
    reach = manner.warp * manner.height
    bent = []
    for stroke in strokes:
        places = (stroke - low) / np.maximum(high - low, 1)
        away = np.stack([np.sin(2 * np.pi * (places @ pace[i]) + phase[i, 0]) for i in range(2)], axis=1)
        bent.append(((stroke + reach * away) * (manner.aspect, 1)).astype(np.float32))
    return bent


def number(text: str, write: Draw, manner: Manner, rng: Random) -> tuple[list[Placed], bool]:
    """The characters of one line, from left to right, and whether digits touch."""
    line: list[Placed] = []
    any_touches = False
    for place, character in enumerate(text):
        size = manner.growth ** (place / max(1, len(text) - 1))
        if character in MARKS:
            one = _mark(character, manner, size, rng)
        else:
            one = write(character, manner, size, rng)
            one = _broken(one, manner, rng) if rng.random() < manner.broken else one
        one = Placed(one.label, one.ink, one.left, one.top + round(float(rng.normal(0, 0.04)) * manner.height))
        if line:
            before = line[-1]
            both_digits = one.label not in MARKS and before.label not in MARKS
            touches = both_digits and rng.random() < manner.touching
            one = _after(line, one, touches, manner, rng)
            if touches:
                any_touches = True
                if rng.random() < 0.12:
                    one = _joined(before, one, manner, rng)
        line.append(one)
    return [
        Placed(one.label, one.ink, one.left, one.top + round(manner.slope * (one.left + one.ink.shape[1] / 2)))
        for one in line
    ], any_touches


def _after(line: list[Placed], one: Placed, touches: bool, manner: Manner, rng: Random) -> Placed:
    """A character where it belongs behind the others."""
    before = line[-1]
    distance = _distance(before, one)
    if touches:
        deep = float(rng.exponential(0.4)) * manner.brush * (3 if rng.random() < 0.08 else 1)
        return one.moved(-distance - round(min(deep, 0.3 * one.ink.shape[1], 0.3 * before.ink.shape[1])))
    gap = max(manner.gap * float(np.exp(rng.normal(0, 0.35))), 0.03) * manner.height
    loose = before.left + before.ink.shape[1] - one.left  # as boxes, which do not overlap
    apart = round(max(gap, 2.0))
    return one.moved(max(apart - distance, round(loose + apart - 0.35 * manner.height)))


def _distance(before: Placed, one: Placed) -> int:
    """How many pixels a character is right of another, at the height where they are nearest; of those that would pass
    one above the other, as boxes.
    """
    top, bottom = max(before.top, one.top), min(before.top + len(before.ink), one.top + len(one.ink))
    boxes = one.left - (before.left + before.ink.shape[1])
    if bottom - top < 1:
        return boxes
    upper, lower = before.ink[top - before.top : bottom - before.top], one.ink[top - one.top : bottom - one.top]
    both = (upper > _LEAST).any(axis=1) & (lower > _LEAST).any(axis=1)
    if not both.any():
        return boxes
    right = before.left + before.ink.shape[1] - (upper[both, ::-1] > _LEAST).argmax(axis=1)
    left = one.left + (lower[both] > _LEAST).argmax(axis=1)
    return int((left - right).min())


def _joined(before: Placed, one: Placed, manner: Manner, rng: Random) -> Placed:
    """A character with a stroke that comes from the one before, as a running hand has it."""
    start = _edge_point(before, right=True, rng=rng)
    end = _edge_point(one, right=False, rng=rng)
    middle = (start + end) / 2 + np.array([0, rng.uniform(-0.1, 0.2) * manner.height], np.float32)
    stroke = drawn(one.label, [np.stack([start, middle, end])], max(1.0, 0.8 * manner.brush))
    left = int(min(start[0], middle[0], end[0]) - manner.brush / 2)
    bottom = int(max(start[1], middle[1], end[1]) + manner.brush / 2)
    return _together(one, Placed(one.label, stroke.ink, left, bottom - len(stroke.ink)))


def _edge_point(one: Placed, right: bool, rng: Random) -> Points:
    """A point of a character's outline on one side, in its lower two thirds."""
    row = int(rng.integers(len(one.ink) // 3, len(one.ink)))
    columns = np.flatnonzero(one.ink[row] > _LEAST)
    column = (columns[-1] if right else columns[0]) if columns.size else one.ink.shape[1] / 2
    return np.array([one.left + column, one.top + row], np.float32)


def _together(one: Placed, other: Placed) -> Placed:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.ink.shape[1], other.left + other.ink.shape[1])
    bottom = max(one.top + len(one.ink), other.top + len(other.ink))
    ink = np.zeros((bottom - top, right - left), np.float32)
    for part in (one, other):
        _lay(ink, part, left, top)
    return Placed(one.label, ink, left, top)


def _lay(ink: Floats, one: Placed, left: int, top: int) -> npt.NDArray[np.bool_]:
    """Lay a character on the ink of others; where it is the darker one."""
    part = ink[one.top - top :, one.left - left :][: len(one.ink), : one.ink.shape[1]]
    darker = one.ink > part
    np.maximum(part, one.ink, out=part)
    return darker


def _broken(one: Placed, manner: Manner, rng: Random) -> Placed:
    """A character through which a thin line without ink goes, as where a pen fails or an old print has faded."""
    height, width = one.ink.shape
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[0:height, 0:width]
    off = (x - rng.uniform(0.2, 0.8) * width) * np.cos(angle) + (y - rng.uniform(0.2, 0.8) * height) * np.sin(angle)
    thick = rng.uniform(0.02, 0.06) * manner.height + 0.5
    along = -(x - width / 2) * np.sin(angle) + (y - height / 2) * np.cos(angle)
    reach = rng.uniform(0.1, 0.4) * manner.height
    gap = (np.abs(off) < thick) & (np.abs(along - rng.uniform(-0.4, 0.4) * height) < reach)
    ink = np.where(gap, np.float32(0), one.ink)
    if np.count_nonzero(ink > _LEAST) < 0.75 * np.count_nonzero(one.ink > _LEAST):
        return one
    return Placed(one.label, ink, one.left, one.top)


def _mark(mark: str, manner: Manner, size: float, rng: Random) -> Placed:
    """A point, a comma, a minus or a slash."""
    height = manner.height * size
    brush = max(1.2, manner.brush * float(rng.uniform(0.8, 1.4)))
    if mark == ".":
        tail = np.array([[0, 0], [rng.uniform(0, 0.05), rng.uniform(-0.03, 0.03)]]) * height
        return _lowered(drawn(mark, [tail.astype(np.float32)], max(brush, 0.06 * height)), 0.02 * height)
    if mark == ",":
        tail = np.array([[0.06, 0], [0.07, 0.08], [0, rng.uniform(0.14, 0.26)]]) * height
        return _lowered(drawn(mark, [tail.astype(np.float32)], brush), rng.uniform(0.08, 0.2) * height)
    if mark == "-":
        bar = np.array([[0, 0], [rng.uniform(0.25, 0.6), rng.uniform(-0.06, 0.06)]]) * height
        return _lowered(drawn(mark, [bar.astype(np.float32)], brush), -rng.uniform(0.35, 0.55) * height)
    bar = np.array([[rng.uniform(0.3, 0.6), -rng.uniform(0.95, 1.25)], [0, 0.1]]) * height
    return _lowered(drawn(mark, [bar.astype(np.float32)], brush), 0.08 * height)


def _lowered(one: Placed, down: float) -> Placed:
    return Placed(one.label, one.ink, one.left, one.top + round(down))


def page(lines: Sequence[tuple[str, Draw]], manner: Manner, rng: Random) -> Composed:
    """Lines of one writer or more, one under the other, with a margin of a few pixels."""
    placed: list[list[Placed]] = []
    touching, y = False, 0
    for text, write in lines:
        line, touches = number(text, write, manner, rng)
        touching |= touches
        top = min(one.top for one in line)
        bottom = max(one.top + len(one.ink) for one in line)
        shift = round(rng.uniform(0, 0.6) * manner.height) if placed else 0
        placed.append([Placed(one.label, one.ink, one.left + shift, one.top + y - top) for one in line])
        y += bottom - top + round(rng.uniform(0.25, 0.8) * manner.height)
    everything = [one for line in placed for one in line]
    margin = 4
    left, top = min(one.left for one in everything) - margin, min(one.top for one in everything) - margin
    right = max(one.left + one.ink.shape[1] for one in everything) + margin
    bottom = max(one.top + len(one.ink) for one in everything) + margin
    ink = np.zeros((bottom - top, right - left), np.float32)
    owner = np.full(ink.shape, -1, np.int16)
    for place, one in enumerate(everything):
        darker = _lay(ink, one, left, top)
        part = owner[one.top - top :, one.left - left :][: len(one.ink), : one.ink.shape[1]]
        part[darker & (one.ink > 0.1)] = place
    return Composed(ink, owner, tuple(text for text, _ in lines), touching)


def soiled(composed: Composed, manner: Manner, rng: Random) -> Composed:
    """With specks, hairs or a rule that belong to no character."""
    height, width = composed.ink.shape
    picture = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 5))):
        x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
        size = manner.height * float(rng.uniform(0.02, 0.08))
        if rng.random() < 0.7:
            pen.ellipse((x, y, x + size, y + size * rng.uniform(0.6, 1.5)), 255)
        else:
            away = manner.height * rng.uniform(-0.25, 0.25, 2)
            pen.line((x, y, x + away[0], y + away[1]), 255, max(1, round(0.5 * manner.brush)))
    if rng.random() < 0.2:
        y = height - 1 - int(rng.integers(0, 3))
        pen.line((0, y, width, y + int(rng.integers(-1, 2))), 255, max(1, round(0.04 * manner.height)))
    dirt = np.asarray(picture, np.float32) / 255
    owner = np.where((dirt > _LEAST) & (dirt > composed.ink), np.int16(-1), composed.owner)
    return Composed(np.maximum(composed.ink, dirt), owner, composed.lines, composed.touching)


def text_at_random(rng: Random, shortest: int, longest: int, marks: float = 0.0) -> str:
    """Digits, each as likely as another, with marks in some of the gaps between them."""
    digits = [str(digit) for digit in rng.integers(0, 10, int(rng.integers(shortest, longest + 1)))]
    gaps = [str(rng.choice(MARKS)) if rng.random() < marks else "" for _ in digits]
    return "".join(gap + digit for gap, digit in zip(["", *gaps[1:]], digits, strict=True))
