"""What one API process holds: the recognizers by alphabet, the workers, the gate."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from starlette.requests import HTTPConnection

from app.api.access import Gate
from app.api.errors import UnknownAlphabet
from app.api.work import Workers
from app.reading.glyphs import to_glyph
from app.reading.recognizer import Recognizer, UnusableModel
from app.settings import Settings


@dataclass(frozen=True)
class Service:
    settings: Settings
    recognizers: dict[str, Recognizer]
    workers: Workers
    gate: Gate

    def recognizer(self, alphabet: str | None) -> Recognizer:
        """Raises UnknownAlphabet."""
        name = alphabet or self.settings.default_alphabet
        try:
            return self.recognizers[name]
        except KeyError:
            known = ", ".join(sorted(self.recognizers))
            raise UnknownAlphabet(f"There is no such alphabet. There are: {known}.") from None


def service_of(request: HTTPConnection) -> Service:
    service: Service = request.app.state.service
    return service


def load_recognizers(settings: Settings) -> dict[str, Recognizer]:
    """All model files of the models' folder, by their alphabets' names; each has answered a real glyph.

    Raises UnusableModel, also where the default alphabet is not among them.
    """
    files = {*settings.models_dir.glob("*.onnx"), settings.models_dir / f"{settings.default_alphabet}.onnx"}
    recognizers = {}
    for file in sorted(files):
        recognizer = Recognizer(file)
        _try_out(recognizer, file)
        recognizers[recognizer.record.alphabet] = recognizer
    if settings.default_alphabet not in recognizers:
        raise UnusableModel(f"No model is of the default alphabet, {settings.default_alphabet}.")
    return recognizers


def _try_out(recognizer: Recognizer, file: Path) -> None:
    stroke = np.zeros((40, 40), np.float32)
    stroke[5:35, 18:22] = 1
    probabilities = recognizer.probabilities(to_glyph(stroke)[np.newaxis])
    if probabilities.shape != (1, len(recognizer.labels)) or abs(float(probabilities.sum()) - 1) > 1e-3:
        raise UnusableModel(f"{file.name} does not answer with a probability for each of its labels.")
