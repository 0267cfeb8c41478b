"""Lines that a picture was drawn over, or that were drawn over it, are no ink."""

import numpy as np
import pytest
from PIL import Image

from app.reading import grid
from app.reading.frame import Band
from tests.support.handwriting import canvas
from tests.support.pictures import encoded
from tests.support.reading import pixels_of

PITCH = 14


def lined(paper: Band, first: int, shade: int, across: bool = True, pitch: int = PITCH) -> Band:
    """Lines of two pixels, from row `first` on, over all that there is."""
    lined = paper.copy()
    for row in (first, first + 1):
        lined[row::pitch] = shade
        if across:
            lined[:, row::pitch] = shade
    return lined


@pytest.mark.parametrize("first", [5, PITCH - 2])
@pytest.mark.parametrize(("paper", "pen", "shade"), [(0, 255, 146), (255, 0, 200), (250, 20, 128)])
@pytest.mark.parametrize("digit", [1, 4, 8])
def test_a_pixel_editors_grid(digit: int, paper: int, pen: int, shade: int, first: int) -> None:
    """Between the lines, the ink is whole again, to the pixel."""
    small = np.asarray(canvas(digit).convert("L").resize((20, 20))) < 128
    cells: Band = np.kron(np.where(small, pen, paper), np.ones((PITCH, PITCH))).astype(np.uint8)
    (without,) = grid.without([lined(cells, first, shade)])
    assert np.array_equal(without, cells)


@pytest.mark.parametrize("across", [True, False], ids=["squared", "ruled"])
@pytest.mark.parametrize("digit", range(10))
def test_what_is_drawn_on_lined_paper(digit: int, across: bool) -> None:
    drawn = np.asarray(canvas(digit).convert("L"))
    paper = np.minimum(lined(np.full_like(drawn, 255), 3, 170, across, pitch=24), drawn)
    on_lines = pixels_of(encoded(Image.fromarray(paper)))
    assert np.abs(on_lines - pixels_of(encoded(Image.fromarray(drawn)))).mean() < 0.01


@pytest.mark.parametrize("rows", [(20, 60, 100), (20, 60, 100, 190)], ids=["three", "at odd distances"])
def test_what_is_no_grid_is_left(rows: tuple[int, ...]) -> None:
    picture = np.full((280, 280), 255, np.uint8)
    picture[list(rows)] = 0
    assert np.array_equal(grid.without([picture])[0], picture)
