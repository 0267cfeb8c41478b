"""The process that decodes what strangers send, `python -m app.api.worker`, started by `app.api.decoder`.

A decoder in C that goes astray cannot be stopped from within the process. This one has no secrets, little memory and a
deadline, and may be killed at any time.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.api.memory import return_large_blocks, return_the_rest
from app.reading import picture
from app.reading.glyphs import SIDE, Cleaning, Glyph
from app.reading.picture import ReadingError
from app.reading.pipeline import BlankImage, glyph_of

MEMORY = 224 * 1024 * 1024
"""Bytes for one picture: 25 million pixels in colour and transparent are 100 MB, and a decoder may need them twice."""

Outcome = Glyph | ReadingError | str
"""A glyph, what is wrong with the picture, or a mistake of ours."""

_ERRORS: Final[dict[str, type[ReadingError]]] = {
    kind.__name__: kind
    for kind in (
        picture.EmptyFile,
        picture.NotAPicture,
        picture.HeicPicture,
        picture.DamagedPicture,
        picture.TooManyPixels,
        picture.TooLaborious,
        BlankImage,
    )
}


def packed_task(data: bytes, cleaning: Cleaning, max_pixels: int) -> bytes:
    """For the worker: a file, how its glyph is cleaned, and at most how many pixels it may have."""
    return _packed({"cleaning": cleaning.model_dump(), "max_pixels": max_pixels}, data)


def unpacked_outcome(message: bytes) -> Outcome:
    """What the worker has answered. Raises ValueError, KeyError and TypeError where that makes no sense."""
    told, rest = _unpacked(message)
    if "error" in told:
        kind = _ERRORS[told["error"]]
        error = kind.__new__(kind)
        error.args = (told["sentence"],)
        return error
    if "box" in told:
        left, top, right, bottom = told["box"]
        pixels, *others = np.frombuffer(rest, np.float32).reshape(-1, SIDE, SIDE)
        return Glyph(pixels, (left, top, right, bottom), told["scale"], tuple(others), told["cut"])
    mistake: str = told["mistake"]
    return mistake


def main() -> None:
    parent, seconds = Connection(int(sys.argv[1])), int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to all; the parent ends this one, when it has no more pictures
    return_large_blocks()
    _limit()
    parent.send_bytes(b"")  # ready
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent is gone
        while True:
            parent.send_bytes(_answer(parent.recv_bytes(), seconds))
            return_the_rest()


def _answer(task: bytes, seconds: int) -> bytes:
    signal.alarm(seconds)  # kills, should nobody be there to do so
    told, data = _unpacked(task)
    try:
        glyph = glyph_of(picture.decode(data, told["max_pixels"]), Cleaning(**told["cleaning"]))
    except MemoryError:
        answer = _packed({"error": picture.TooLaborious.__name__, "sentence": str(picture.TooLaborious())})
    except ReadingError as error:
        answer = _packed({"error": type(error).__name__, "sentence": str(error)})
    except Exception:
        answer = _packed({"mistake": traceback.format_exc()})
    else:
        answer = _packed_glyph(glyph)
    signal.alarm(0)
    return answer


def _packed_glyph(glyph: Glyph) -> bytes:
    told = {"box": glyph.box, "scale": glyph.scale, "cut": glyph.cut}
    return _packed(told, np.stack((glyph.pixels, *glyph.others)).tobytes())


def _packed(told: dict[str, Any], rest: bytes = b"") -> bytes:
    return json.dumps(told).encode() + b"\n" + rest


def _unpacked(message: bytes) -> tuple[dict[str, Any], bytes]:
    told, _, rest = message.partition(b"\n")
    return json.loads(told), rest


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))


if __name__ == "__main__":
    main()
