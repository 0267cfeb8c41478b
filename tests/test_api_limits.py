"""What a request may send: bytes, headers, time."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded

PNG = encoded(drawn(5))
LIMIT = 100_000
SECONDS = 2


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    with serving(folder, max_body_bytes=LIMIT, body_seconds=SECONDS, max_pixels=100_000) as server:
        yield server


@pytest.fixture(scope="module")
def full_size(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the limits that it has by default."""
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


def split(answer: bytes) -> tuple[bytes, dict[str, str]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, json.loads(body)


def test_a_picture_within_the_limits(api: Server) -> None:
    assert api.predict(PNG).status_code == 200


def test_bytes_announced(api: Server) -> None:
    answer = api.predict(bytes(LIMIT))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "100,000" in answer.json()["error"]


def test_bytes_in_chunks_without_a_length(api: Server) -> None:
    answer = requests.post(
        api.url + "/predict/",
        data=(bytes(10_000) for _ in range(30)),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        timeout=9,
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_two_gigabytes_are_cut_and_never_held(api: Server) -> None:
    memory = api.memory()
    sent = 0
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(
            b"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 2147483648\r\n\r\n"
        )
        try:
            while sent < 2**31:
                sent += connection.send(bytes(1 << 20))
        except OSError:
            pass
    assert sent < 200 << 20
    assert api.memory() - memory < 30 << 20


def test_pixels(api: Server) -> None:
    answer = api.predict(encoded(drawn(5).resize((400, 400))))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")
    assert "400 x 400" in answer.json()["error"]
    assert "0.1 million" in answer.json()["error"]


def test_an_announced_body_that_does_not_come(api: Server) -> None:
    head, problem = split(
        api.raw(b"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{")
    )
    assert head.startswith(b"HTTP/1.1 408 ")
    assert problem["code"] == "too_slow"


def test_a_body_that_drips(api: Server) -> None:
    """Each byte alone comes soon enough; all together do not."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=20) as connection:
        connection.sendall(b"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: 5000\r\n\r\n")
        answered = threading.Event()

        def drip() -> None:
            while not answered.wait(0.1):
                try:
                    connection.send(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        answer = b""
        while b"}" not in answer:
            answer += connection.recv(65536)
        answered.set()
        dripping.join()
    assert split(answer)[1]["code"] == "too_slow"


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["silent", "slow"])
def test_headers_that_do_not_come(api: Server, start: bytes) -> None:
    answer = api.raw(start)
    assert answer == b"" if not start else split(answer)[1]["code"] == "too_slow"
    assert not start or split(answer)[1]["error"] == "The request's headers did not arrive in time."


@pytest.mark.parametrize(
    "headers",
    [b"X: " + b"y" * 40_000, b"\r\n".join(b"X-%d: y" % i for i in range(5000)), b"x" * 40_000 + b": y"],
    ids=["long value", "many", "long name"],
)
@pytest.mark.parametrize("finished", [True, False])
def test_headers_too_large(api: Server, headers: bytes, finished: bool) -> None:
    head, problem = split(api.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + (b"\r\n\r\n" if finished else b"")))
    assert head.startswith(b"HTTP/1.1 431 ")
    assert problem["code"] == "headers_too_large"
    assert problem["error"] == "At most 32,768 bytes of headers are accepted."


def test_a_long_address(api: Server) -> None:
    assert split(api.raw(b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))[1]["code"] == "headers_too_large"


def test_many_requests_on_one_connection(api: Server) -> None:
    with requests.Session() as session:
        for _ in range(30):
            answer = session.post(api.url + "/predict/", files={"file": PNG}, timeout=9)
            assert answer.status_code == 200
            assert session.get(api.url + "/nowhere", timeout=9).status_code == 404


def test_requests_sent_ahead_are_answered_in_order(api: Server) -> None:
    answer = api.raw(
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    statuses = re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert statuses == [b"200", b"404", b"200"]


def test_one_connection_too_many(tmp_path: Path) -> None:
    """While all others are at work."""
    large = encoded(drawn(5).resize((4900, 4900)))
    with serving(tmp_path, max_connections=1) as server:
        with ThreadPoolExecutor(1) as pool:
            batch = [("files", ("x", large))] * 4
            answer = pool.submit(requests.post, server.url + "/predict/batch/", files=batch, timeout=30)
            time.sleep(0.3)
            head, problem = split(server.raw(b""))
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in head
            assert problem["code"] == "overloaded"
            assert problem["error"] == "Too many connections are open. Please try again in a moment."
        assert [result["label"] for result in answer.result().json()["results"]] == ["5"] * 4
        assert server.predict(PNG).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{" + b",".join(b'"a%d":1' % i for i in range(800_000)) + b"}"),
        ("application/json", b"[" + b",".join([b"[" * 90 + b"]" * 90] * 55_000) + b"]"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
            + b"\r\n--bx" * 1_700_000
            + b"\r\n--b--\r\n",
        ),
    ],
    ids=["a million fields", "nested lists", "what begins as the boundary does"],
)
def test_bodies_that_are_dear_to_parse(full_size: Server, kind: str, body: bytes) -> None:
    """10 MB cost no more than a picture of that size."""
    memory, seconds = full_size.peak_memory(), full_size.cpu_seconds()
    answer = requests.post(full_size.url + "/predict/", data=body, headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code in (400, 422)
    assert full_size.cpu_seconds() - seconds < 0.8
    assert full_size.peak_memory() - memory < 80 << 20
    assert full_size.predict(PNG).status_code == 200
