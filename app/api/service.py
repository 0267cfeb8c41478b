"""What one API process holds: the recognizers by alphabet, the lanes to them, the gate."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from starlette.requests import HTTPConnection

from app.api.access import Gate
from app.api.errors import SeveralAlphabets, UnknownAlphabet
from app.api.work import Lanes
from app.reading.picture import Picture
from app.reading.pipeline import glyph_of
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from app.settings import Settings


@dataclass(frozen=True)
class Service:
    settings: Settings
    recognizers: dict[str, Recognizer]
    lanes: Lanes
    gate: Gate

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


def _try_out(recognizer: Recognizer, folder: str) -> None:
    paper = Image.new("L", (40, 40), "white")
    paper.paste("black", (18, 5, 22, 35))
    glyph = glyph_of(Picture.of(paper), recognizer.record.cleaning)
    probabilities = recognizer.probabilities(glyph.pixels[np.newaxis])
    if probabilities.shape != (1, len(recognizer.labels)) or abs(float(probabilities.sum()) - 1) > 1e-3:
        raise UnusableModel(f"{folder}/{MODEL_FILE} does not answer with a probability for each of its labels.")
