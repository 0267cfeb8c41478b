"""What one API process holds: recognizers and line readers by alphabet, the lanes to them, the gate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from starlette.requests import HTTPConnection

from app.api.access import Gate
from app.api.errors import NoLines, SeveralAlphabets, UnknownAlphabet
from app.api.work import Lanes
from app.reading.picture import Picture
from app.reading.pipeline import glyph_of, page_of
from app.reading.reader import LINES_FILE, LineReader
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from app.samples.keeper import Keeper
from app.settings import Settings


@dataclass(frozen=True)
class Service:
    settings: Settings
    recognizers: dict[str, Recognizer]
    line_readers: dict[str, LineReader]
    """Of the alphabets that have one."""
    lanes: Lanes
    gate: Gate
    keeper: Keeper | None = None
    """Of samples, where they are kept."""

    def recognizer(self, named: Iterable[str]) -> Recognizer:
        """That of the alphabet which a request names; of the default one where it names none, or an empty text.

        Raises:
            SeveralAlphabets: it names different ones.
            UnknownAlphabet
        """
        name, *others = {name for name in named if name} or {self.settings.default_alphabet}
        if others:
            raise SeveralAlphabets
        try:
            return self.recognizers[name]
        except KeyError:
            raise UnknownAlphabet(self.recognizers) from None

    def line_reader(self, recognizer: Recognizer) -> LineReader:
        """That of a recognizer's alphabet. Raises NoLines."""
        alphabet = recognizer.record.alphabet
        try:
            return self.line_readers[alphabet]
        except KeyError:
            raise NoLines(alphabet, self.line_readers) from None


def service_of(request: HTTPConnection) -> Service:
    service: Service = request.app.state.service
    return service


def load_recognizers(settings: Settings) -> dict[str, Recognizer]:
    """The model of each folder of the models' folder, by its alphabet's name, that of the default one first; each has
    answered a real glyph.

    Raises UnusableModel, also where the default alphabet is not among them.
    """
    recognizers = {}
    for file in sorted(settings.models_dir.glob(f"*/{MODEL_FILE}")):
        folder, recognizer = file.parent.name, Recognizer(file)
        _try_out(recognizer, folder)
        if recognizer.record.alphabet != folder:
            raise UnusableModel(
                f"{folder}/{MODEL_FILE} is of the alphabet {recognizer.record.alphabet}. Name its folder so."
            )
        recognizers[folder] = recognizer
    if not recognizers:
        raise UnusableModel(
            f"There is no model file {settings.default_alphabet}/{MODEL_FILE}. "
            "Train one: python train_model.py --install"
        )
    if settings.default_alphabet not in recognizers:
        raise UnusableModel(
            f"No model file is of the default alphabet, {settings.default_alphabet}; "
            f"there are models of {', '.join(recognizers)}."
        )
    return {settings.default_alphabet: recognizers[settings.default_alphabet]} | recognizers


def load_line_readers(settings: Settings, recognizers: Mapping[str, Recognizer]) -> dict[str, LineReader]:
    """That of each recognizer's folder which has one, by the alphabet's name; each has read a real page.

    Raises UnusableModel.
    """
    line_readers = {}
    for alphabet, recognizer in recognizers.items():
        file = settings.models_dir / alphabet / LINES_FILE
        if file.exists():
            line_readers[alphabet] = LineReader(recognizer, file)
            line_readers[alphabet].read([page_of(_one_stroke())])
    return line_readers


def _one_stroke() -> Picture:
    paper = Image.new("L", (40, 40), "white")
    paper.paste("black", (18, 5, 22, 35))
    return Picture.of(paper)


def _try_out(recognizer: Recognizer, folder: str) -> None:
    glyph = glyph_of(_one_stroke(), recognizer.record.cleaning)
    probabilities = recognizer.probabilities(glyph.pixels[np.newaxis])
    if probabilities.shape != (1, len(recognizer.labels)) or abs(float(probabilities.sum()) - 1) > 1e-3:
        raise UnusableModel(f"{folder}/{MODEL_FILE} does not answer with a probability for each of its labels.")
