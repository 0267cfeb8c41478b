"""Whether a server answers that it is well, asked over a bare socket: the launcher, which stays in memory, does so."""

import socket
from collections.abc import Mapping
from typing import Final, NamedTuple

SECONDS: Final = 10.0
"""In which a server must have answered; a busy one takes its time."""


API_PATH: Final = "/health/ready"
PAGE_PATH: Final = "/_stcore/health"


class Place(NamedTuple):
    """Where a server is asked."""

    host: str
    port: str
    path: str


def places(environment: Mapping[str, str]) -> dict[str, Place]:
    """Those of the Procfile's processes; `app.settings`, with the same defaults, is larger than all of the launcher."""
    known = {name.upper(): value for name, value in environment.items()}

    def place(name: str, port: str, path: str) -> Place:
        host = known.get(f"DIGITS_{name}_HOST", "127.0.0.1")
        return Place(reachable(host), known.get(f"DIGITS_{name}_PORT", port).strip(), path)

    return {"api": place("API", "8000", API_PATH), "ui": place("UI", "8501", PAGE_PATH)}


def reachable(host: str) -> str:
    """An address to call for one to listen on."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def is_well(place: Place, seconds: float = SECONDS) -> bool:
    """Whether it answers, and with no failure. Busy is well: to restart it then would only add to the load."""
    request = f"GET {place.path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode()
    try:
        with socket.create_connection((place.host, place.port), timeout=seconds) as connection:
            connection.sendall(request)
            answer = b""
            while len(answer) < 4096 and (part := connection.recv(4096)):
                answer += part
    except OSError:
        return False
    failed = answer.startswith((b"HTTP/1.0 5", b"HTTP/1.1 5"))
    return bool(answer) and (not failed or b'"overloaded"' in answer)
