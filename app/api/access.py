"""Who may call, and how often."""

import hashlib
import hmac
from collections.abc import Sequence

from starlette.requests import Request

from app.api.errors import MissingKey, TooManyRequests, WrongKey
from app.callers import LOCAL, caller
from app.rates import RateLimit
from app.settings import Settings


class Gate:
    """Checks rates and keys. Addresses first, so that keys cannot be guessed at speed."""

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys([key.get_secret_value() for key in settings.api_keys])
        self._admins = Keys([key.get_secret_value() for key in settings.admin_keys])
        self._trusted_proxies = settings.trusted_proxies
        self._addresses = RateLimit(settings.rate_per_address)
        self._holders = RateLimit(settings.rate_per_key)

    def admit(self, request: Request, pictures: int = 1) -> None:
        """Let a request pass that asks for so many pictures. Raises MissingKey, WrongKey, TooManyRequests.

        The page's own process, on this machine, is counted nowhere: it speaks for all who draw.
        """
        address = request.scope["state"]["caller"] = caller(request, self._trusted_proxies)
        if address != LOCAL:
            _take(self._addresses, address, pictures)
        holder = self._keys.holder(request)
        if holder is not None and address != LOCAL:
            _take(self._holders, holder, pictures)

    def admit_admin(self, request: Request) -> None:
        """Let a request pass that comes with an admin's key.

        Raises MissingKey, WrongKey, TooManyRequests.
        """
        address = request.scope["state"]["caller"] = caller(request, self._trusted_proxies)
        if address != LOCAL:
            _take(self._addresses, address, 1)
        self._admins.holder(request)


def _take(limit: RateLimit, name: str, pictures: int) -> None:
    if seconds := limit.take(name, pictures):
        raise TooManyRequests(limit.per_minute, seconds)


class Keys:
    """API keys, compared in a time that tells nothing of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def holder(self, request: Request) -> str | None:
        """Which key was presented, or None where none is needed. Raises MissingKey, WrongKey."""
        if not self._digests:
            return None
        presented = request.headers.get("x-api-key")
        if presented is not None:
            presented = presented.strip()
        else:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            presented = token.strip() if scheme.lower() == "bearer" else None
        if not presented:
            raise MissingKey
        digest = hashlib.sha256(presented.encode()).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches):
            raise WrongKey
        return str(matches.index(True))
