"""Asking a running API what it sees: the same pictures as files, over HTTP."""

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.client.client import Client
from app.client.errors import ApiError, TimedOut, Unreachable
from app.client.models import Recognized
from app.reading.glyphs import SIDE
from app.reading.recognizer import ModelRecord

Floats = npt.NDArray[np.float32]

FILES_A_CALL = 32

SECONDS = 120.0
"""A call may take as long: the API is asked by as many processes as there are cores."""


class NoAnswer(RuntimeError):
    """The API cannot be asked; the message says why."""


def check(url: str, record: ModelRecord, seconds: float = SECONDS) -> None:
    """Raise NoAnswer unless the API at `url` serves the model with this record, and says so in time."""
    with _client(url, seconds) as api:
        served = {alphabet.name: alphabet.version for alphabet in api.alphabets()}
    if served.get(record.alphabet) != record.version:
        raise NoAnswer(f"The API serves {served}, not {record.alphabet} {record.version}. Restart it.")


def ask(
    url: str, labels: Sequence[str], file: Callable[[int], bytes], indices: range, seconds: float = SECONDS
) -> tuple[Floats, Floats]:
    """What the API answers to some pictures.

    Args:
        url: of the API.
        labels: in the model's order.
        file: index -> encoded picture.
        indices: at most FILES_A_CALL.
        seconds: that the API may take for all of them.

    Returns:
        (n, 28, 28) glyphs and (n, labels) probabilities, both all zero where a picture is refused.

    Raises:
        NoAnswer
    """
    with _client(url, seconds) as api:
        results = api.predict_batch([file(index) for index in indices], glyph=True)
    glyphs = np.zeros((len(indices), SIDE, SIDE), np.float32)
    probabilities = np.zeros((len(indices), len(labels)), np.float32)
    for row, result in enumerate(results):
        if isinstance(result, Recognized):
            for label, confidence in result.confidences.items():
                probabilities[row, labels.index(label)] = confidence
            png = base64.b64decode((result.glyph or "").partition(",")[2])
            glyphs[row] = np.asarray(Image.open(io.BytesIO(png)), np.float32) / 255
    return glyphs, probabilities


@contextmanager
def _client(url: str, seconds: float) -> Iterator[Client]:
    try:
        with Client(url, connect_seconds=seconds, answer_seconds=seconds) as client:
            yield client
    except (Unreachable, TimedOut) as error:
        raise NoAnswer(f"{error} Start it with: python -m app.api") from None
    except ApiError as error:
        raise NoAnswer(str(error)) from None
