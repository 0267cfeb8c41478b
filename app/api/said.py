"""What people have said of the answers lately, as the samples tell it.

To find out, the samples of a month are looked through: that is done once in a while, and by one request at a time,
whoever asks how often.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

from app.api.models import Models
from app.client.watching import Verdicts
from app.samples.errors import Unavailable
from app.samples.keeper import Keeper
from app.settings import Settings

DAYS: Final = timedelta(days=30)
"""For which it is told."""

ANEW_AFTER: Final = 30.0
"""Seconds from one question to the next, also where the database does not answer."""


class Said:
    def __init__(
        self, keeper: Keeper | None, settings: Settings, models: Models, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._keeper = keeper
        self._settings = settings
        self._models = models
        self._now = now
        self._asking = asyncio.Lock()
        self._asked: float | None = None
        self._verdicts: dict[str, list[Verdicts]] = {}

    async def lately(self) -> dict[str, list[Verdicts]]:
        """By alphabet; nothing where there are no samples, or could not be asked for."""
        async with self._asking:
            if self._asked is None or self._now() - self._asked >= ANEW_AFTER:
                self._asked = self._now()
                self._verdicts = {}
                self._verdicts = await asyncio.to_thread(self._found)
            return self._verdicts

    def _found(self) -> dict[str, list[Verdicts]]:
        if self._keeper is None or not (self._settings.samples_server or self._settings.samples_file.exists()):
            return {}
        from app.samples.verdicts import by_day

        known = {version for _, version in self._models.known}
        found: dict[str, list[Verdicts]] = {}
        try:
            for said in by_day(self._keeper.store(), datetime.now(UTC) - DAYS, known):
                fields = asdict(said)
                found.setdefault(fields.pop("alphabet"), []).append(Verdicts(**fields))
        except Unavailable:
            return {}
        return found
