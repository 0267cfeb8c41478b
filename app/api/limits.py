"""Bounds on what a request may send: bytes, time, and how much of all requests is held at once."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import BodyTooLarge, BrokenBody, Overloaded, SlowSender

HELD_BODIES: Final = 8
"""All bodies that one process holds together take at most this many times the limit of one."""

SMALL_BODY: Final = 256 * 1024
"""Bytes of a body, larger than which they leave one of these `HELD_BODIES` to others."""

LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 64 * 1024 * 1024
"""What is still received and thrown away after an early answer. A connection that is closed on a caller who is
still sending is reset, and the answer lost."""


class BodyLimits:
    """Counts a request's body as it arrives.

    Raises, where the application reads the body:
        BodyTooLarge: more than `max_bytes`, announced or sent.
        BrokenBody: it is no valid HTTP, so that the rest of it cannot be found.
        SlowSender: not all there after `seconds`.
        Overloaded: all bodies together are more than this process holds.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = _announced(scope)
        if scope["type"] != "http" or announced == 0:
            await self._app(scope, receive, send)
            return
        received = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + self._seconds

        async def bounded_receive() -> Message:
            nonlocal received, complete
            if announced is not None and announced > self._max_bytes:
                raise BodyTooLarge(self._max_bytes)
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise SlowSender(self._seconds) from None
            if scope["state"].get("broken"):
                raise BrokenBody
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                received += size
                self._held += size
                complete = not message.get("more_body", False)
                if received > self._max_bytes:
                    raise BodyTooLarge(self._max_bytes)
                bodies = HELD_BODIES if received <= SMALL_BODY else HELD_BODIES - 1
                if self._held > bodies * self._max_bytes:
                    raise Overloaded
            return message

        async def closing_send(message: Message) -> None:
            """After an answer to a body not read to its end, the connection is closed, and gently."""
            nonlocal received
            if not complete and message["type"] == "http.response.start":
                self._held -= received
                received = 0
                message["headers"].append((b"connection", b"close"))
            elif not complete and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _drain(receive)
                message = {"type": "http.response.body"}
            await send(message)

        try:
            await self._app(scope, bounded_receive, closing_send)
        finally:
            self._held -= received


def _announced(scope: Scope) -> int | None:
    """The body's length as its header has it; 0 without a body, None where it comes in chunks."""
    length = 0
    for name, value in scope.get("headers", ()):
        if name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"transfer-encoding":
            return None
    return length


async def _drain(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        pass
