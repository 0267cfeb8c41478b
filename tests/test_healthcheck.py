"""`python -m app.healthcheck` against servers that do and do not do their work."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.api import ROOT, Server, serving
from tests.support.ports import free_port

KEY = "a-key-for-tests"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), api_keys=KEY) as server:
        yield server


@contextmanager
def answering(status: int, body: str = "") -> Iterator[int]:
    """The port of a server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def listening(answers: bool) -> Iterator[int]:
    """The port of a server that takes pictures and is never done with them; whether it `answers` that it is ready."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if answers:
                self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
            else:
                done.wait()

        def do_POST(self) -> None:
            done.wait()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        done.set()
        server.shutdown()
        server.server_close()


IMPATIENT = """
import sys
from app import health, healthcheck
healthcheck.SECONDS = 0.5
health.is_well.__defaults__ = (0.5,)
sys.exit(healthcheck.main())
"""


def check(
    api_port: int, ui_port: int, keys: str = KEY, program: tuple[str, ...] = ("-m", "app.healthcheck")
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(Path(sys.executable).parent),
        "DIGITS_API_PORT": str(api_port),
        "DIGITS_UI_PORT": str(ui_port),
        "DIGITS_API_HOST": "0.0.0.0",
        "DIGITS_API_KEYS": keys,
    }
    command = [sys.executable, *program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_both_well(api: Server) -> None:
    with answering(200) as page:
        result = check(api.port, page)
    assert (result.returncode, result.stderr) == (0, "")


def test_no_page(api: Server) -> None:
    result = check(api.port, free_port())
    assert result.returncode == 1
    assert result.stderr.startswith("the page does not answer: ")


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, "internal_error", 1),
        (401, "wrong_key", 1),
        (429, "too_many_requests", 0),
        (503, "overloaded", 0),
        (503, "not_ready", 1),
    ],
)
def test_an_api_that_answers_with_an_error(status: int, code: str, expected: int) -> None:
    with answering(status, f'{{"code":"{code}"}}') as api_port, answering(200) as page:
        assert check(api_port, page).returncode == expected


@pytest.mark.parametrize(("ready", "expected"), [(True, 0), (False, 1)])
def test_an_api_that_does_not_answer_in_time(ready: bool, expected: int) -> None:
    """Busy is not sick: sick is one where nothing moves."""
    with listening(ready) as api_port, answering(200) as page:
        assert check(api_port, page, program=("-c", IMPATIENT)).returncode == expected


def test_an_api_that_cannot_recognize() -> None:
    with answering(200) as api_port, answering(200) as page:
        result = check(api_port, page)
    assert result.returncode == 1
    assert "the API" in result.stderr
