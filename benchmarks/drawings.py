"""Drawings of the ten digits by a writer whose strokes are not trained on, as files."""

from PIL import Image

from tests.support import handwriting
from tests.support.pictures import encoded


def canvases() -> list[bytes]:
    """As the drawing pad sends them: PNG of 280x280 pixels."""
    return [encoded(_canvas(digit)) for digit in range(10)]


def small() -> list[bytes]:
    """As data sets have them: PNG of 28x28 pixels."""
    return [encoded(_canvas(digit).resize((28, 28), Image.Resampling.BOX)) for digit in range(10)]


def _canvas(digit: int) -> Image.Image:
    return handwriting.canvas(digit)
