"""Our model and our way from picture to glyph, served by BentoML.

bentoml serve benchmarks.peers.by_bentoml:Digits
"""

from pathlib import Path
from typing import Any

import bentoml
from PIL.Image import Image

from app.reading.glyphs import to_glyph
from app.reading.ink import decode_picture, lift
from app.reading.recognizer import Recognizer

MODEL = Path("app/models/digits.onnx")


@bentoml.service(workers=1)
class Digits:
    def __init__(self) -> None:
        self.recognizer = Recognizer(MODEL)

    @bentoml.api(route="/predict/")
    def predict(self, file: Image) -> dict[str, Any]:
        prediction = self.recognizer.predict([to_glyph(lift(decode_picture(file)))])[0]
        return {"predicted_digit": int(prediction.label), "confidence": prediction.confidence}
