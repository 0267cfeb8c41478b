"""The steps of reading, for tests that look at one of them; each takes a picture or its file."""

from PIL import Image

from app.reading import ink, pipeline
from app.reading.glyphs import Glyph, Pixels
from app.reading.ink import Density
from app.reading.picture import Picture, decode


def picture_of(source: Image.Image | bytes) -> Picture:
    return decode(source) if isinstance(source, bytes) else Picture.of(source)


def ink_of(source: Image.Image | bytes) -> Density:
    return ink.of(picture_of(source)).density


def glyph_of(source: Image.Image | bytes) -> Glyph:
    """Raises BlankImage."""
    return pipeline.glyph_of(picture_of(source))


def pixels_of(source: Image.Image | bytes) -> Pixels:
    """Raises BlankImage."""
    return glyph_of(source).pixels
