"""What both clients have of HTTP: how they are set up, and what its failures are called."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from app.client import calls
from app.client.calls import Call
from app.client.errors import Incompatible, NotReached, TimedOut, Unreachable
from app.samples.sample import Sample
from app.samples.wire import sample_of

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 10.0

_KEPT: Final = 20
"""Connections that stay open between calls."""


def options(
    address: str, key: str | None, connect_seconds: float, answer_seconds: float, visitor: str | None, proxy: str | None
) -> dict[str, Any]:
    """For either of httpx's clients."""
    headers = {"X-API-Key": key, "X-Visitor": visitor}
    return {
        "base_url": address.rstrip("/"),
        "headers": {name: value for name, value in headers.items() if value},
        "timeout": httpx.Timeout(answer_seconds, connect=connect_seconds, pool=None),
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=_KEPT),
        "proxy": proxy,
        "trust_env": False,  # the API is next door, mostly: no proxy that others need leads there
        "verify": address.startswith("https:"),  # or certificates would be read that are of no use
    }


def request(call: Call[Any]) -> dict[str, Any]:
    """For the `request` and the `stream` of either."""
    told = {"method": call.method, "url": call.path, "params": dict(call.query) or None}
    if not call.files:
        return told | {"json": call.json}
    boundary = secrets.token_hex(16)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return told | {"content": _form(call, boundary), "headers": headers}


def _form(call: Call[Any], boundary: str) -> bytes:
    """In one piece: that is faster than to have it put together on its way."""
    pieces = []
    for name, value in call.form.items():
        pieces += [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()]
    for name, data in call.files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="picture"\r\n\r\n'
        pieces += [head.encode(), data, b"\r\n"]
    return b"".join((*pieces, f"--{boundary}--\r\n".encode()))


@contextmanager
def named() -> Iterator[None]:
    """Around what goes over the network. Raises TimedOut, Unreachable and NotReached."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimedOut(f"The API does not answer in time ({type(error).__name__}).") from None
    except (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise NotReached(f"The API does not answer ({type(error).__name__}).") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"The API does not answer ({type(error).__name__}).") from None


def check(response: httpx.Response) -> None:
    """Raise what keeps the API from answering."""
    if failure := calls.failure(response.status_code, response.headers.get("Retry-After", "")):
        raise failure


class Export:
    """Samples from pieces of an answer, one in each line. Raises Incompatible."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def samples(self, piece: bytes) -> list[Sample]:
        """Those that a piece completes."""
        self._rest += piece
        if b"\n" not in piece:
            return []
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        return [_sample(line) for line in lines if line]

    def last(self) -> list[Sample]:
        """What is left, if its line has no end."""
        return [_sample(bytes(self._rest))] if self._rest else []


def _sample(line: bytes) -> Sample:
    try:
        return sample_of(line)
    except ValueError:
        raise Incompatible("The API sends a sample that this client does not understand.") from None
