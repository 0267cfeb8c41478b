"""Photographs of handwriting, made from pen strokes: paper, light, pen and camera at random."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from training.strokes import Points, draw

Plane = npt.NDArray[np.float32]

_PENS = ((20, 20, 25), (25, 35, 110), (15, 25, 70), (120, 25, 30), (70, 70, 75))
"""Black and blue ballpoint, blue-black ink, red ink, pencil."""

_PAPERS = ((250, 249, 244), (238, 232, 214), (226, 228, 230), (247, 240, 190))
"""White, cream, recycled, a yellow note."""


def photograph(strokes: list[Points], rng: np.random.Generator) -> bytes:
    """A JPEG of one handwritten character, 640 to 1600 pixels wide, one in twenty at 12 megapixels."""
    width, height = _format(rng)
    return _taken(_ink(strokes, min(width, height), rng), width, height, rng)


def photograph_of(ink: Plane, rng: np.random.Generator) -> bytes:
    """The same of ink, (height, width) in [0, 1], that is several characters: it takes 30 to 90% of the width."""
    width, height = _format(rng)
    scale = min(width * float(rng.uniform(0.3, 0.9)) / ink.shape[1], 0.8 * height / len(ink))
    size = max(1, round(ink.shape[1] * scale)), max(1, round(len(ink) * scale))
    return _taken(
        np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)).clip(0, 1), width, height, rng
    )


def _format(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height, pixels."""
    width = int(rng.uniform(640, 1600))
    return width, round(width * rng.choice([0.75, 1.0, 4 / 3]))


def _taken(ink: Plane, width: int, height: int, rng: np.random.Generator) -> bytes:
    """Ink somewhere on paper of so many pixels, photographed."""
    canvas = np.zeros((height, width), np.float32)
    top, left = (int(rng.integers(free + 1)) for free in (height - ink.shape[0], width - ink.shape[1]))
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    canvas *= 0.75 + 0.25 * _smooth(rng, canvas.shape, cells=40)  # ink does not flow evenly

    picture = np.asarray(_PAPERS[rng.integers(len(_PAPERS))], np.float32) * np.ones((height, width, 1), np.float32)
    picture = _ruled(picture, rng)
    pen = np.asarray(_PENS[rng.integers(len(_PENS))], np.float32)
    picture += canvas[..., None] * rng.uniform(0.8, 1.0) * (pen - picture)
    picture *= _light(rng, canvas.shape)[..., None]
    picture += rng.normal(0, rng.uniform(1, 6), picture.shape).astype(np.float32)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, width / 500))))
    if rng.random() < 0.05:
        enlarged = (12e6 / (width * height)) ** 0.5
        image = image.resize((round(width * enlarged), round(height * enlarged)), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(35, 95)))
    return file.getvalue()


def _ink(strokes: list[Points], side: int, rng: np.random.Generator) -> Plane:
    """The pen's trace, 1 where it is full: a quarter to nine tenths of the side, an ordinary pen's width."""
    extent = side * float(rng.uniform(0.25, 0.8))
    brush = max(3.0, extent * float(rng.uniform(0.03, 0.1)))
    drawn = draw(strokes, canvas=round(extent + brush + 4), extent=extent, brush=brush)
    return np.float32(1) - np.asarray(drawn, np.float32) / np.float32(255)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], cells: int) -> Plane:
    """A smooth random field in [0, 1] with about `cells` bumps across."""
    coarse = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
    return np.clip(np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)), 0, 1)


def _light(rng: np.random.Generator, shape: tuple[int, ...]) -> Plane:
    """Uneven light from one side, and in half of the pictures the soft edge of a shadow."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    across = ((x / shape[1] - 0.5) * np.cos(angle) + (y / shape[0] - 0.5) * np.sin(angle)).astype(np.float32)
    light = rng.uniform(0.6, 1.0) * (1 + rng.uniform(0, 0.5) * across) * (0.93 + 0.07 * _smooth(rng, shape, cells=6))
    if rng.random() < 0.5:
        edge = 1 / (1 + np.exp(-(across - rng.uniform(-0.25, 0.25)) / rng.uniform(0.01, 0.08)))
        light = light * (1 - rng.uniform(0.15, 0.5) * edge)
    return light.astype(np.float32)


def _ruled(paper: Plane, rng: np.random.Generator) -> Plane:
    """Plain paper, ruled or squared in a light colour, the lines a little askew."""
    kind = rng.choice(["plain", "ruled", "squared"])
    if kind == "plain":
        return paper
    height, width, _ = paper.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.deg2rad(rng.uniform(-4, 4))
    spacing = width * rng.uniform(0.04, 0.12)
    thickness = max(1.0, width / rng.uniform(350, 700))
    directions = [(x * np.sin(angle) + y * np.cos(angle))]
    if kind == "squared":
        directions.append(x * np.cos(angle) - y * np.sin(angle))
    lines = np.zeros((height, width), np.float32)
    for across in directions:
        distance = np.abs((across + rng.uniform(0, spacing)) % spacing - spacing / 2)
        lines = np.maximum(lines, np.clip(thickness / 2 + 0.5 - distance, 0, 1))
    colour = np.asarray(((140, 165, 205), (175, 175, 180), (205, 150, 150))[rng.integers(3)], np.float32)
    return paper + lines[..., None] * rng.uniform(0.5, 0.9) * (colour - paper)
