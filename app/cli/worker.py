"""One of the processes that read pictures, `python -m app.cli.worker`, started by `app.cli.local`.

A picture that takes too long ends it; who started it then knows which one that was.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from app import answers
from app.cli.answering import Answerer, CannotAnswer, Question, line_of
from app.cli.items import Item, Unreadable
from app.client.models import Failed
from app.reading import picture, pipeline
from app.reading.glyphs import Glyph
from app.reading.lines import Page
from app.reading.picture import Picture, ReadingError
from app.reading.pipeline import BlankImage, Reading
from app.reading.reader import LINES_FILE, LineReader
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel

PICTURE_SECONDS: Final = 20
"""That a picture may take; one of 120 megapixels takes three."""

NETWORK_SECONDS: Final = 120
"""That the network may take for some pictures."""


Given = TypeVar("Given")
Made = TypeVar("Made")


class Reader:
    """Answers of one process."""

    def __init__(self, question: Question) -> None:
        """Raises CannotAnswer."""
        folder = question.models / question.alphabet
        if not (folder / MODEL_FILE).is_file():
            known = ", ".join(sorted(file.parent.name for file in question.models.glob(f"*/{MODEL_FILE}"))) or "none"
            raise CannotAnswer(f"There is no alphabet {question.alphabet}. There are: {known}.")
        if question.what == "read" and not (folder / LINES_FILE).is_file():
            raise CannotAnswer(f"Lines of the alphabet {question.alphabet} cannot be read, only single characters.")
        try:
            self._recognizer = Recognizer(folder / MODEL_FILE)
            self._lines = LineReader(self._recognizer, folder / LINES_FILE) if question.what == "read" else None
        except UnusableModel as error:
            raise CannotAnswer(str(error)) from None
        self._max_pixels = question.max_pixels

    @property
    def answerer(self) -> Answerer:
        record = self._recognizer.record
        return Answerer(record.alphabet, record.version, record.labels)

    def lines(self, items: Sequence[Item]) -> list[bytes]:
        """A line for each picture, in order. They take each step together: that is faster by an eighth."""
        seen = [self._tried(self._decoded, item) for item in items]
        found = [one if isinstance(one, Failed) else self._tried(self._sought, one) for one in seen]
        signal.alarm(NETWORK_SECONDS)
        told = self._told([one for one in found if not isinstance(one, Failed)])
        signal.alarm(0)
        return [
            line_of(item.name, one.model_dump() if isinstance(one, Failed) else next(told))
            for item, one in zip(items, found, strict=True)
        ]

    def _decoded(self, item: Item) -> Picture:
        return picture.decode(item.load(), self._max_pixels)

    def _sought(self, seen: Picture) -> Glyph | Page:
        if self._lines:
            return pipeline.page_of(seen)
        return pipeline.glyph_of(seen, self._recognizer.record.cleaning)

    def _tried(self, step: Callable[[Given], Made], given: Given) -> Made | Failed:
        """What a step makes of a picture, or why that is nothing."""
        signal.alarm(PICTURE_SECONDS)  # kills: nothing else ends a decoder
        try:
            return step(given)
        except Unreadable as error:
            return Failed(error=str(error), code="unreadable_file")
        except BlankImage:
            return answers.failed(BlankImage(self._recognizer.record.character))
        except ReadingError as error:
            return answers.failed(error)
        except MemoryError:
            return answers.failed(picture.TooLaborious())
        except Exception as error:  # ours, and of this picture: the others can be read
            return Failed(error=f"Reading it went wrong on our side ({type(error).__name__}).", code="internal_error")

    def _told(self, found: list[Any]) -> Iterator[dict[str, Any]]:
        record = self._recognizer.record
        if self._lines:
            return (answers.read(record, text) for text in self._lines.read(found))
        readings = map(Reading, self._recognizer.predict(found), found)
        return (answers.recognized(record, reading) for reading in readings)


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # sent to all; who started this one ends it
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody is there any more
        try:
            reader = Reader(connection.recv())
        except CannotAnswer as error:
            connection.send(error)
            return
        connection.send(reader.answerer)
        waiting: SimpleQueue[list[Item]] = SimpleQueue()
        Thread(target=_receive, args=(connection, waiting), daemon=True).start()
        while items := waiting.get():
            connection.send(reader.lines(items))


def _receive(connection: Connection, waiting: "SimpleQueue[list[Item]]") -> None:
    """What comes is taken at once: were both sides to send, each would wait for the other."""
    with suppress(EOFError, OSError):
        while True:
            waiting.put(connection.recv())
    os.kill(os.getpid(), signal.SIGKILL)  # in the middle of a picture, too


if __name__ == "__main__":
    main()
