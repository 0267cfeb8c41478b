"""A form's cell in which nothing is written: grain, traces of its frame, what compression makes of both."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from app.reading.frame import Band
from app.reading.pipeline import BlankImage
from tests.support.handwriting import canvas
from tests.support.reading import pixels_of

SIDE = 64


def cell(rng: np.random.Generator, shade: int, grain: float) -> npt.NDArray[np.float64]:
    return shade + rng.normal(0, grain, (SIDE, SIDE))


def grain(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return cell(rng, 245, rng.uniform(3, 9))


def corner_of_a_frame(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    picture = cell(rng, 230, 2)
    picture[1:3, 1:50] -= 90
    picture[1:55, 1:3] -= 90
    return picture


def one_line_of_a_frame(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    picture = cell(rng, 230, 2)
    picture[4:60, 62:] -= 60
    return picture


def grain_in_a_frame(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    picture = cell(rng, 235, 4)
    for edge in (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:]):
        edge -= 150
    return picture


def trace_of_a_frame(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    picture = 200 + rng.integers(-1, 2, (SIDE, SIDE)).astype(np.float64)
    picture[3:5] -= 14
    picture[:, -5:-3] -= 14
    return picture


KINDS = (grain, corner_of_a_frame, one_line_of_a_frame, grain_in_a_frame, trace_of_a_frame)


def jpeg(picture: npt.NDArray[np.float64], quality: int) -> bytes:
    band: Band = picture.round().clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(band).save(file, "JPEG", quality=quality)
    return file.getvalue()


@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_cell_is_blank(kind: Callable[[np.random.Generator], npt.NDArray[np.float64]], quality: int) -> None:
    for seed in range(5):
        with pytest.raises(BlankImage):
            pixels_of(jpeg(kind(np.random.default_rng(seed)), quality))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_in_the_cell_is_not(kind: Callable[[np.random.Generator], npt.NDArray[np.float64]]) -> None:
    """The darkest of the frame is no darker than the pen."""
    for digit in range(10):
        drawn = np.asarray(canvas(digit).convert("L").resize((40, 40), Image.Resampling.BILINEAR)) / 255
        picture = kind(np.random.default_rng(digit))
        picture[12:52, 12:52] *= drawn
        assert pixels_of(jpeg(picture, 90)).max() == 1
