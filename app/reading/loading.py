"""An alphabet's folder -> what reads it, tried out: the model, and the reader of lines where there is one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from app.reading.middle import MIDDLE_FILE
from app.reading.picture import Picture
from app.reading.pipeline import glyph_of, page_of
from app.reading.reader import LINES_FILE, ROWS_FILE, LineReader
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel

BESIDE: Final = (LINES_FILE, ROWS_FILE, MIDDLE_FILE)
"""The networks that a folder may have beside its model, and that are read with whatever model is there."""


@dataclass(frozen=True)
class Served:
    """What one alphabet is read by."""

    recognizer: Recognizer
    line_reader: LineReader | None
    """Bound to the recognizer; None where lines of the alphabet cannot be read."""


def loaded(folder: Path, alphabet: str) -> Served:
    """The models of a folder, each of which has answered a real glyph or read a real page.

    Raises UnusableModel, whatever it is that they cannot do, and where they are of another alphabet.
    """
    name = f"{folder.name}/{MODEL_FILE}"
    recognizer = Recognizer(folder / MODEL_FILE)
    if recognizer.record.alphabet != alphabet:
        raise UnusableModel(f"{name} is of the alphabet {recognizer.record.alphabet}. Name its folder so.")
    try:
        _try_out(recognizer, name)
        line_reader = _reader(recognizer, folder / LINES_FILE)
    except UnusableModel:
        raise
    except Exception as error:  # a network that fails when it is asked raises one of ONNX Runtime's own
        raise UnusableModel(f"{name} fails when it is tried out: {error}") from None
    return Served(recognizer, line_reader)


def _reader(recognizer: Recognizer, file: Path) -> LineReader | None:
    if not file.exists():
        return None
    line_reader = LineReader(recognizer, file)
    line_reader.read([page_of(_one_stroke())])
    return line_reader


def _one_stroke() -> Picture:
    paper = Image.new("L", (40, 40), "white")
    paper.paste("black", (18, 5, 22, 35))
    return Picture.of(paper)


def _try_out(recognizer: Recognizer, name: str) -> None:
    glyph = glyph_of(_one_stroke(), recognizer.record.cleaning)
    probabilities = recognizer.probabilities(glyph.pixels[np.newaxis])
    if probabilities.shape != (1, len(recognizer.labels)) or abs(float(probabilities.sum()) - 1) > 1e-3:
        raise UnusableModel(f"{name} does not answer with a probability for each of its labels.")
