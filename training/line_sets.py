"""Whole numbers as files, as strangers would send them: what lines are judged by.

Every random number follows from the index, so that two versions are asked about the very same pictures.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from training import composing, writers
from training.composing import Composed, Draw, Manner, ScannedDigits
from training.evaluation_sets import PAPERS, on_paper, png
from training.photographs import photograph_of

TARGETS = {
    "numbers": 0.985,
    "touching numbers": 0.95,
    "MNIST numbers": 0.985,
    "photographed numbers": 0.95,
}

COUNT = 1000
"""Pictures of each set."""


@dataclass(frozen=True)
class Numbers:
    """A set of pictures: index -> the text on it and the encoded file."""

    name: str
    file: Callable[[int], tuple[str, bytes]]
    what: str
    count: int = COUNT


def of_data(data: Path, held_out: bool = True) -> list[Numbers]:
    """The sets for the test, of people and scans that nothing was chosen by; else those that choices are made by."""
    unseen = writers.unseen(data, held_out)
    scans = (unseen.scans,)
    drawn = partial(_file, unseen.pens)
    sets = [
        Numbers("numbers", partial(drawn, _apart), "2 to 7 digits of one writer, drawn on any paper"),
        Numbers("touching numbers", partial(drawn, _touching), "the same, two neighbours or more touching"),
        Numbers("MNIST numbers", partial(_file, scans, _apart), "2 to 7 scanned digits side by side"),
        Numbers("touching MNIST numbers", partial(_file, scans, _touching), "the same, touching"),
        Numbers(
            "photographed numbers", partial(drawn, _photographed), "ink on paper with shadows, ruling, blur, JPEG", 300
        ),
        Numbers("hard numbers", partial(drawn, _hard), "slanting, sloping, growing, broken, soiled, with marks"),
        Numbers("two or three lines", partial(drawn, _lines), "of 1 to 7 digits each"),
        Numbers("numbers in cells", partial(drawn, _in_cells), "boxes around the digits, or a comb under them"),
        Numbers("long numbers", partial(drawn, _long), "8 to 12 digits"),
        Numbers("single digits", partial(drawn, _single), "one digit"),
    ]
    if held_out:
        sets += [
            Numbers(f"{name} numbers", partial(_file, (scans_of(data / f"{file}.npz"),), _apart), "2 to 7 digits of it")
            for file, name in (("usps", "USPS"), ("optdigits", "optdigits"))
            if (data / f"{file}.npz").is_file()
        ]
    else:
        sets += [
            Numbers("other hands", partial(drawn, partial(_other_hand, 0.0)), "2 to 7 digits, as nobody writes them"),
            Numbers("touching other hands", partial(drawn, partial(_other_hand, 0.4)), "the same, touching"),
        ]
    return sets


def scans_of(file: Path) -> ScannedDigits:
    """Of an archive of other people's digits, bright on dark."""
    with np.load(file, allow_pickle=False) as archive:
        pictures = archive["X"] * np.uint8(255 // archive["X"].max())
        return ScannedDigits(pictures, archive["y"].astype(np.int64))


Make = Callable[[Draw, int, np.random.Generator], tuple[str, bytes]]


def _file(hands: tuple[Draw, ...], make: Make, index: int) -> tuple[str, bytes]:
    rng = np.random.default_rng(90_000_000 + index)
    return make(hands[index % len(hands)], index, rng)


def _drawn(composed: Composed, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    """On a canvas with some free space, on one of four kinds of paper."""
    return composed.text, png(on_paper(_canvas(composed, rng), PAPERS[index % len(PAPERS)], rng))


def _canvas(composed: Composed, rng: np.random.Generator) -> Image.Image:
    height, width = composed.ink.shape
    room = [round(float(rng.uniform(0.05, 0.8)) * height) for _ in range(4)]
    canvas = Image.new("L", (width + room[0] + room[2], height + room[1] + room[3]), 255)
    canvas.paste(Image.fromarray((255 - 255 * composed.ink).round().astype(np.uint8)), (room[0], room[1]))
    return canvas


def _number(
    write: Draw, rng: np.random.Generator, touching: float, shortest: int = 2, longest: int = 7, other: bool = False
) -> Composed:
    """One line, with neighbours that touch, if any are to; `other`: in another hand than the writer's own."""
    while True:
        manner = Manner.at_random(rng, touching, plain=True)
        manner = manner.of_another_hand(rng, far=1.5) if other else manner
        composed = composing.page([(composing.text_at_random(rng, shortest, longest), write)], manner, rng)
        if composed.touching == bool(touching):
            return composed


def _apart(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    return _drawn(_number(write, rng, 0.0), index, rng)


def _touching(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    return _drawn(_number(write, rng, 0.4), index, rng)


def _other_hand(touching: float, write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    return _drawn(_number(write, rng, touching, other=True), index, rng)


def _long(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    return _drawn(_number(write, rng, 0.0, 8, 12), index, rng)


def _single(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    return _drawn(_number(write, rng, 0.0, 1, 1), index, rng)


def _photographed(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    composed = _number(write, rng, 0.0)
    return composed.text, photograph_of(composed.ink, rng)


def _hard(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    manner = dataclasses.replace(Manner.at_random(rng, 0.1), broken=0.1, marks=0.15)
    text = composing.text_at_random(rng, 1, 8, manner.marks)
    return _drawn(composing.soiled(composing.page([(text, write)], manner, rng), manner, rng), index, rng)


def _lines(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    manner = Manner.at_random(rng, 0.0, plain=True)
    texts = [composing.text_at_random(rng, 1, 7) for _ in range(int(rng.integers(2, 4)))]
    return _drawn(composing.page([(text, write) for text in texts], manner, rng), index, rng)


def _in_cells(write: Draw, index: int, rng: np.random.Generator) -> tuple[str, bytes]:
    """Every digit in a cell of its own, thin lines around all of them, or below and between them."""
    height = float(rng.uniform(30, 90))
    text = composing.text_at_random(rng, 2, 8)
    manner = dataclasses.replace(Manner.at_random(rng, 0.0, plain=True), height=0.62 * height, slope=0.0, slant=0.0)
    manner = dataclasses.replace(manner, brush=max(1.2, float(rng.uniform(0.04, 0.12)) * manner.height), growth=1.0)
    side = round(height)
    picture = Image.new("L", (side * len(text) + 40, side + 40), 0)
    pen, line = ImageDraw.Draw(picture), max(1, round(float(rng.uniform(0.01, 0.04)) * height))
    comb = rng.random() < 0.4
    for place in range(len(text) + 1):
        x = 20 + place * side
        pen.line((x, 20 + (side // 2 if comb else 0), x, 20 + side), 255, line)
    pen.line((20, 20 + side, 20 + side * len(text), 20 + side), 255, line)
    if not comb:
        pen.line((20, 20, 20 + side * len(text), 20), 255, line)
    ink = np.asarray(picture, np.float32) / np.float32(255) * np.float32(rng.uniform(0.4, 1))
    for place, digit in enumerate(text):
        one = write(digit, manner, 1.0, rng)
        top = 20 + (side - len(one.ink)) // 2 + int(rng.integers(-side // 12, side // 12 + 1))
        left = 20 + place * side + (side - one.ink.shape[1]) // 2 + int(rng.integers(-side // 12, side // 12 + 1))
        part = ink[top : top + len(one.ink), left : left + one.ink.shape[1]]
        np.maximum(part, one.ink[: len(part), : part.shape[1]], out=part)
    composed = Composed(ink, np.zeros(ink.shape, np.int16), (text,), False)
    return _drawn(composed, index, rng)
