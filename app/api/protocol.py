"""uvicorn's HTTP protocol with what it leaves out: bounds on headers, requests sent ahead, readers and connections.

It would keep headers of any size and wait for them, and for those who do not read their answers, for ever; and take the
body of a request that offers another protocol for the next request.
"""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app import settings
from app.api import errors
from app.api.connections import Connections
from app.callers import network_of

MAX_HEADER_BYTES: Final = 32 * 1024
"""The request line and all headers together; also what a chunked body has of sizes and trailers at a stretch."""

_HEADER_COST: Final = 4
"""Bytes of a header besides its name and value."""

MAX_AHEAD: Final = 16
"""Requests that may wait on a connection for the answers before theirs; what comes after them is not read."""


class Protocol(HttpToolsProtocol):
    """Answers 431 to headers of more than `MAX_HEADER_BYTES`, 408 to those that take too long, 503 to one too many.

    These, and what is no HTTP, are answered in JSON as everything else, and the connection closed. So is that of a peer
    who does not read its answer. No other protocol is spoken, whatever `Upgrade` offers.
    """

    everybody: ClassVar = Connections()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = settings.load().body_seconds
        self._most = settings.load().max_connections
        self._header_bytes = 0
        """Received since the last request ended, as long as headers are awaited; other requests may lie before."""
        self._parsed_bytes = 0
        """Of the present request's line and headers."""
        self._in_body = False
        self._deaf = False
        """Whether nothing more is read: the connection ends with the answers that are due."""
        self._address = ""
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()
        self._address = network_of(self.client[0]) if self.client else ""
        if not self.everybody.enter(self, self._address, self._most):
            self._refuse(errors.TooManyConnections())

    def connection_lost(self, exc: Exception | None) -> None:
        self.everybody.leave(self, self._address)
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def close_now(self) -> None:
        """Make room for another connection."""
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.everybody.wait(self, self._address)
        self._start_write_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()
        if self.cycle is not None and not self.cycle.response_complete:
            self.everybody.work(self)

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_write_timer()
        elif self._in_body and self.cycle.response_complete:
            self._close()  # the rest of the body would come without a time limit
        elif self._in_body or self.cycle.response_complete:
            self.everybody.wait(self, self._address)

    def data_received(self, data: bytes) -> None:
        if self._deaf or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._header_bytes += len(data)
        if not self._in_body and self._header_timer is None:
            self._start_timer()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        if self._header_bytes > MAX_HEADER_BYTES:  # an unfinished line: no callback has seen it
            self.send_400_response("")

    def _parse(self, data: bytes) -> None:
        """Raises HttpParserError.

        The parser takes a request with `Upgrade` for the last in HTTP, without a body. Such a one is read again
        without that header, and then what comes after.
        """
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self.parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserInvalidMethodError from None
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _head_without_upgrade(self) -> bytes:
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([line, *headers, b"", b""])

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_AHEAD:
            raise ValueError  # makes the parser stop
        self._parsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + _HEADER_COST)
        if not self._in_body:  # else a trailer, which must not pass for a header
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._header_bytes = 0
        if self.parser.should_upgrade():
            return
        self._stop_timer()
        super().on_headers_complete()  # raises at an address that cannot be read
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_body = False
        self._header_bytes = 0
        if not self.flow.write_paused:  # else it waits for its peer to read
            self.everybody.work(self)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._in_body:
            self._deaf = True
            self.scope["state"]["broken"] = True  # app.api.limits answers
            self.cycle.message_event.set()
        elif max(self._header_bytes, self._parsed_bytes) > MAX_HEADER_BYTES:
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
            self._close()

    def _start_write_timer(self) -> None:
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._seconds, self.transport.abort)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _close(self) -> None:
        """Send what is still to be sent, for as long as a reader has, and close."""
        self.transport.close()
        self._start_write_timer()

    def _refuse(self, error: errors.CallerError) -> None:
        """Answer with an error and close; but if earlier requests are unanswered, close after their answers."""
        if self.transport.is_closing():
            return
        self._deaf = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        else:
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
            self._close()
