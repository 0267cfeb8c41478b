"""When a call that has failed is made again, and after how long."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from app.client.errors import ApiError, Later, NotReached, Unreachable


@dataclass(frozen=True, slots=True)
class Retries:
    """How often at most, and how patiently: waiting grows from `first` seconds to `most`, by chance a bit more or less,
    so that not all callers come back at once. An API that says how long to wait is obeyed. Where all waiting together
    would take longer than `patience`, the failure is told instead.
    """

    times: int = 4
    first: float = 0.25
    most: float = 8.0
    patience: float = 60.0

    def waits(self) -> "Waits":
        """Of one call."""
        return Waits(self)


NEVER: Final = Retries(times=0)


class Waits:
    def __init__(self, how: Retries) -> None:
        self._how = how
        self._times = 0
        self._waited = 0.0

    def after(self, error: ApiError, harmless: bool) -> float:
        """Seconds until the call is to be made again. Raises the error where it is not.

        Args:
            error: why there was no answer. Where the API has not done what it was asked for, because it says so or was
                never reached, anything may be asked again; where the connection broke on the way, nobody knows.
            harmless: whether to do it twice is as good as once.
        """
        again = isinstance(error, Later | NotReached) or (harmless and isinstance(error, Unreachable))
        grown = min(self._how.most, self._how.first * 2**self._times)
        seconds = random.uniform(grown / 2, grown)  # noqa: S311 - no secret
        if isinstance(error, Later) and error.retry_after is not None:
            seconds += error.retry_after
        self._times += 1
        self._waited += seconds
        if not again or self._times > self._how.times or self._waited > self._how.patience:
            raise error
        return seconds


def seconds_in(retry_after: str, now: datetime | None = None) -> float | None:
    """What a header Retry-After says: seconds, or a time; None where it says nothing."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):
        return None
