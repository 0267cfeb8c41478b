"""The 15 corruptions of MNIST-C, re-implemented for evaluation (Mu & Gilmer 2019, arXiv:1906.02337).

Kinds and severities are those of the published set (https://github.com/google-research/mnist-c); the random numbers
are not, so figures compare within about a tenth of a point. Nothing here is used in training.

Every corruption takes a picture, (28, 28) float64 in [0, 1] with bright ink, and a random generator, and returns
another such picture.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import feature, util

Picture = npt.NDArray[np.float64]
Corruption = Callable[[Picture, np.random.Generator], Picture]

SIDE = 28


def shot_noise(picture: Picture, rng: np.random.Generator) -> Picture:
    photons = 3
    return np.clip(rng.poisson(picture * photons) / photons, 0, 1)


def impulse_noise(picture: Picture, rng: np.random.Generator) -> Picture:
    noisy: Picture = util.random_noise(picture, mode="s&p", amount=0.17, rng=rng)
    return noisy


def glass_blur(picture: Picture, rng: np.random.Generator) -> Picture:
    blurred = ndimage.gaussian_filter(picture, 0.7)
    for _ in range(2):  # each pixel may change places with its neighbour, left or up
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                if rng.random() < 0.5:
                    other = (row + rng.integers(-1, 1), column + rng.integers(-1, 1))
                    blurred[row, column], blurred[other] = blurred[other], blurred[row, column]
    return ndimage.gaussian_filter(blurred, 0.7)


def motion_blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """A one-sided Gaussian trail of standard deviation 3 and 10 pixels' length."""
    angle = np.deg2rad(rng.uniform(-45, 45))
    weights = np.exp(-(np.arange(21) ** 2) / (2 * 3**2))
    steps = [ndimage.shift(picture, (i * np.sin(angle), i * np.cos(angle)), order=1) for i in range(21)]
    return np.clip(np.tensordot(weights / weights.sum(), steps, axes=1), 0, 1)


def _warped(picture: Picture, matrix: list[list[float]]) -> Picture:
    """Resample around the centre: output position -> input position by `matrix`, rows first."""
    centre = np.full(2, (SIDE - 1) / 2)
    warped: Picture = ndimage.affine_transform(picture, matrix, centre - np.asarray(matrix) @ centre, order=1)
    return np.clip(warped, 0, 1)


def shear(picture: Picture, rng: np.random.Generator) -> Picture:
    return _warped(picture, [[1, 0], [rng.choice([-1, 1]) * np.tan(0.4), 1]])


def scale(picture: Picture, rng: np.random.Generator) -> Picture:
    return _warped(picture, [[1 / 0.7, 0], [0, 1 / 0.7]])


def rotate(picture: Picture, rng: np.random.Generator) -> Picture:
    angle = rng.choice([-1, 1]) * 0.4
    return _warped(picture, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def brightness(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.clip(picture + 0.5, 0, 1)


def translate(picture: Picture, rng: np.random.Generator) -> Picture:
    return ndimage.shift(picture, 3 * rng.choice([-1, 1], 2), order=0)


def stripe(picture: Picture, rng: np.random.Generator) -> Picture:
    striped = picture.copy()
    striped[:, :7] = 1 - striped[:, :7]
    striped[:, 21:] = 1 - striped[:, 21:]
    return striped


def fog(picture: Picture, rng: np.random.Generator) -> Picture:
    thickness, brightest = 3.0, picture.max()
    return np.clip((picture + thickness * _plasma(rng, decay=1.4)) * brightest / (brightest + thickness), 0, 1)


def _plasma(rng: np.random.Generator, decay: float) -> Picture:
    """A corner of a 256x256 height field by midpoint displacement on a torus, normalised to [0, 1]."""
    size = 256
    field, step, roughness = np.zeros((size, size)), size, 10_000.0
    while step >= 2:
        half = step // 2
        corners = field[::step, ::step]
        square = corners + np.roll(corners, -1, 0)
        square = (square + np.roll(square, -1, 1)) / 4
        field[half::step, half::step] = square + roughness * rng.uniform(-1, 1, square.shape)
        centres = field[half::step, half::step]
        beside = corners + np.roll(corners, -1, 1) + centres + np.roll(centres, 1, 0)
        above = corners + np.roll(corners, -1, 0) + centres + np.roll(centres, 1, 1)
        field[::step, half::step] = beside / 4 + roughness * rng.uniform(-1, 1, beside.shape)
        field[half::step, ::step] = above / 4 + roughness * rng.uniform(-1, 1, above.shape)
        step, roughness = half, roughness / decay
    field -= field.min()
    return (field / field.max())[:SIDE, :SIDE]


def spatter(picture: Picture, rng: np.random.Generator) -> Picture:
    liquid = ndimage.gaussian_filter(rng.normal(0.65, 0.3, picture.shape), 1)
    mud = ndimage.gaussian_filter((liquid > 0.65).astype(np.float64), 1.5)
    mud[mud < 0.8] = 0
    return np.clip(picture * (1 - mud) + mud * 63 / 255, 0, 1)


def _segment(start: tuple[float, float], end: tuple[float, float]) -> Picture:
    """A line with soft edges between two (column, row) points, by vertical distance."""
    (c0, r0), (c1, r1) = start, end
    if c0 == c1:
        return np.zeros((SIDE, SIDE))
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    distance = np.abs(rows - ((r1 - r0) / (c1 - c0) * (columns - c0) + r0))
    line = np.clip(np.log(1 - np.clip(distance, 0, 2.3 - 1e-10) / 2.3) + 1, 0, 1)
    line[:, : max(0, int(np.floor(c0)))] = 0
    line[:, max(0, int(np.ceil(c1))) :] = 0
    return line


def dotted_line(picture: Picture, rng: np.random.Generator) -> Picture:
    line = _segment((0, float(rng.integers(27))), (27, float(rng.integers(27))))
    line[:, np.arange(SIDE) % 4 < 2] = 0
    return np.clip(picture + line, 0, 1)


def zigzag(picture: Picture, rng: np.random.Generator) -> Picture:
    left, right, reach = 2, 25, 2.0
    first = float(rng.integers(27))
    last = first + float(rng.integers(-5, 5))
    angle = np.arctan2(last - first, right - left)
    length = (right - left) / np.cos(angle)
    along = [0.0, *np.arange(reach, length, 2 * reach), length]
    across = [0.0, *(reach * (-1) ** np.arange(len(along) - 2)), 0.0]
    corners = [
        (left + a * np.cos(angle) - b * np.sin(angle), first + a * np.sin(angle) + b * np.cos(angle))
        for a, b in zip(along, across, strict=True)
    ]
    drawn = picture
    for start, end in pairwise(corners):
        drawn = np.clip(drawn + _segment(start, end), 0, 1)
    return drawn


def canny_edges(picture: Picture, rng: np.random.Generator) -> Picture:
    edges: Picture = feature.canny(picture).astype(np.float64)
    return edges


CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}
