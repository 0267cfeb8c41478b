"""Models that a bucket says are to be served, taken up while an API process runs.

The process starts with the models that it came with, and waits for no bucket; from then on it looks every now and then.
"""

import asyncio
import logging
import random
from typing import Final

from app.api import metrics
from app.api.models import REFUSED, Models
from app.models.bucket import BucketError, bucket_at
from app.models.releases import BrokenRelease, State, current, fetched
from app.reading.loading import Served

log = logging.getLogger(__name__)

AWAY: Final = "The models' bucket was not reached: what is served goes on."
"""What the log says then, at each look; an alarm in the cloud listens for it."""


class Released:
    """Has `models` serve what a bucket's `current.json` names, in place of what lies in their own folder."""

    def __init__(self, address: str, models: Models) -> None:
        self._bucket, self._models = bucket_at(address), models
        self._known = ""
        self._seen: dict[str, State] = {}
        """What was said of each alphabet when something was last done about it."""

    async def watch(self, seconds: float) -> None:
        """Look at once, and then again for ever, after `seconds` at most: not all processes at the same time."""
        while True:
            async with self._models.alone:
                self._models.exchange(await asyncio.to_thread(self._fresh))
            await asyncio.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 - no secret

    def _fresh(self) -> dict[str, Served]:
        """What is to be served in place of what is. Takes as long as a download, in any thread."""
        found: dict[str, Served] = {}
        try:
            if said := current(self._bucket, self._known):
                states, etag = said
                for alphabet, state in states.items():
                    if state != self._seen.get(alphabet) and (served := self._successor(alphabet, state)):
                        found[alphabet] = served
                    self._seen[alphabet] = state
                self._known = etag or ""  # not before, so that what could not be fetched is tried again
        except BrokenRelease as error:
            metrics.MODEL_FILES.labels("", "refused").inc()
            log.error(REFUSED, extra={"fields": {"reason": str(error)}})
        except (BucketError, OSError) as error:
            metrics.MODEL_FILES.labels("", "not reached").inc()
            log.error(AWAY, extra={"fields": {"reason": str(error)}})
        return found

    def _successor(self, alphabet: str, state: State) -> Served | None:
        """Raises BucketError where it cannot be fetched."""
        release, elsewhere = state.release, self._models.elsewhere
        if release is None:
            if alphabet not in elsewhere:
                return None
            served = self._models.successor(alphabet, lambda: self._models.own(alphabet))
        else:
            served = self._models.successor(alphabet, lambda: fetched(self._bucket, release, alphabet))
        if served:
            (elsewhere.add if release else elsewhere.discard)(alphabet)
        return served
