"""Pages -> text: which of the candidates are characters, and which. One file beside an alphabet's model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.reading.lines import Page
from app.reading.recognizer import Recognizer
from app.reading.text import Character, Line, Text

DIRT, NONE = "dirt", "none"
KINDS = (*"0123456789", *".,-/", DIRT, NONE)
"""What the network that judges candidates tells apart: characters, what is to be left out, and what is none: a part of
one, or more than one."""

LINES_FILE = "lines.onnx"
"""As it is called in the folder of its alphabet; without it, lines of that alphabet cannot be read."""


class LineReader:
    """Reads lines of one alphabet. Safe to call from several threads."""

    def __init__(self, recognizer: Recognizer, file: Path, threads: int = 1) -> None:
        """Raises UnusableModel."""
        self._recognizer = recognizer

    def read(self, pages: Sequence[Page]) -> list[Text]:
        """The text of each page, in order."""
        return [self._text(page) for page in pages]

    def _text(self, page: Page) -> Text:
        shares = self._recognizer.probabilities(np.ascontiguousarray(page.views[:, 0]))
        characters = tuple(
            Character(self._recognizer.labels[int(one.argmax())], float(one.max()), tuple(box.tolist()))
            for one, box in zip(shares, page.boxes, strict=True)
        )
        confidence = float(np.prod([one.confidence for one in characters]))
        return Text((Line(characters, confidence),), confidence, confidence > 0.9)
