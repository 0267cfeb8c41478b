"""Our model and our way from picture to glyph, served by BentoML.

bentoml serve benchmarks.peers.by_bentoml:Digits
"""

from pathlib import Path
from typing import Any

import bentoml
from PIL.Image import Image

from app.reading import pipeline
from app.reading.pipeline import Reading
from app.reading.recognizer import Recognizer

MODEL = Path("app/models/digits/model.onnx")


@bentoml.service(workers=1)
class Digits:
    def __init__(self) -> None:
        self.recognizer = Recognizer(MODEL)

    @bentoml.api(route="/predict/")
    def predict(self, file: Image) -> dict[str, Any]:
        (reading,) = pipeline.read([file], self.recognizer)
        if not isinstance(reading, Reading):
            raise reading
        prediction = reading.prediction
        return {"predicted_digit": int(prediction.label), "confidence": prediction.confidence}
