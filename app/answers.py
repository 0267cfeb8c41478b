"""What is said of a picture, whoever asks: the API and the command line make their answers of readings here."""

import base64
import io
from operator import itemgetter
from typing import Any, Final

import numpy as np
from PIL import Image

from app.client.models import Failed
from app.reading import picture
from app.reading.glyphs import Pixels
from app.reading.lines import EmptyBox
from app.reading.picture import Box, ReadingError
from app.reading.pipeline import BlankImage, Reading
from app.reading.recognizer import DIGITS, ModelRecord
from app.reading.rows import TooMuchWriting
from app.reading.text import Text

CODES: Final[dict[type[ReadingError], str]] = {
    BlankImage: "blank_image",
    picture.EmptyFile: "empty_file",
    picture.DamagedPicture: "damaged_picture",
    picture.NotAPicture: "not_a_picture",
    picture.TooManyPixels: "too_many_pixels",
    picture.TooLaborious: "too_laborious",
    TooMuchWriting: "too_much_writing",
    EmptyBox: "empty_box",
}
"""What programs read of why a picture has no answer. A class that stands not here has the code of the nearest that it
descends from."""


def recognized(record: ModelRecord, reading: Reading, with_glyph: bool = False) -> dict[str, Any]:
    """The fields of Recognized that apply, as JSON has them.

    A case is null where nobody can tell, and absent where there is none.
    """
    prediction = reading.prediction
    likeliest_first = sorted(zip(prediction.probabilities, record.labels, strict=True), key=itemgetter(0), reverse=True)
    digit = {"predicted_digit": int(prediction.label)} if prediction.label in DIGITS else {}
    case = {"case": prediction.case} if record.cases else {}
    glyph = {"glyph": _data_url(reading.glyph.pixels)} if with_glyph else {}
    return {
        **digit,
        "label": prediction.label,
        **_name(record, prediction.label),
        **case,
        "confidence": _rounded(prediction.confidence),
        "sure": prediction.sure,
        "alternatives": [
            {"label": label, **_name(record, label), "confidence": _rounded(probability)}
            for probability, label in likeliest_first
            if label != prediction.label
        ],
        "model": {"alphabet": record.alphabet, "version": record.version},
        **glyph,
    }


def read(record: ModelRecord, text: Text) -> dict[str, Any]:
    """The fields of Read, as JSON has them."""
    return {
        "text": text.text,
        "confidence": _rounded(text.confidence),
        "sure": text.sure,
        "lines": [{"text": line.text, "confidence": _rounded(line.confidence)} for line in text.lines],
        "characters": [
            {"label": one.label, "confidence": _rounded(one.confidence), "box": _in_hundredths(one.box)}
            for line in text.lines
            for one in line.characters
        ],
        "model": {"alphabet": record.alphabet, "version": record.version},
    }


def failed(error: ReadingError) -> Failed:
    """Why there is no answer."""
    return Failed(error=str(error), code=next(CODES[kind] for kind in type(error).__mro__ if kind in CODES))


def _in_hundredths(box: Box) -> Box:
    left, top, right, bottom = (round(limit, 2) for limit in box)
    return left, top, right, bottom


def _name(record: ModelRecord, label: str) -> dict[str, str]:
    return {"name": record.names[label]} if label in record.names else {}


def _rounded(probability: float) -> float:
    return round(min(1.0, probability), 6)


def _data_url(glyph: Pixels) -> str:
    png = io.BytesIO()
    Image.fromarray(np.rint(glyph * 255).astype(np.uint8)).save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
