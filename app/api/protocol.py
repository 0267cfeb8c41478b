"""uvicorn's HTTP protocol with what it leaves out: bounds on headers, in bytes and time, and on connections.

It would keep headers of any size, and wait for them for ever.
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import settings
from app.api import errors

MAX_HEADER_BYTES: Final = 32 * 1024
"""The request line and all headers together."""


class Protocol(HttpToolsProtocol):
    """Answers 431 to headers of more than `MAX_HEADER_BYTES`, 408 to those that take too long, 503 to one too many.

    These, and what is no HTTP, are answered in JSON as everything else, and the connection closed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = settings.load().body_seconds
        self._most = settings.load().max_connections
        self._header_bytes = 0
        """Received since the last request ended, as long as headers are awaited; other requests may lie before."""
        self._parsed_bytes = 0
        """Of the present request's line and headers."""
        self._in_body = False
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()
        if len(self.connections) > self._most:
            self._refuse(errors.TooManyConnections())

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._header_bytes += len(data)
            if self._header_timer is None:
                self._start_timer()
        super().data_received(data)
        if not self._in_body and self._header_bytes > MAX_HEADER_BYTES:  # an unfinished line: no callback has seen it
            self.send_400_response("")

    def on_message_begin(self) -> None:
        self._parsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._header_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if max(self._header_bytes, self._parsed_bytes) > MAX_HEADER_BYTES:
            self._refuse(errors.HeadersTooLarge(MAX_HEADER_BYTES))
        else:
            self._refuse(errors.NotHTTP())

    def _count(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > MAX_HEADER_BYTES:
            raise ValueError  # makes the parser stop, and uvicorn call send_400_response

    def _start_timer(self) -> None:
        self._header_timer = self.loop.call_later(self._seconds, self._headers_overdue)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_overdue(self) -> None:
        self._header_timer = None
        if self._header_bytes:
            self._refuse(errors.SlowHeaders())
        else:
            self.transport.close()

    def _refuse(self, error: errors.CallerError) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:  # else an earlier request's answer is on its way
            status, problem, further = errors.problem(error, secrets.token_hex(8))
            body = problem.model_dump_json().encode()
            headers = {
                "Content-Type": "application/json",
                "Content-Length": len(body),
                **further,
                "Connection": "close",
            }
            lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
            self.transport.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode() + body)
        self.transport.close()
