"""The page's web server: uvicorn, with bounds on what Streamlit's own start of it leaves open."""

import asyncio
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.listening import KEEP_ALIVE
from app.settings import Settings
from app.ui.websocket import WebSocket

BACKLOG: Final = 2048
"""Connections that wait until they are accepted."""

GRACE: Final = 3
"""Seconds that requests in flight have after SIGTERM; less than the launcher waits."""

MOST_HEADER_BYTES: Final = 32 * 1024
"""The request line and all headers together."""

MOST_MESSAGE_BYTES: Final = 256 * 1024
"""A message from a page: the state of all its widgets, with a drawing of some 20 KB."""

PING_SECONDS: Final = 30


class Protocol(H11Protocol):
    """Closes connections whose headers do not arrive, and one too many."""

    def __init__(self, *args: Any, seconds: float, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = seconds
        self._most = most
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._most:
            transport.close()
        else:
            self._timer = self.loop.call_later(self._seconds, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the headers are there
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def configuration(app: ASGIApp, config: Settings) -> uvicorn.Config:
    def protocol(*args: Any, **kwargs: Any) -> Protocol:
        return Protocol(*args, seconds=config.body_seconds, most=config.max_connections, **kwargs)

    return uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type]
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        ws=WebSocket,
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # app.callers reads them, and believes less of them
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
