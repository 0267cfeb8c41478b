"""The labelling of connected pieces, against SciPy's."""

import numpy as np
import pytest
from scipy import ndimage

from app.reading.components import label


@pytest.mark.parametrize("density", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_same_pieces_as_scipy(density: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        mask = rng.random(rng.integers(1, 40, 2)) < density
        expected, count = ndimage.label(mask, np.ones((3, 3)))
        found = label(mask)
        assert found.max(initial=0) == count
        assert np.array_equal(found > 0, mask)
        pairs = set(zip(expected[mask], found[mask], strict=True))
        assert len(pairs) == count  # one number here for each there


def test_a_spiral_is_one_piece() -> None:
    spiral = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], bool)
    assert np.array_equal(label(spiral), spiral)
