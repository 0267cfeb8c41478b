"""Our model and our way from picture to glyph, served by LitServe.

python -m benchmarks.peers.by_litserve PORT
"""

import sys
from pathlib import Path
from typing import Any

import litserve
from fastapi import Request

from app.reading.glyphs import Glyph
from app.reading.picture import decode
from app.reading.pipeline import glyph_of
from app.reading.recognizer import Prediction, Recognizer

MODEL = Path("app/models/digits/model.onnx")


class Digits(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.recognizer = Recognizer(MODEL)

    def decode_request(self, request: Request) -> Glyph:
        form: Any = request  # LitServe has parsed it
        return glyph_of(decode(form["file"].file.read()))

    def predict(self, glyph: Glyph) -> Prediction:
        return self.recognizer.predict([glyph])[0]

    def encode_response(self, prediction: Prediction) -> dict[str, Any]:
        return {"predicted_digit": int(prediction.label), "confidence": prediction.confidence}


if __name__ == "__main__":
    server = litserve.LitServer(Digits(api_path="/predict/"), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="warning")
