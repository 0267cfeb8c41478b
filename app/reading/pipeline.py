"""The way of a picture, top to bottom: bytes -> picture -> ink -> glyphs -> predictions.

API, evaluation, training sets and benchmarks all call this, so that a figure measured in one of them holds in all.

    bytes                   a file as sent
    picture.open_file       its header: kind, width and height, whether to decode it at all
    picture.load            a `Picture`: upright, in few modes, of a size to work with (Pillow)
    ink.of                  `Ink`: where the pen was, whatever the paper (NumPy)
    glyphs.find             a `Glyph`: cropped, cleaned, scaled and centred, and where it was
    Recognizer.predict      a `Prediction`: label, confidence, whether that is sure
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from app.reading import glyphs, ink, lines, picture
from app.reading.glyphs import DEFAULT_CLEANING, Cleaning, Glyph
from app.reading.lines import Page
from app.reading.picture import Box, Picture, ReadingError

if TYPE_CHECKING:  # the process that only decodes has no room for the network
    from app.reading.recognizer import ModelRecord, Prediction, Recognizer


class BlankImage(ReadingError):
    """There is a picture and nothing on it. `character`: what should be, as the model's record calls it."""

    def __init__(self, character: str = "digit") -> None:
        super().__init__(f"Image is blank. Please provide a valid {character}.")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was recognized, and what it was recognized from."""

    prediction: "Prediction"
    glyph: Glyph


def glyph_of(seen: Picture, cleaning: Cleaning = DEFAULT_CLEANING) -> Glyph:
    """The one character on a picture. Raises BlankImage, in the words for digits: it knows of no alphabet."""
    glyph = glyphs.find(seen, ink.of(seen), cleaning)
    if glyph is None:
        raise BlankImage
    return glyph


def page_of(seen: Picture, boxes: Sequence[Box] = ()) -> Page:
    """All that may be a character on a picture; of boxes, in pixels as sent, the one in each.

    Raises BlankImage, TooMuchWriting and EmptyBox.
    """
    found = ink.of(seen)
    if boxes:
        return lines.inside(seen, found, boxes)
    page = lines.find(seen, found)
    if page is None:
        raise BlankImage
    return page


def read(opened: Sequence[Image.Image], recognizer: "Recognizer") -> list[Reading | Exception]:
    """What is on each of several pictures, with one call of the network for all.

    Args:
        opened: by `picture.open_file`.
        recognizer: of the alphabet that they are written in.

    Returns:
        Each one's reading, or the exception that its own decoding or reading raised: a `ReadingError` where the picture
        is to blame, else our mistake.

    Raises:
        whatever the network raises.
    """
    seen = [_glyph_or_trouble(file, recognizer.record) for file in opened]
    predictions = iter(recognizer.predict([one for one in seen if isinstance(one, Glyph)]))
    return [Reading(next(predictions), one) if isinstance(one, Glyph) else one for one in seen]


def _glyph_or_trouble(file: Image.Image, record: "ModelRecord") -> Glyph | Exception:
    try:
        return glyph_of(picture.load(file), record.cleaning)
    except BlankImage:
        return BlankImage(record.character)
    except Exception as error:  # whatever it is, it is this picture's and no other's
        return error
