"""Answers by a server: several calls at once, each with several pictures, and their answers in order."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from app.cli.answering import Answerer, CannotAnswer, What, line_of
from app.cli.items import Item, Unreadable
from app.client.client import Client
from app.client.errors import ApiError
from app.client.models import Failed, Read, Recognized

FILES: Final = 16
"""Pictures in a call at most."""

BYTES: Final = 8 * 1024 * 1024
"""Of all pictures in a call, if there are several: servers take 10 MB unless they are told otherwise."""

AHEAD: Final = 4
"""Calls, for each that is made at once, that may be waiting or done before the one that comes first."""

_Loaded = tuple[Item, bytes | Failed]


class Remote:
    """Asks by so many calls at once."""

    def __init__(self, client: Client, what: What, alphabet: str | None, jobs: int) -> None:
        """Asks the server for its alphabets. Raises CannotAnswer."""
        self._client, self._what, self._jobs = client, what, jobs
        try:
            known = client.alphabets()
        except ApiError as error:
            raise CannotAnswer(str(error)) from None
        chosen = next((one for one in known if alphabet in (None, one.name)), None)
        if chosen is None:
            there_are = ", ".join(one.name for one in known) or "none"
            raise CannotAnswer(f"The server has no alphabet {alphabet}. There are: {there_are}.")
        if what == "read" and not chosen.lines:
            raise CannotAnswer(f"The server reads single characters of the alphabet {chosen.name}, and no lines.")
        self.answerer = Answerer(chosen.name, chosen.version, chosen.labels)

    def close(self) -> None:
        self._client.__exit__(None, None, None)

    def answers(self, items: Iterable[Item]) -> Iterator[list[bytes]]:
        """A line for each picture, in order. Raises CannotAnswer."""
        waiting: deque[Future[list[bytes]]] = deque()
        pool = ThreadPoolExecutor(self._jobs)
        try:
            for lot in _lots(items):
                waiting.append(pool.submit(self._lines, lot))
                if len(waiting) >= AHEAD * self._jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except ApiError as error:
            raise CannotAnswer(str(error)) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _lines(self, lot: Sequence[_Loaded]) -> list[bytes]:
        told = iter(self._told([data for _, data in lot if isinstance(data, bytes)]))
        answers = [(item.name, data if isinstance(data, Failed) else next(told)) for item, data in lot]
        return [line_of(name, one.model_dump(exclude_unset=True, exclude={"request_id"})) for name, one in answers]

    def _told(self, pictures: list[bytes]) -> Sequence[Recognized | Read | Failed]:
        """Each one's answer."""
        if not pictures:
            return []
        alphabet = self.answerer.alphabet
        if len(pictures) > 1:
            several = self._client.predict_batch if self._what == "predict" else self._client.read_batch
            return several(pictures, alphabet)
        return [(self._client.predict if self._what == "predict" else self._client.read)(pictures[0], alphabet)]


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
        if lot and (len(lot) == FILES or held + size > BYTES):
            yield lot
            lot, held = [], 0
        lot.append((item, data))
        held += size
    if lot:
        yield lot
