"""Bounds on what visitors fetch: a file that is being sent is held in memory, whatever has become of its page."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILES: Final = "/media/"

AT_ONCE: Final = 6
"""Files on their way to one visitor; a browser asks for no more, and others wait for their turn."""

PIECE: Final = 64 * 1024
"""Bytes that are sent before the next wait until the visitor has taken most of them."""

SECONDS: Final = 120.0
"""In which a visitor must have taken a file: 10 MB at less than a megabit a second."""


class Downloads:
    """Sends files a few at a time and in pieces, and breaks off where nobody takes them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(FILES):
            await self._app(scope, receive, send)
            return

        async def send_in_pieces(message: Message) -> None:
            body = memoryview(message.get("body", b""))
            for start in range(0, len(body) - PIECE, PIECE):
                piece = bytes(body[start : start + PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if len(body) > PIECE:
                message = {**message, "body": bytes(body[(len(body) - 1) // PIECE * PIECE :])}
            await send(message)

        turn = self._turns.setdefault(scope["client"][0], asyncio.Semaphore(AT_ONCE))
        async with turn, asyncio.timeout(SECONDS):
            await self._app(scope, receive, send_in_pieces)
