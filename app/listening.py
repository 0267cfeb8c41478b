"""What both servers need to be called: a socket of their own, and connections that are kept for long enough."""

import os
import socket
import sys
from typing import Final

KEEP_ALIVE: Final = 75
"""Seconds that an idle connection is kept: longer than load balancers do, usually 60, so that none sends a request on
a connection that is just being closed here."""

ACCEPTED_AT_ONCE: Final = 32
"""New connections that a process which is alone takes in one round of its event loop. libuv takes one from each socket:
where hundreds come at once to a busy server, the last of them, which may be a health check, would wait for hundreds of
rounds, of which each may take a tenth of a second. To look in vain at the others costs a new connection 0.2 ms."""


def bound(server: str, host: str, port: int) -> socket.socket:
    """A socket bound to an address; ends the program with a sentence about the `server` where it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        reason = "no such host" if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        print(f"{server} cannot listen on {host}:{port}: {reason}.", file=sys.stderr)
        raise SystemExit(1) from None
    return listener


def shared(listener: socket.socket) -> list[socket.socket]:
    """The same socket as often as an event loop is to look at it in one round."""
    return [listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
