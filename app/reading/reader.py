"""Pages -> text: which of the candidates are characters, and which. Two files beside an alphabet's model.

Two networks read a line in two ways. One judges candidates, each for itself, and may cut wrongly; the other reads the
row as a whole, and has no idea of where a character ends. Each proposes texts, and both say how likely each text is.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from app.reading import ctc
from app.reading.glyphs import SIDE
from app.reading.lattice import Lattice, Said, Way
from app.reading.lines import CHANNELS, Page
from app.reading.recognizer import READING_VERSION, Recognizer, UnusableModel, opened
from app.reading.text import Character, Line, Text

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

LINES_FILE: Final = "lines.onnx"
"""As it is called in the folder of its alphabet; without it, lines of that alphabet cannot be read."""

ROWS_FILE: Final = "rows.onnx"
"""The network that reads whole rows, beside it."""

DIRT, NONE = "dirt", "none"
"""What is left out of the text; what is a part of a character, or more than one."""

MARKS: Final = (".", ",", "-", "/")
"""What may stand between digits, in the order of the network's output."""

_TOGETHER = 256
"""Candidates that go through a network at once: more would take memory and no less time."""

_PROPOSED = 6
"""Texts that each of the two ways of reading may propose."""

_WIDEST = 2048
"""Columns of a row that is read as a whole: fifty digits have no more."""


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
    heed: float
    """How much the logarithm of what the network of rows says of a text counts, for that of the candidates,"""
    heed_torn: float
    """and likewise where the likeliest text by one of the two takes characters apart that touch."""


class RowRecord(BaseModel):
    """What a file of rows says of itself."""

    model_config = ConfigDict(extra="allow", frozen=True)

    alphabet: str
    version: str
    reading_version: int
    symbols: list[str]
    """What a frame may say, in the order of the network's output; the first, empty, is nothing."""


@dataclass(frozen=True)
class Heard:
    """`kinds`: (candidates, kinds) logarithms of probabilities; `labels`: likewise, (plausible, labels), what the
    alphabet's own network says of those candidates that `plausible` lists; `frames`: of each line, (frames, symbols)
    probabilities from left to right, none of one that is too wide.
    """

    kinds: Doubles
    plausible: npt.NDArray[np.int64]
    labels: Doubles
    frames: tuple[Doubles, ...] = ()


def weighed(heard: Heard, torn: npt.NDArray[np.int64], record: LineRecord) -> Doubles:
    """(candidates, kinds but none): the logarithm of each one's probability, for that of none.

    Marks and dirt are whole pieces, never parts of characters.
    """
    kinds, chosen, digits = heard.kinds.copy(), heard.plausible, heard.labels.shape[1]
    any_digit = np.logaddexp.reduce(kinds[chosen, :digits], axis=1, keepdims=True)
    trust = np.where(torn[chosen] > 0, record.trust_torn, record.trust)[:, None]
    both = (1 - trust) * (kinds[chosen, :digits] - any_digit) + trust * heard.labels
    kinds[chosen, :digits] = any_digit + both - np.logaddexp.reduce(both, axis=1, keepdims=True)
    odds: Doubles = kinds[:, :-1] - np.maximum(kinds[:, -1:], math.log(record.least_none)) - record.tear * torn[:, None]
    odds[torn > 0, digits:] = -np.inf
    return odds


@dataclass(frozen=True)
class Proposals:
    """Texts that a line may have, as `ways` through its candidates, how likely each is by `rows`, (texts,) logarithms,
    and of which connected pieces of ink are cut.
    """

    ways: list[Way]
    rows: Doubles
    torn: npt.NDArray[np.bool_]

    def likeliest(self, record: LineRecord) -> int:
        """The place of the text that both say together."""
        by_candidates = np.array([way.share for way in self.ways])
        torn = self.torn[by_candidates.argmax()] or self.torn[self.rows.argmax()]
        together = by_candidates + (record.heed_torn if torn else record.heed) * self.rows
        return int(together.argmax())

    def beliefs(self) -> Doubles:
        """(ways of reading, texts): of each text, what it has of the likelihood of all; by rows, if they are read."""
        by_candidates = np.array([way.share for way in self.ways])
        said = np.stack((by_candidates, self.rows) if self.rows.any() else (by_candidates,))
        shares: Doubles = np.exp(said - np.logaddexp.reduce(said, axis=1, keepdims=True))
        return shares


class LineReader:
    """Reads lines of one alphabet. Safe to call from several threads."""

    def __init__(self, recognizer: Recognizer, file: Path, threads: int = 1) -> None:
        """Load the judge of candidates, and the network of rows beside it, for an alphabet's own network.

        Raises UnusableModel.
        """
        self._recognizer = recognizer
        self._session, metadata, name = opened(file, threads)
        self._rows, of_rows, rows_name = opened(file.with_name(ROWS_FILE), threads)
        try:
            self.record = LineRecord.model_validate(metadata)
            rows = RowRecord.model_validate(of_rows)
        except ValidationError:
            raise UnusableModel(f"{name} or {rows_name} has a record that makes no sense.") from None
        for record, of in ((self.record, name), (rows, rows_name)):
            if record.reading_version != READING_VERSION or record.alphabet != recognizer.record.alphabet:
                raise UnusableModel(f"{of} was made for another alphabet or another version of how pictures are read.")
        self.kinds = [*recognizer.labels, *MARKS, DIRT, NONE]
        if self._judged(np.zeros((1, CHANNELS, SIDE, SIDE), np.float32)).shape[1] != len(self.kinds):
            raise UnusableModel(f"{name} does not judge by the labels of {self.record.alphabet}.")
        if rows.symbols != ["", *recognizer.labels, *MARKS]:
            raise UnusableModel(f"{rows_name} does not read the labels of {self.record.alphabet}.")

    def under(self, record: LineRecord) -> "LineReader":
        """One with the same networks, and another record."""
        other = copy.copy(self)
        other.record = record
        return other

    def read(self, pages: Sequence[Page]) -> list[Text]:
        """The text of each page, in order."""
        return [self.text(page, self.heard(page)) for page in pages]

    def heard(self, page: Page) -> Heard:
        """What the networks say of a page's candidates and lines."""
        digits = len(self._recognizer.labels)
        kinds = np.log(np.maximum(self._judged(page.views), 1e-12)).astype(np.float64)
        plausible = np.flatnonzero(np.logaddexp.reduce(kinds[:, :digits], axis=1) > math.log(self.record.plausible))
        glyphs = np.ascontiguousarray(page.views[plausible, 0])
        labels = self._recognizer.probabilities(glyphs) if plausible.size else np.zeros((0, digits))
        return Heard(
            kinds,
            plausible,
            np.log(np.maximum(labels, 1e-6)).astype(np.float64),
            tuple(self._framed(strip) for strip in page.strips),
        )

    def _judged(self, views: Floats) -> Floats:
        """(candidates, kinds) probabilities."""
        parts = np.array_split(views, -(-len(views) // _TOGETHER))
        return np.concatenate([self._session.run(None, {"views": part})[0] for part in parts])

    def _framed(self, strip: Floats) -> Doubles:
        """(frames, symbols) probabilities of what a row says; no frames where it is too wide."""
        if strip.shape[1] > _WIDEST:
            return np.zeros((0, len(self.kinds) - 1))
        shares: Doubles = self._rows.run(None, {"strips": strip[np.newaxis, np.newaxis]})[0][0].T.astype(np.float64)
        return ctc.telling(shares)

    def text(self, page: Page, heard: Heard) -> Text:
        """The likeliest text of a page."""
        odds = weighed(heard, page.torn, self.record)
        lines = [] if page.given else self._lines(page, heard, odds)
        if not any(line.characters for line, _ in lines):  # something is there, and no dirt
            odds[:, -1] = -np.inf
            lines = self._lines(page, heard, odds)
        written = tuple(line for line, _ in lines if line.characters)
        confidence, cut = math.prod(line.confidence for line in written), any(cut for _, cut in lines)
        sure = confidence >= (self.record.sure_from_cut if cut else self.record.sure_from)
        return Text(written, confidence, sure, cut)

    def _lines(self, page: Page, heard: Heard, odds: Doubles) -> list[tuple[Line, bool]]:
        """The likeliest text of each line, and whether connected pieces are cut for it."""
        found = []
        for number in np.unique(page.spans[:, 0]).tolist():
            places = np.flatnonzero(page.spans[:, 0] == number)
            frames = heard.frames[number] if heard.frames else np.zeros((0, 0))
            proposals = self.proposals(page.spans[places, 1:], odds[places], page.torn[places], frames)
            best, beliefs = proposals.likeliest(self.record), proposals.beliefs()
            way = proposals.ways[best]
            certainties = _certainties(way, proposals.ways, beliefs, page.spans[places, 1:])
            characters = tuple(
                Character(self.kinds[kind], certainty, _box(page.boxes[places[one]]))
                for one, kind, certainty in zip(way.candidates, way.kinds, certainties, strict=True)
                if self.kinds[kind] != DIRT
            )
            found.append((Line(characters, float(beliefs[:, best].prod())), bool(proposals.torn[best])))
        return found

    def proposals(
        self, spans: npt.NDArray[np.int64], odds: Doubles, torn: npt.NDArray[np.int64], frames: Doubles
    ) -> Proposals:
        """What a line may say, of its candidates and of its row."""
        lattice = Lattice(spans, odds, self.kinds.index(DIRT))
        texts: list[Said] = lattice.texts(_PROPOSED)
        if len(frames):
            of_row = [tuple(symbol - 1 for symbol in text) for text in ctc.texts(frames, _PROPOSED)]
            texts += [text for text in of_row if text not in texts]
        ways = [way for way in lattice.ways(texts) if way]
        said = [tuple(kind + 1 for kind in way.kinds if self.kinds[kind] != DIRT) for way in ways]
        rows = ctc.likelihoods(frames, said) if len(frames) else np.zeros(len(ways))
        return Proposals(ways, rows, np.array([bool(torn[way.candidates].any()) for way in ways]))


def _certainties(way: Way, ways: Sequence[Way], beliefs: Doubles, spans: npt.NDArray[np.int64]) -> list[float]:
    """Of each candidate on a way, the share of the texts in which most of its parts are the same character; the product
    of what both ways of reading hold, as a text's confidence is.
    """
    first, after = spans[way.candidates].T
    kinds, certainties = np.array(way.kinds), np.zeros((len(beliefs), len(way.kinds)))
    for place, other in enumerate(ways):
        begins, ends = spans[other.candidates].T
        common = np.minimum(after[:, None], ends) - np.maximum(first[:, None], begins)
        union = np.maximum(after[:, None], ends) - np.minimum(first[:, None], begins)
        same = (2 * common > union) & (kinds[:, None] == np.array(other.kinds))
        certainties += beliefs[:, place, None] * same.any(axis=1)
    return [min(1.0, certainty) for certainty in certainties.prod(axis=0).tolist()]


def _box(limits: Doubles) -> tuple[float, float, float, float]:
    left, top, right, bottom = limits.tolist()
    return left, top, right, bottom
