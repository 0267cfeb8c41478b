"""AWS Lambda as far as a function sees it: AWS's own runtime client for Python, and the service that hands it events.

As there, no semaphore can be shared between processes, which is what multiprocessing's pools and queues need.
"""

import base64
import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import unquote

from requests import Request

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys, _multiprocessing
def SemLock(*arguments, **named):
    raise OSError(38, "Function not implemented")
_multiprocessing.SemLock = SemLock
sys.path.append(sys.argv[1])
from awslambdaric.__main__ import main
sys.path.pop()
main(["", "app.api.function.handler"])
"""

CALL = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Deadline-Ms": "1542409706888",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:digits",
    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
}
"""Headers of an event. Without them all the client waits for ever."""

SECONDS = 60


def event(method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> dict[str, Any]:
    """As a function URL passes a request on (payload format 2.0), which is given as to `requests.Request`."""
    prepared = Request(method, f"https://abc.lambda-url.us-east-1.on.aws{path}", headers=headers, **request).prepare()
    assert prepared.url
    given, _, query = prepared.url.partition("?")
    shown = given.removeprefix("https://abc.lambda-url.us-east-1.on.aws")
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    is_text = "json" in prepared.headers.get("Content-Type", "")
    http = {
        "method": method,
        "path": unquote(shown),
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.7",
        "userAgent": "curl/8",
    }
    made = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": shown,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in prepared.headers.items()} | {"x-forwarded-proto": "https"},
        "requestContext": {"accountId": "anonymous", "http": http, "requestId": "a", "stage": "$default"},
        "isBase64Encoded": bool(body) and not is_text,
    }
    if body:
        made["body"] = body.decode() if is_text else base64.b64encode(body).decode()
    return made


@dataclass
class Function:
    process: subprocess.Popen[bytes]
    output: Path
    events: SimpleQueue[dict[str, Any]]
    answers: SimpleQueue[tuple[str, dict[str, Any]]] = field(default_factory=SimpleQueue)

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """The function's answer; fails where it breaks instead."""
        self.events.put(event)
        with suppress(Empty):
            kind, answer = self.answers.get(timeout=SECONDS)
            assert kind == "response", answer
            return answer
        raise AssertionError(f"no answer:\n{self.output.read_text()}")

    def ask(self, method: str, path: str, **request: Any) -> tuple[int, Any]:
        """Status and JSON."""
        answer = self.invoke(event(method, path, **request))
        return answer["statusCode"], json.loads(answer["body"])


@contextmanager
def serving(
    folder: Path,
    environment: Mapping[str, str],
    bundle: Path | None = None,
    limit: Callable[[], None] | None = None,
) -> Iterator[Function]:
    """The function, perhaps not yet ready, of this code and this environment's packages, or of what is in a bundle.

    Args:
        folder: where its log is written.
        limit: is called in its process before it begins.
    """
    events: SimpleQueue[dict[str, Any]] = SimpleQueue()
    over = threading.Event()

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            while not over.is_set():
                with suppress(Empty):
                    body = json.dumps(events.get(timeout=0.2)).encode()
                    return self.answer(200, body, CALL)

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(202, b"{}", {})
            served.answers.put((self.path.rpartition("/")[2], sent))

        def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known = {name: value for name, value in os.environ.items() if not name.startswith(("DIGITS_", "AWS_"))}
    known |= {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "PYTHONPATH": str(bundle or ROOT)}
    output = folder / "function.log"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *(["-S"] if bundle else []), "-c", PROGRAM, sysconfig.get_path("purelib")],
            cwd=bundle or ROOT,
            env={**known, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
        )
    served = Function(process, output, events)
    try:
        yield served
    finally:
        over.set()
        process.kill()
        process.wait()
        server.shutdown()
        server.server_close()
