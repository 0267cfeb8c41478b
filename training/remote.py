"""Asking a running API what it sees: the same pictures as files, over HTTP."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.client.client import Client
from app.client.errors import ApiError, TimedOut, Unreachable
from app.client.models import ReadAnswer, Recognized
from app.client.retries import NEVER
from app.reading.glyphs import SIDE
from app.reading.recognizer import ModelRecord
from training.datasets import NO_CASE

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


class Told(NamedTuple):
    """What the API answers to n pictures; of one that it refuses, zeros and no case."""

    glyphs: Floats
    """(n, 28, 28)"""
    probabilities: Floats
    """(n, labels)"""
    cases: npt.NDArray[np.int64]
    """(n,) places in the record's cases, `NO_CASE` where none is told."""


def ask(url: str, record: ModelRecord, file: Callable[[int], bytes], indices: range, seconds: float = SECONDS) -> Told:
    """What the API answers to some pictures.

    Args:
        url: of the API.
        record: of the model that answers, as `check` makes sure.
        file: index -> encoded picture.
        indices: at most FILES_A_CALL.
        seconds: that the API may take for all of them.

    Raises:
        NoAnswer
    """
    with _client(url, seconds) as api:
        results = api.predict_batch([file(index) for index in indices], record.alphabet, glyph=True)
    glyphs = np.zeros((len(indices), SIDE, SIDE), np.float32)
    probabilities = np.zeros((len(indices), len(record.labels)), np.float32)
    cases = np.full(len(indices), NO_CASE, np.int64)
    for row, result in enumerate(results):
        if isinstance(result, Recognized):
            for label, confidence in result.confidences.items():
                probabilities[row, record.labels.index(label)] = confidence
            if result.case:
                cases[row] = record.cases.index(result.case)
            png = base64.b64decode((result.glyph or "").partition(",")[2])
            glyphs[row] = np.asarray(Image.open(io.BytesIO(png)), np.float32) / 255
    return Told(glyphs, probabilities, cases)


@contextmanager
def _client(url: str, seconds: float) -> Iterator[Client]:
    try:
        with Client(url, connect_seconds=seconds, answer_seconds=seconds, retries=NEVER) as client:
            yield client
    except (Unreachable, TimedOut) as error:
        raise NoAnswer(f"{error} Start it with: python -m app.api") from None
    except ApiError as error:
        raise NoAnswer(str(error)) from None


def read(url: str, file: Callable[[int], tuple[str, bytes]], index: int) -> tuple[str, str, float, bool]:
    """What stands on a picture, what the API reads there ("" if it refuses), how confidently, and whether that is sure.

    Raises NoAnswer.
    """
    text, data = file(index)
    with _client(url, SECONDS) as api:
        answer = api.read(data)
    if isinstance(answer, ReadAnswer):
        return text, answer.text, answer.confidence, answer.sure
    return text, "", 0.0, False
