"""Recognition beside the event loop: pictures queue, a thread takes what waits together, the network sees it at once.

There are two lanes, each a queue with a thread. Small pictures, which nearly all are, take the quick one; large
pictures, TIFFs, AVIFs, batches and pages of lines take the other, so that nobody waits behind a scan of a hundred
megapixels. Nothing can interrupt a thread: in theirs they decode only what is cheap whatever is in it, the bulk lane
has a process for the rest, which is ended when it takes too long. Where a queue is full the caller is told to come
back: memory does not grow with the load. Nobody waits longer than an answer is worth.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Generic, Protocol, TypeVar

from app.api import metrics
from app.api.decoder import Decoder, WorkerFailed
from app.api.errors import Overloaded
from app.api.sought import Found, OneGlyph, Sought, WholePage
from app.reading import heif, picture, tiff
from app.reading.picture import Box
from app.reading.pipeline import BlankImage, Reading
from app.reading.reader import LineReader
from app.reading.recognizer import Recognizer
from app.reading.text import Text

QUICK_BYTES: Final = 256 * 1024
QUICK_PIXELS: Final = 1_000_000
QUICK_PACKED: Final = 4
"""Packed texts in a PNG, each of which may be a megabyte; Pillow unpacks them all."""
TOGETHER: Final = 16
"""Pictures that go through the network at once; more would let the first of them wait for little."""

PATIENCE: Final = 5.0
"""Seconds that a picture waits for its turn at most: whoever sent it has then given up, or will."""

TAKE_SECONDS: Final = 12.0
"""After which no further picture of those taken together is begun: whatever they are, others wait."""

ANSWER_SECONDS: Final = 30.0
"""After which a caller is told to come back, whatever has become of the picture."""

STUCK_SECONDS: Final = 20.0
"""On one picture, after which a lane counts as stuck; the largest ordinary one takes a few on half a processor."""

Answer = TypeVar("Answer", Reading, Text)


class Decode(Protocol):
    def __call__(self, data: bytes, sought: Sought[Found], /) -> Found:
        """From a file to what is sought on it; raises whatever is wrong with it."""


def _outcome() -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Job(Generic[Answer]):
    """A file, and what to find on it: a glyph for the recognizer, or, where there is one, a page for the line reader.

    Made on the event loop.
    """

    data: bytes
    sought: Sought[Any]
    recognizer: Recognizer
    line_reader: LineReader | None = None
    outcome: "asyncio.Future[Answer | Exception]" = field(default_factory=_outcome)
    since: float = field(default_factory=time.monotonic)


class NotHere(Exception):
    """The picture is too much for this lane."""


class Lane:
    """A bounded queue and the thread that empties it. All methods but `_work` belong to the event loop's thread."""

    def __init__(self, name: str, capacity: int, decode: Decode, larger: "Lane | None" = None) -> None:
        self._capacity = capacity
        self._decode = decode
        self._larger = larger
        self._busy_since: float | None = None
        self._waiting = 0
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._gauge = metrics.WAITING.labels(name)
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread lives, and gets on: one that is stuck in a picture lives too."""
        since = self._busy_since
        stuck = since is not None and time.monotonic() - since > STUCK_SECONDS
        return self._thread.is_alive() and not stuck

    def has_room(self, pictures: int) -> bool:
        return self._waiting + pictures <= self._capacity

    def put(self, job: Job[Any]) -> None:
        self._waiting += 1
        self._gauge.set(self._waiting)
        self._queue.put(job)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=2)

    def _work(self) -> None:
        while (jobs := self._take()) is not None:
            outcomes = recognize(jobs, self._timed)
            self._busy_since = None
            self._loop.call_soon_threadsafe(self._deliver, jobs, outcomes)

    def _timed(self, data: bytes, sought: Sought[Found]) -> Found:
        self._busy_since = time.monotonic()
        return self._decode(data, sought)

    def _take(self) -> list[Job[Any]] | None:
        """What waits, at least one; None when the lane is closed."""
        jobs = []
        job = self._queue.get()
        try:
            while job is not None:
                jobs.append(job)
                if len(jobs) == TOGETHER:
                    break
                job = self._queue.get_nowait()
        except Empty:
            pass
        if job is None and jobs:
            self._queue.put(None)
        return jobs or None

    def _deliver(self, jobs: list[Job[Any]], outcomes: list[Reading | Text | Exception]) -> None:
        self._waiting -= len(jobs)
        self._gauge.set(self._waiting)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, NotHere) and self._larger is not None:
                if self._larger.has_room(1):
                    self._larger.put(job)
                    continue
                outcome = Overloaded()
            if not job.outcome.done():
                job.outcome.set_result(outcome)


def recognize(jobs: Sequence[Job[Any]], decode: Decode) -> list[Reading | Text | Exception]:
    """Each job's answer, or what went wrong with it; one network call for all that ask the same network."""
    outcomes: list[Reading | Text | Exception] = []
    found: dict[Recognizer | LineReader, list[tuple[int, Any]]] = {}
    start = time.monotonic()
    for place, job in enumerate(jobs):
        outcomes.append(Overloaded())
        late = job.since < start - PATIENCE or time.monotonic() > start + TAKE_SECONDS
        if late or job.outcome.cancelled():
            continue
        try:
            one = decode(job.data, job.sought)
        except BlankImage:
            outcomes[place] = BlankImage(job.recognizer.record.character)
        except WorkerFailed:
            logging.getLogger(__name__).exception("A picture was not decoded.")
        except Exception as error:  # whatever it is, it is this picture's and no other's
            outcomes[place] = error
        else:
            found.setdefault(job.line_reader or job.recognizer, []).append((place, one))
    for network, placed in found.items():
        try:
            answers = _answers(network, [one for _, one in placed])
        except Exception as error:
            logging.getLogger(__name__).exception("The network failed.")
            for place, _ in placed:
                outcomes[place] = error
            continue
        metrics.TOGETHER.observe(len(placed))
        for (place, _), answer in zip(placed, answers, strict=True):
            outcomes[place] = answer
    return outcomes


def _answers(network: Recognizer | LineReader, found: list[Any]) -> Sequence[Reading | Text]:
    """Of glyphs or of pages, in order."""
    if isinstance(network, LineReader):
        return network.read(found)
    return [Reading(prediction, glyph) for prediction, glyph in zip(network.predict(found), found, strict=True)]


def decode_small(data: bytes, sought: Sought[Found], max_pixels: int = picture.MAX_PIXELS) -> Found:
    """What is sought on a picture; raises NotHere where decoding it, or finding that, may take long."""
    if not sought.cheap:
        raise NotHere
    packed = sum(data.count(chunk) for chunk in (b"zTXt", b"iTXt"))
    if len(data) > QUICK_BYTES or tiff.is_tiff(data) or heif.is_avif(data) or packed > QUICK_PACKED:
        raise NotHere
    file = picture.open_file(data, max_pixels)
    if file.width * file.height > QUICK_PIXELS:
        raise NotHere
    return sought.on(picture.load(file))


class Lanes:
    """Both lanes. Made and used on the event loop."""

    def __init__(self, max_waiting: int, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._decoder = Decoder(max_pixels)
        self._bulk = Lane("bulk", max_waiting, self._decode_any)
        self._quick = Lane("quick", max_waiting, self._decode_small, larger=self._bulk)

    def _decode_small(self, data: bytes, sought: Sought[Found]) -> Found:
        return decode_small(data, sought, self._max_pixels)

    def _decode_any(self, data: bytes, sought: Sought[Found]) -> Found:
        with suppress(NotHere):  # and forgotten: an error raised while it is handled would hold the file for it
            return decode_small(data, sought, self._max_pixels)
        return self._decoder.find(data, sought)

    @property
    def alive(self) -> bool:
        return self._quick.alive and self._bulk.alive

    async def read(self, data: bytes, recognizer: Recognizer) -> Reading:
        """Recognize one picture. Raises app.reading's errors, and Overloaded where too many wait or it takes long."""
        job: Job[Reading] = Job(data, OneGlyph(recognizer.record.cleaning), recognizer)
        return await self._one(self._quick if len(data) <= QUICK_BYTES else self._bulk, job)

    async def read_all(self, files: Sequence[bytes], recognizer: Recognizer) -> list[Reading | Exception]:
        """Recognize several; each one's reading or error, in order. Raises Overloaded where too many wait."""
        sought = OneGlyph(recognizer.record.cleaning)
        jobs: list[Job[Reading]] = [Job(data, sought, recognizer) for data in files]
        return await self._submit(self._bulk, jobs)

    async def read_page(
        self, data: bytes, recognizer: Recognizer, line_reader: LineReader, boxes: tuple[Box, ...] = ()
    ) -> Text:
        """As `read`, the lines on one picture; where there are boxes, the character in each."""
        job: Job[Text] = Job(data, WholePage(boxes), recognizer, line_reader)
        return await self._one(self._bulk, job)

    async def read_all_pages(
        self, files: Sequence[bytes], recognizer: Recognizer, line_reader: LineReader
    ) -> list[Text | Exception]:
        """As `read_all`, the lines on each."""
        jobs: list[Job[Text]] = [Job(data, WholePage(), recognizer, line_reader) for data in files]
        return await self._submit(self._bulk, jobs)

    async def _one(self, lane: Lane, job: Job[Answer]) -> Answer:
        (outcome,) = await self._submit(lane, [job])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _submit(self, lane: Lane, jobs: Sequence[Job[Answer]]) -> list[Answer | Exception]:
        if not lane.has_room(len(jobs)):
            raise Overloaded
        for job in jobs:
            lane.put(job)
        return await _in_time([job.outcome for job in jobs])

    def close(self) -> None:
        self._quick.close()
        self._bulk.close()
        self._decoder.close()


async def _in_time(outcomes: Sequence["asyncio.Future[Answer | Exception]"]) -> list[Answer | Exception]:
    """All of them; Overloaded in the place of each that is not there when answers are due."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            for outcome in outcomes:
                await outcome
    except TimeoutError:
        pass
    finally:  # also where the caller is gone
        for outcome in outcomes:
            outcome.cancel()
    return [Overloaded() if outcome.cancelled() else outcome.result() for outcome in outcomes]
