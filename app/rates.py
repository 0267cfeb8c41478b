"""How often somebody may ask."""

import math
import threading
import time
from collections import OrderedDict
from typing import Final


class RateLimit:
    """So many a minute for each name, all of which may come at once (the generic cell rate algorithm).

    One number is kept for a name: when its allowance will be whole again. Safe to share between threads.
    """

    MOST_NAMES: Final = 20_000

    def __init__(self, per_minute: int) -> None:
        """
        Args:
            per_minute: for each name; 0: no limit.
        """
        self.per_minute = per_minute
        self._whole_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, count: int) -> int:
        """Take so many at once: 0, or the seconds after which they could be had, and then nothing is taken."""
        if not self.per_minute:
            return 0
        cost = min(count, self.per_minute) * 60 / self.per_minute
        with self._lock:
            now = time.monotonic()
            whole_at = max(now, self._whole_at.get(name, 0.0)) + cost
            if (wait := whole_at - now - 60) > 0:
                return math.ceil(wait)
            self._whole_at[name] = whole_at
            self._whole_at.move_to_end(name)
            while len(self._whole_at) > self.MOST_NAMES:
                self._whole_at.popitem(last=False)
        return 0
