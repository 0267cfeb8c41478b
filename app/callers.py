"""Who calls, on whatever side of a proxy."""

import ipaddress
from typing import Final

from starlette.requests import HTTPConnection

LOCAL: Final = "this machine"


def caller(request: HTTPConnection, trusted_proxies: int) -> str:
    """The address that counts as the caller's: IPv6 by its /64, which one household or server has to itself.

    Each proxy appends the address it was called from to X-Forwarded-For. What stands before the entries of the
    trusted proxies was written by the caller, who may write anything.
    """
    peer = request.client.host if request.client else ""
    if trusted_proxies:
        entries = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        if len(entries) >= trusted_proxies:
            peer = _without_port(entries[-trusted_proxies].strip()) or peer
    if ":" in peer:
        try:
            address = ipaddress.IPv6Address(peer.partition("%")[0])
        except ValueError:
            return "unknown"
        if address.ipv4_mapped:
            peer = str(address.ipv4_mapped)
        elif not address.is_loopback:
            return str(ipaddress.IPv6Network((address, 64), strict=False))
        else:
            peer = "127.0.0.1"
    return LOCAL if peer.startswith("127.") else peer


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry
