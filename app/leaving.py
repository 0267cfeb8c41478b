"""Leaving in good order: a server that is about to end tells everybody to go elsewhere, and serves on until it does.

A load balancer learns of the end only after a moment; what it sends until then would otherwise find nobody.
"""

import asyncio
import signal
import threading
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SIGNAL: Final = signal.SIGUSR1
"""Announces the end; the launcher sends it when it is asked to stop, and SIGTERM `DIGITS_DRAIN_SECONDS` later."""


class Leaving:
    """After `SIGNAL`, closes each connection with its answer, and sets `leaving` in the state of every request.

    Where a load balancer asks at a `health_path` that the application itself answers regardless, the answer is 503.
    """

    def __init__(self, app: ASGIApp, health_path: str | None = None) -> None:
        self._app = app
        self._health_path = health_path
        self._leaving = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No signal comes to another thread.
        if scope["type"] == "lifespan" and threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(SIGNAL, self._leave)
        if scope["type"] != "http" or not self._leaving:
            await self._app(scope, receive, send)
            return

        async def closing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        scope["state"]["leaving"] = True
        asked = scope["path"] == self._health_path
        await (PlainTextResponse("leaving", 503) if asked else self._app)(scope, receive, closing_send)

    def _leave(self) -> None:
        self._leaving = True
