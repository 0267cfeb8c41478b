"""Answers by a server: several calls at once, each with several pictures, and their answers in order."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import Final

from app.cli.answering import Answerer, CannotAnswer, What, line_of
from app.cli.items import Item, Unreadable
from app.client.calls import PART_BYTES
from app.client.client import Client
from app.client.errors import ApiError
from app.client.models import Failed
from app.client.retries import Retries

FILES: Final = 16
"""Pictures that are loaded for a call at most; of large ones, the client makes several calls."""

ANSWER_SECONDS: Final = 60.0

PATIENTLY: Final = Retries(times=1000, patience=600.0)
"""A server that has too much to do, or allows so many pictures a minute, is waited for."""

AHEAD: Final = 4
"""Calls, for each that is made at once, that may be waiting or done before the one that comes first."""

_Loaded = tuple[Item, bytes | Failed]


class Remote:
    """Asks by so many calls at once."""

    def __init__(self, url: str, key: str | None, what: What, alphabet: str | None, jobs: int) -> None:
        """Asks the server for its alphabets. Raises CannotAnswer."""
        self._what, self._jobs = what, jobs
        try:
            with Client(url, key) as client:
                known = client.alphabets()
        except ApiError as error:
            raise CannotAnswer(str(error)) from None
        chosen = next((one for one in known if alphabet in (None, one.name)), None)
        if chosen is None:
            there_are = ", ".join(one.name for one in known) or "none"
            raise CannotAnswer(f"The server has no alphabet {alphabet}. There are: {there_are}.")
        if what == "read" and not chosen.lines:
            raise CannotAnswer(f"The server reads single characters of the alphabet {chosen.name}, and no lines.")
        self._client = Client(url, key, answer_seconds=ANSWER_SECONDS, retries=PATIENTLY)
        self.answerer = Answerer(chosen.name, chosen.version, chosen.labels)

    def close(self) -> None:
        self._client.close()

    def answers(self, items: Iterable[Item]) -> Iterator[list[bytes]]:
        """A line for each picture, in order. Raises CannotAnswer."""
        waiting: deque[AsyncResult[list[bytes]]] = deque()
        pool = ThreadPool(self._jobs)  # of daemons: an end need not wait for them
        try:
            for lot in _lots(items):
                waiting.append(pool.apply_async(self._lines, (lot,)))
                if len(waiting) >= AHEAD * self._jobs:
                    yield waiting.popleft().get()
            while waiting:
                yield waiting.popleft().get()
        except ApiError as error:
            raise CannotAnswer(str(error)) from None
        finally:
            pool.terminate()

    def _lines(self, lot: Sequence[_Loaded]) -> list[bytes]:
        several = self._client.predict_batch if self._what == "predict" else self._client.read_batch
        told = iter(several([data for _, data in lot if isinstance(data, bytes)], self.answerer.alphabet))
        answers = [(item.name, data if isinstance(data, Failed) else next(told)) for item, data in lot]
        return [line_of(name, one.model_dump(exclude_unset=True, exclude={"request_id"})) for name, one in answers]


def _lots(items: Iterable[Item]) -> Iterator[list[_Loaded]]:
    """Pictures for a call each, or why there is none to send."""
    lot: list[_Loaded] = []
    held = 0
    for item in items:
        data: bytes | Failed
        try:
            data = item.load()
        except Unreadable as error:
            data = Failed(error=str(error), code="unreadable_file")
        size = len(data) if isinstance(data, bytes) else 0
        if lot and (len(lot) == FILES or held + size > PART_BYTES):
            yield lot
            lot, held = [], 0
        lot.append((item, data))
        held += size
    if lot:
        yield lot
