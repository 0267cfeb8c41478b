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

from app.api.memory import return_large_blocks, return_the_rest
from app.api.sought import Found, Sought, Told, sought_of
from app.reading import picture
from app.reading.lines import EmptyBox
from app.reading.picture import ReadingError
from app.reading.pipeline import BlankImage
from app.reading.rows import TooMuchWriting

MEMORY = 224 * 1024 * 1024
"""Bytes for one picture: 25 million pixels in colour and transparent are 100 MB, and a decoder may need them twice."""

_ERRORS: Final[dict[str, type[ReadingError]]] = {
    kind.__name__: kind
    for kind in (
        picture.EmptyFile,
        picture.NotAPicture,
        picture.HeicPicture,
        picture.DamagedPicture,
        picture.TooManyPixels,
        picture.TooLaborious,
        TooMuchWriting,
        EmptyBox,
        BlankImage,
    )
}


class Mistake(RuntimeError):
    """One of ours, made in the worker: its traceback there."""


def packed_task(data: bytes, sought: Sought[Any], max_pixels: int) -> bytes:
    """For the worker: a file, what is sought on it, and at most how many pixels it may have."""
    return _packed({"sought": sought.told(), "max_pixels": max_pixels}, data)


def unpacked_outcome(message: bytes, sought: Sought[Found]) -> Found | ReadingError | Mistake:
    """What the worker has answered. Raises ValueError, KeyError and TypeError where that makes no sense."""
    told, rest = _unpacked(message)
    if "error" in told:
        kind = _ERRORS[told["error"]]
        error = kind.__new__(kind)
        error.args = (told["sentence"],)
        return error
    if "found" in told:
        return sought.unpacked(told["found"], rest)
    return Mistake(told["mistake"])


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
        sought: Sought[Any] = sought_of(told["sought"])
        found, rest = sought.packed(sought.on(picture.decode(data, told["max_pixels"])))
    except MemoryError:
        answer = _packed({"error": picture.TooLaborious.__name__, "sentence": str(picture.TooLaborious())})
    except ReadingError as error:
        answer = _packed({"error": type(error).__name__, "sentence": str(error)})
    except Exception:
        answer = _packed({"mistake": traceback.format_exc()})
    else:
        answer = _packed({"found": found}, rest)
    signal.alarm(0)
    return answer


def _packed(told: Told, rest: bytes = b"") -> bytes:
    return json.dumps(told).encode() + b"\n" + rest


def _unpacked(message: bytes) -> tuple[Told, bytes]:
    told, _, rest = message.partition(b"\n")
    return json.loads(told), rest


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))


if __name__ == "__main__":
    main()
