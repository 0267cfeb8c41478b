"""Recognition beside the event loop: pictures queue, a thread takes what waits together, the network sees it at once.

There are two lanes, each a queue with a thread. Small pictures, which nearly all are, take the quick one; large
pictures and batches take the other, so that nobody waits behind a photograph of 25 megapixels. Where a queue is full
the caller is told to come back: memory does not grow with the load.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from PIL import Image

from app.api import metrics
from app.api.errors import Overloaded
from app.reading import picture, pipeline
from app.reading.pipeline import Reading
from app.reading.recognizer import Recognizer

QUICK_BYTES: Final = 256 * 1024
QUICK_PIXELS: Final = 1_000_000
TOGETHER: Final = 16
"""Pictures that go through the network at once; more would let the first of them wait for little."""

PATIENCE: Final = 5.0
"""Seconds that a picture waits for its turn at most: whoever sent it has then given up, or will."""


@dataclass(frozen=True, slots=True)
class Job:
    data: bytes
    recognizer: Recognizer
    outcome: "asyncio.Future[Reading | Exception]"
    since: float = field(default_factory=time.monotonic)


class NotHere(Exception):
    """The picture is too large for this lane."""


class Lane:
    """A bounded queue and the thread that empties it. All methods but `_work` belong to the event loop's thread."""

    def __init__(self, name: str, capacity: int, max_pixels: int, larger: "Lane | None" = None) -> None:
        self._capacity = capacity
        self._max_pixels = max_pixels
        self._larger = larger
        self._waiting = 0
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gauge = metrics.WAITING.labels(name)
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def has_room(self, pictures: int) -> bool:
        return self._waiting + pictures <= self._capacity

    def put(self, job: Job) -> None:
        self._waiting += 1
        self._gauge.set(self._waiting)
        self._queue.put(job)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=2)

    def _work(self) -> None:
        while (jobs := self._take()) is not None:
            outcomes = recognize(jobs, self._max_pixels, pass_on=self._larger is not None)
            self._loop.call_soon_threadsafe(self._deliver, jobs, outcomes)

    def _take(self) -> list[Job] | None:
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

    def _deliver(self, jobs: list[Job], outcomes: list[Reading | Exception]) -> None:
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


def recognize(jobs: Sequence[Job], max_pixels: int, pass_on: bool) -> list[Reading | Exception]:
    """Each job's reading, or what went wrong with it; one network call for all that share a recognizer.

    With `pass_on` a picture of more than QUICK_PIXELS is not decoded and its outcome is NotHere.
    """
    outcomes: list[Reading | Exception] = []
    opened: dict[Recognizer, list[tuple[int, Image.Image]]] = {}
    latest = time.monotonic() - PATIENCE
    for place, job in enumerate(jobs):
        outcomes.append(Overloaded())
        if job.since < latest or job.outcome.cancelled():
            continue
        try:
            file = picture.open_file(job.data, max_pixels)
        except Exception as error:  # whatever it is, it is this picture's and no other's
            outcomes[place] = error
            continue
        if pass_on and file.width * file.height > QUICK_PIXELS:
            outcomes[place] = NotHere()
        else:
            opened.setdefault(job.recognizer, []).append((place, file))
    for recognizer, placed in opened.items():
        try:
            found = pipeline.read([file for _, file in placed], recognizer)
        except Exception as error:
            logging.getLogger(__name__).exception("The network failed.")
            found = [error] * len(placed)
        if recognized := sum(isinstance(one, Reading) for one in found):
            metrics.TOGETHER.observe(recognized)
        for (place, _), outcome in zip(placed, found, strict=True):
            outcomes[place] = outcome
    return outcomes


class Lanes:
    """Both lanes. Made and used on the event loop."""

    def __init__(self, max_waiting: int, max_pixels: int) -> None:
        self._bulk = Lane("bulk", max_waiting, max_pixels)
        self._quick = Lane("quick", max_waiting, max_pixels, larger=self._bulk)

    @property
    def alive(self) -> bool:
        return self._quick.alive and self._bulk.alive

    async def read(self, data: bytes, recognizer: Recognizer) -> Reading:
        """Recognize one picture. Raises app.reading's errors, and Overloaded where too many wait."""
        lane = self._quick if len(data) <= QUICK_BYTES else self._bulk
        outcome = await self._submit(lane, [data], recognizer)[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def read_all(self, files: Sequence[bytes], recognizer: Recognizer) -> list[Reading | Exception]:
        """Recognize several; each one's reading or error, in order. Raises Overloaded where too many wait."""
        return [await outcome for outcome in self._submit(self._bulk, files, recognizer)]

    def _submit(
        self, lane: Lane, files: Sequence[bytes], recognizer: Recognizer
    ) -> list["asyncio.Future[Reading | Exception]"]:
        if not lane.has_room(len(files)):
            raise Overloaded
        loop = asyncio.get_running_loop()
        jobs = [Job(data, recognizer, loop.create_future()) for data in files]
        for job in jobs:
            lane.put(job)
        return [job.outcome for job in jobs]

    def close(self) -> None:
        self._quick.close()
        self._bulk.close()
