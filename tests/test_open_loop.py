"""Callers of the benchmarks ask as often as they are told to, however slow the server is."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import open_loop

REQUEST = b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"


class Held(BaseHTTPRequestHandler):
    """Answers when told to; refuses the first."""

    protocol_version = "HTTP/1.1"
    arrived = 0
    enough = threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(2)
        Held.arrived += 1
        status = 503 if Held.arrived == 1 else 200
        if Held.arrived >= 10:
            Held.enough.set()
        Held.enough.wait(30)
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(open_loop, "_prefer", lambda nice: None)  # which only root may
    with ThreadingHTTPServer(("127.0.0.1", 0), Held) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_nobody_waits_for_the_answers_of_others(port: int) -> None:
    with ThreadPoolExecutor(
        1
    ) as thread:  # in the main one Playwright's event loop runs, once a browser has been started
        calls = thread.submit(open_loop.send, port, [REQUEST], rate=200, seconds=0.5, seed=1).result()
        answers = thread.submit(open_loop.keep_asking, port, [REQUEST], callers=3, seconds=0.2, seed=1).result()
    assert 60 < len(calls) < 140
    assert [call.status for call in calls].count(503) == 1
    assert {call.status for call in calls} == {200, 503}
    assert all(0 < call.due < 0.5 and call.seconds > 0 for call in calls)
    assert answers >= 3
