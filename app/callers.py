"""Who calls, on whatever side of a proxy."""

import ipaddress
from functools import lru_cache
from typing import Final

from starlette.requests import HTTPConnection

LOCAL: Final = "this machine"

_LONGEST = 45
"""Characters of an address; what is longer is not remembered either."""


def caller(request: HTTPConnection, trusted_proxies: int) -> str:
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
    """What counts as one caller: an IPv4 address, an IPv6 address's /64, "unknown" for what is neither; "" stays so."""
    if not address:
        return ""
    address = address.partition("%")[0]
    return _network_of(address) if len(address) <= _LONGEST else "unknown"


@lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
