"""Asking a running API what it sees: the same pictures as files, over HTTP."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import requests
from PIL import Image

from app.reading.glyphs import SIDE
from app.reading.recognizer import ModelRecord

Floats = npt.NDArray[np.float32]

FILES_A_CALL = 32


class NoAnswer(RuntimeError):
    """The API cannot be asked; the message says why."""


def check(url: str, record: ModelRecord) -> None:
    """Raise NoAnswer unless the API at `url` serves the model with this record."""
    alphabets = _json(lambda: requests.get(f"{url}/alphabets/", timeout=30))["alphabets"]
    served = {entry["name"]: entry["version"] for entry in alphabets}
    if served.get(record.alphabet) != record.version:
        raise NoAnswer(f"The API serves {served}, not {record.alphabet} {record.version}. Restart it.")


def ask(url: str, labels: Sequence[str], file: Callable[[int], bytes], indices: range) -> tuple[Floats, Floats]:
    """What the API answers to some pictures.

    Args:
        url: of the API.
        labels: in the model's order.
        file: index -> encoded picture.

    Returns:
        (n, 28, 28) glyphs and (n, labels) probabilities, both all zero where a picture is refused.

    Raises:
        NoAnswer
    """
    files = [("files", (f"{index}.png", file(index))) for index in indices]
    answer = _json(lambda: requests.post(f"{url}/predict/batch/?glyph=true", files=files, timeout=120))
    glyphs = np.zeros((len(indices), SIDE, SIDE), np.float32)
    probabilities = np.zeros((len(indices), len(labels)), np.float32)
    for row, result in enumerate(answer["results"]):
        if "error" not in result:
            for one in [result, *result["alternatives"]]:
                probabilities[row, labels.index(one["label"])] = one["confidence"]
            png = base64.b64decode(result["glyph"].partition(",")[2])
            glyphs[row] = np.asarray(Image.open(io.BytesIO(png)), np.float32) / 255
    return glyphs, probabilities


def _json(call: Callable[[], requests.Response]) -> dict[str, Any]:
    try:
        answer = call()
        content: dict[str, Any] = answer.json()
    except requests.RequestException as error:
        raise NoAnswer(f"The API does not answer ({type(error).__name__}). Start it with: python -m app.api") from None
    if answer.status_code != 200:
        raise NoAnswer(f"The API answers {answer.status_code}: {content.get('error', 'no reason given')}")
    return content
