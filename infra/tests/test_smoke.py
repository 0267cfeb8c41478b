"""The script that decides whether a deployment stays, against apps that are well and apps that are not."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from need import need

need(shutil.which("curl") is not None, "the smoke test needs curl")
SMOKE = Path(__file__).parents[1] / "smoke"
WELL = {"/_stcore/health": "ok", "/health/ready": "{}", "/predict/": '{"predicted_digit": 7}', "/_stcore/stream": ""}


@contextmanager
def app(answers: dict[str, str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            assert (SMOKE / "seven.png").read_bytes() in sent
            self.answer()

        def answer(self) -> None:
            body = answers.get(self.path)
            websocket = self.path == "/_stcore/stream"
            self.send_response(400 if body is None else 101 if websocket else 200)
            self.send_header("Content-Length", str(len(body or "")))
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def smoke(address: str) -> subprocess.CompletedProcess[str]:
    once = os.environ | {"RETRIES": "0"}
    return subprocess.run([SMOKE / "smoke.sh", address], env=once, capture_output=True, text=True)


def test_an_app_that_is_well_stays() -> None:
    with app(WELL) as address:
        done = smoke(address)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("missing", WELL)
def test_an_app_that_lacks_anything_does_not(missing: str) -> None:
    with app({path: body for path, body in WELL.items() if path != missing}) as address:
        assert smoke(address).returncode != 0


def test_an_app_that_takes_a_seven_for_a_one_does_not() -> None:
    with app(WELL | {"/predict/": '{"predicted_digit": 1}'}) as address:
        assert smoke(address).returncode != 0
