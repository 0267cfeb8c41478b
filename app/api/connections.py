"""Who is connected to this process, and which connections it waits for, of which one is closed to make room."""

from collections import defaultdict
from typing import Protocol


class Closable(Protocol):
    def close_now(self) -> None: ...


class Connections:
    """At most so many at once; each belongs to an address, and may wait for its peer or be at work.

    One too many closes another: of the address with the most connections, or else of any, the one that has waited for
    its peer the longest. So whoever opens many and lets them wait loses his own to all others, and needs no limit of
    his own, which would also be one for a proxy that speaks for everybody.
    """

    def __init__(self) -> None:
        self._open: dict[str, set[Closable]] = defaultdict(set)
        self._waiting: dict[Closable, str] = {}

    def enter(self, connection: Closable, address: str, most: int) -> bool:
        """Take a connection, which waits for its peer; False where there is no room, nor any to be made."""
        if sum(map(len, self._open.values())) >= most and not self._make_room():
            return False
        self._open[address].add(connection)
        self._waiting[connection] = address
        return True

    def wait(self, connection: Closable, address: str) -> None:
        """From now on a connection waits for its peer."""
        if connection in self._open.get(address, ()):
            self._waiting[connection] = address

    def work(self, connection: Closable) -> None:
        """From now on its peer waits for an answer."""
        self._waiting.pop(connection, None)

    def leave(self, connection: Closable, address: str) -> None:
        self._waiting.pop(connection, None)
        if address in self._open:
            self._open[address].discard(connection)
            if not self._open[address]:
                del self._open[address]

    def _make_room(self) -> bool:
        if not self._waiting:
            return False
        crowd = max(self._open, key=lambda address: len(self._open[address]))
        oldest = next((one for one, address in self._waiting.items() if address == crowd), next(iter(self._waiting)))
        self.leave(oldest, self._waiting[oldest])
        oldest.close_now()
        return True
