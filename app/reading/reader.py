"""Pages -> text: which of the candidates are characters, and which. One file beside an alphabet's model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from app.reading.glyphs import SIDE
from app.reading.lattice import best_way
from app.reading.lines import CHANNELS, Page
from app.reading.recognizer import READING_VERSION, Recognizer, UnusableModel, opened
from app.reading.text import Character, Line, Text

Doubles = npt.NDArray[np.float64]

LINES_FILE: Final = "lines.onnx"
"""As it is called in the folder of its alphabet; without it, lines of that alphabet cannot be read."""

DIRT, NONE = "dirt", "none"
"""What is left out of the text; what is a part of a character, or more than one."""

MARKS: Final = (".", ",", "-", "/")
"""What may stand between digits, in the order of the network's output."""

_TOGETHER = 256
"""Candidates that go through a network at once: more would take memory and no less time."""


class LineRecord(BaseModel):
    """What a file of lines says of itself: all that serving needs. More is kept, for people to read."""

    model_config = ConfigDict(extra="allow", frozen=True)

    alphabet: str
    version: str
    reading_version: int
    trust: float
    """In the alphabet's own network, which has seen more hands, when it comes to which character it is: of the two, its
    share of the say, from 0 to 1."""
    trust_torn: float
    """The same of a candidate with a part alone of a connected piece, where that network sees less than the judge."""
    plausible: float
    """What is likely to be a character at least so much is shown to that network."""
    least_none: float
    """Nothing is less likely than this to be none: how sure the judge may be."""
    tear: float
    """What a candidate loses, as the logarithm of its odds, for each piece of ink of which it has a part alone."""
    sure_from: float
    """Confidence from which a whole text counts as sure, chosen on validation data,"""
    sure_from_cut: float
    """and likewise where characters that touch were taken apart."""


@dataclass(frozen=True)
class Heard:
    """`kinds`: (candidates, kinds) logarithms of probabilities; `labels`: likewise, (plausible, labels), what the
    alphabet's own network says of those candidates that `plausible` lists.
    """

    kinds: Doubles
    plausible: npt.NDArray[np.int64]
    labels: Doubles


def weighed(heard: Heard, torn: npt.NDArray[np.int64], record: LineRecord) -> Doubles:
    """As `LineReader.odds`, of what networks have said. Marks and dirt are whole pieces, never parts of characters."""
    kinds, chosen, digits = heard.kinds.copy(), heard.plausible, heard.labels.shape[1]
    any_digit = np.logaddexp.reduce(kinds[chosen, :digits], axis=1, keepdims=True)
    trust = np.where(torn[chosen] > 0, record.trust_torn, record.trust)[:, None]
    both = (1 - trust) * (kinds[chosen, :digits] - any_digit) + trust * heard.labels
    kinds[chosen, :digits] = any_digit + both - np.logaddexp.reduce(both, axis=1, keepdims=True)
    odds: Doubles = kinds[:, :-1] - np.maximum(kinds[:, -1:], math.log(record.least_none)) - record.tear * torn[:, None]
    odds[torn > 0, digits:] = -np.inf
    return odds


class LineReader:
    """Reads lines of one alphabet. Safe to call from several threads."""

    def __init__(self, recognizer: Recognizer, file: Path, threads: int = 1) -> None:
        """Load the judge of candidates beside an alphabet's own network. Raises UnusableModel."""
        self._recognizer = recognizer
        self._session, metadata, name = opened(file, threads)
        try:
            self.record = LineRecord.model_validate(metadata)
        except ValidationError:
            raise UnusableModel(f"{name} has a record that makes no sense.") from None
        if self.record.reading_version != READING_VERSION or self.record.alphabet != recognizer.record.alphabet:
            raise UnusableModel(f"{name} was made for another alphabet or another version of how pictures are read.")
        self.kinds = [*recognizer.labels, *MARKS, DIRT, NONE]
        if self._judged(np.zeros((1, CHANNELS, SIDE, SIDE), np.float32)).shape[1] != len(self.kinds):
            raise UnusableModel(f"{name} does not judge by the labels of {self.record.alphabet}.")

    def read(self, pages: Sequence[Page]) -> list[Text]:
        """The text of each page, in order."""
        return [self.text(page, self.odds(page)) for page in pages]

    def odds(self, page: Page) -> Doubles:
        """(candidates, kinds but none): the logarithm of each one's probability, for that of none."""
        return weighed(self.heard(page), page.torn, self.record)

    def heard(self, page: Page) -> Heard:
        """What the networks say of a page's candidates."""
        digits = len(self._recognizer.labels)
        kinds = np.log(np.maximum(self._judged(page.views), 1e-12)).astype(np.float64)
        plausible = np.flatnonzero(np.logaddexp.reduce(kinds[:, :digits], axis=1) > math.log(self.record.plausible))
        glyphs = np.ascontiguousarray(page.views[plausible, 0])
        labels = self._recognizer.probabilities(glyphs) if plausible.size else np.zeros((0, digits))
        return Heard(kinds, plausible, np.log(np.maximum(labels, 1e-6)).astype(np.float64))

    def _judged(self, views: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(candidates, kinds) probabilities."""
        parts = np.array_split(views, -(-len(views) // _TOGETHER))
        return np.concatenate([self._session.run(None, {"views": part})[0] for part in parts])

    def text(self, page: Page, odds: Doubles) -> Text:
        """The likeliest text of a page."""
        ways = [] if page.given else self._ways(page, odds)
        if not any(line.characters for line, _ in ways):  # something is there, and no dirt
            odds[:, -1] = -np.inf
            ways = self._ways(page, odds)
        lines = tuple(line for line, _ in ways if line.characters)
        confidence, cut = math.prod(line.confidence for line in lines), any(cut for _, cut in ways)
        sure = confidence >= (self.record.sure_from_cut if cut else self.record.sure_from)
        return Text(lines, confidence, sure, cut)

    def _ways(self, page: Page, odds: Doubles) -> list[tuple[Line, bool]]:
        """The likeliest way through each line, and whether connected pieces are cut on it."""
        found = []
        for number in np.unique(page.spans[:, 0]):
            places = np.flatnonzero(page.spans[:, 0] == number)
            way = best_way(page.spans[places, 1:], odds[places], self.kinds.index(DIRT))
            characters = tuple(
                Character(self.kinds[kind], certainty, _box(page.boxes[places[one]]))
                for one, kind, certainty in zip(way.candidates, way.kinds, way.certainty, strict=True)
                if self.kinds[kind] != DIRT
            )
            found.append((Line(characters, way.share), bool(page.torn[places[way.candidates]].any())))
        return found


def _box(limits: Doubles) -> tuple[float, float, float, float]:
    left, top, right, bottom = limits.tolist()
    return left, top, right, bottom
