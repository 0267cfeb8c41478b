"""The API as a function of AWS Lambda, driven by AWS's own runtime client: it answers as the API does as a server."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support import api, function, handmade
from tests.support.api import Server
from tests.support.function import Function
from tests.support.pictures import drawn, encoded, number

KEY = "a-key-of-forty-characters-or-so"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ApiKey-AbCdEf"
MOST_BYTES = 4_500_000
PNG = encoded(drawn(5))
DATA_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
FORM = "multipart/form-data; boundary=b"
LARGE = encoded(drawn(5, 2000, 1200, 100))
"""Decoded in a process of its own."""

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "welcome": ("GET", "/", {}),
    "ready": ("GET", "/health/ready", {}),
    "alphabets": ("GET", "/alphabets/", {}),
    "a form": ("POST", "/predict/", {"files": {"file": PNG}}),
    "a form's field": ("POST", "/predict/", {"files": {"file": PNG}, "data": {"alphabet": "chinese"}}),
    "a query": ("POST", "/predict/?glyph=true&alphabet=ukrainian", {"files": {"file": PNG}}),
    "JSON": ("POST", "/predict/", {"json": {"image": DATA_URL}}),
    "a large picture": ("POST", "/predict/", {"files": {"file": LARGE}}),
    "several": ("POST", "/predict/batch/", {"files": [("files", PNG), ("files", b"no picture"), ("files", LARGE)]}),
    "a number": ("POST", "/read/", {"files": {"file": encoded(number(4, 2))}}),
    "a blank": ("POST", "/predict/", {"files": {"file": encoded(drawn(5).point(lambda _: 255))}}),
    "no picture": ("POST", "/predict/", {"files": {"file": b"This is a text."}}),
    "a broken picture": ("POST", "/predict/", {"files": {"file": PNG[: len(PNG) // 2]}}),
    "a bomb": ("POST", "/predict/", {"files": {"file": handmade.png_of_zeros(50_000, 3_000)}}),
    "what takes too much memory": ("POST", "/predict/", {"files": {"file": handmade.png_of_zeros(24_000_000, 5)}}),
    "nothing": ("POST", "/predict/", {}),
    "an unfinished form": ("POST", "/predict/", {"data": b"--b\r\n", "headers": {"Content-Type": FORM}}),
    "broken JSON": ("POST", "/predict/", {"data": "{", "headers": {"Content-Type": "application/json"}}),
    "no data URL": ("POST", "/predict/", {"json": {"image": "?"}}),
    "an unknown alphabet": ("POST", "/predict/?alphabet=klingon", {"files": {"file": PNG}}),
    "too much": ("POST", "/predict/", {"files": {"file": bytes(MOST_BYTES)}}),
    "nowhere": ("GET", "/nowhere", {}),
    "another method": ("DELETE", "/predict/", {}),
    "a sample": ("POST", "/samples/", {"files": {"file": PNG}, "data": {"label": "5"}}),
}


@contextmanager
def secrets_manager(answer: bytes, status: int = 200) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Its address, and what it is asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({name.lower(): value for name, value in self.headers.items()} | body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def environment(address: str) -> dict[str, str]:
    return {
        "DIGITS_API_KEYS_SECRET": ARN,
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": address,
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    with (
        secrets_manager(json.dumps({"SecretString": f"another, {KEY}"}).encode()) as (address, asked),
        function.serving(tmp_path_factory.mktemp("function"), environment(address)) as running,
    ):
        yield running
    (only,) = asked
    assert only["SecretId"] == ARN
    assert only["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert "/us-east-1/secretsmanager/aws4_request" in only["authorization"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with api.serving(tmp_path_factory.mktemp("api"), api_keys=KEY, max_body_bytes=MOST_BYTES) as running:
        yield running


def same(answer: object) -> object:
    """Without what is another in each answer."""
    if isinstance(answer, dict):
        return {name: value for name, value in answer.items() if name != "request_id"}
    return answer


@pytest.mark.parametrize("call", CALLS)
def test_it_answers_as_the_server_does(deployed: Function, server: Server, call: str) -> None:
    method, path, request = CALLS[call]
    request = request | {"headers": request.get("headers", {}) | {"X-API-Key": KEY}}
    expected = requests.request(method, server.url + path, timeout=60, **request)
    status, answer = deployed.ask(method, path, **request)
    assert status == expected.status_code, answer
    assert same(answer) == same(expected.json())


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}])
def test_nobody_may_call_without_the_key(deployed: Function, server: Server, headers: dict[str, str]) -> None:
    expected = requests.post(server.url + "/predict/", files={"file": PNG}, headers=headers, timeout=60)
    status, answer = deployed.ask("POST", "/predict/", files={"file": PNG}, headers=headers)
    assert (status, same(answer)) == (401, same(expected.json()))


def test_the_documentation_is_served(deployed: Function) -> None:
    page = deployed.invoke(function.event("GET", "/docs"))
    assert page["headers"]["content-type"].startswith("text/html")
    assert "swagger-ui-bundle.js" in page["body"]


def test_the_log_has_a_line_for_each_request_by_its_callers_address(deployed: Function) -> None:
    deployed.ask("GET", "/alphabets/", headers={"X-API-Key": KEY, "X-Request-ID": "a-request-of-mine"})
    deployed.ask("GET", "/")
    lines = [json.loads(line) for line in deployed.output.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "a-request-of-mine"]
    assert (line["path"], line["status"], line["caller"]) == ("/alphabets/", 200, "203.0.113.7")
    assert KEY not in deployed.output.read_text()


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (b'{"SecretString": " ,"}', 200, "the secret holds no key, and without one everybody could call."),
        (b'{"__type": "AccessDenied"}', 400, "the secret cannot be read: HTTP Error 400: Bad Request"),
    ],
)
def test_it_does_not_start_without_the_keys(tmp_path: Path, answer: bytes, status: int, said: str) -> None:
    with (
        secrets_manager(answer, status) as (address, _),
        function.serving(tmp_path, environment(address)) as running,
    ):
        assert running.process.wait(30) == 1
        assert running.output.read_text() == f"DIGITS_API_KEYS_SECRET: {said}\n"
