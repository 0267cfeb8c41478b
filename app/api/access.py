"""Who may call, and how often."""

import hashlib
import hmac
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from app.api.errors import MissingKey, TooManyRequests, WrongKey
from app.settings import Settings

LOCAL: Final = "this machine"


class Gate:
    """Checks rates and keys. Addresses first, so that keys cannot be guessed at speed."""

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys([key.get_secret_value() for key in settings.api_keys])
        self._trusted_proxies = settings.trusted_proxies
        self._addresses = RateLimit(settings.rate_per_address)
        self._holders = RateLimit(settings.rate_per_key)

    def admit(self, request: Request, pictures: int = 1) -> None:
        """Let a request pass that asks for so many pictures. Raises MissingKey, WrongKey, TooManyRequests.

        The page's own process, on this machine, is counted nowhere: it speaks for all who draw.
        """
        address = request.scope["state"]["caller"] = caller(request, self._trusted_proxies)
        if address is not LOCAL:
            self._addresses.take(address, pictures)
        holder = self._keys.holder(request)
        if holder is not None and address is not LOCAL:
            self._holders.take(holder, pictures)


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


def caller(request: Request, trusted_proxies: int) -> str:
    """The address that counts as the caller's: IPv6 by its /64, which one household or server has to itself.

    Each proxy appends the address it was called from to X-Forwarded-For. What stands before the entries of the
    trusted proxies was written by the caller, who may write anything. This machine is only who calls from it himself.
    """
    peer = network_of(request.client.host) if request.client else ""
    if trusted_proxies and (forwarded := request.headers.getlist("x-forwarded-for")):
        entries = ",".join(forwarded).split(",")
        if len(entries) < trusted_proxies:
            return peer
        return network_of(_without_port(entries[-trusted_proxies].strip())) or peer
    return LOCAL if peer.startswith("127.") or peer == "::/64" else peer


def network_of(address: str) -> str:
    """What counts as one caller: an IPv4 address, an IPv6 address's /64; "unknown" for what is no IPv6 address."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


class RateLimit:
    """So many a minute for each name, all of which may come at once (the generic cell rate algorithm).

    One number is kept for a name: when its allowance will be whole again.
    """

    MOST_NAMES: Final = 20_000

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str, count: int) -> None:
        """Raises TooManyRequests, and then takes nothing."""
        if not self._per_minute:
            return
        now = time.monotonic()
        cost = min(count, self._per_minute) * 60 / self._per_minute
        whole_at = max(now, self._whole_at.get(name, 0.0)) + cost
        if (wait := whole_at - now - 60) > 0:
            raise TooManyRequests(self._per_minute, seconds=math.ceil(wait))
        self._whole_at[name] = whole_at
        self._whole_at.move_to_end(name)
        while len(self._whole_at) > self.MOST_NAMES:
            self._whole_at.popitem(last=False)
