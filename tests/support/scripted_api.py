"""An API that answers as told, for tests of the client and of the page."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

SEVEN = {
    "predicted_digit": 7,
    "label": "7",
    "confidence": 0.998,
    "sure": True,
    "alternatives": [{"label": "1", "confidence": 0.002}],
    "model": {"alphabet": "digits", "version": "1"},
    "request_id": "abc",
}


SEVENTEEN = {
    "text": "17",
    "confidence": 0.995,
    "sure": True,
    "lines": [{"text": "17", "confidence": 0.995}],
    "characters": [
        {"label": "1", "confidence": 0.998, "box": [100, 40, 180, 240]},
        {"label": "7", "confidence": 0.997, "box": [300, 40, 440, 240]},
    ],
    "model": {"alphabet": "digits", "version": "1"},
    "request_id": "abc",
}


class Call(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "GET"


class Api(ThreadingHTTPServer):
    """Answers every call with `status`, `body` and `headers`, and remembers what it was asked.

    `bodies` and `statuses` are for some paths only; without `there` the connection is closed instead.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.headers, self.wait = 200, json.dumps(SEVEN), dict[str, str](), threading.Event()
        self.bodies: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.there = True
        self.wait.set()
        self.asked: list[Call] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(Call(self.path, dict(self.headers), body, self.command))
        self.server.wait.wait(5)
        if not self.server.there:
            return
        self.send_response(self.server.statuses.get(self.path, self.server.status))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the caller may have given up
            self.wfile.write(self.server.bodies.get(self.path, self.server.body).encode())

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def scripted_api() -> Iterator[Api]:
    server = Api()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.wait.set()
    server.shutdown()
    server.server_close()
