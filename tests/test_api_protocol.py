"""Requests as bytes on a connection: each is answered once, and nobody takes the server from the others."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded

PNG = encoded(drawn(5))
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + PNG + b"\r\n--b--\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
LAST = LIVE + b"Connection: close\r\n\r\n"
POST = b"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
STATUS = re.compile(rb"HTTP/1.1 (\d+)")
LENGTH = b"Content-Length: %d\r\n\r\n" % len(FORM)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), body_seconds=3) as server:
        yield server


def in_chunks(body: bytes, size: int = 1000) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("pieces", [1, 7, 1000])
@pytest.mark.parametrize(
    "body", [LENGTH + FORM, b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(FORM)], ids=["length", "chunks"]
)
def test_an_offered_upgrade_is_ignored(api: Server, body: bytes, pieces: int) -> None:
    """As HttpClient of Java offers it with every request; its body is no request."""
    data = POST + UPGRADE + body + LIVE + UPGRADE + b"\r\n" + LAST
    with socket.create_connection(("127.0.0.1", api.port), timeout=9) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = -(-len(data) // pieces)
        for start in range(0, len(data), step):
            connection.sendall(data[start : start + step])
            time.sleep(0.1 if pieces == 7 else 0)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert STATUS.findall(answer) == [b"200", b"200", b"200"]
    assert b'"label":"5"' in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"CONNECT host:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n" + UPGRADE + b"\r\n",
        LIVE + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LIVE + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        LIVE + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        LIVE + b"Content-Length: 3, 3\r\n\r\nabc",
        LIVE + b"Content-Length: +3\r\n\r\nabc",
        LIVE + b"Content-Length : 3\r\n\r\nabc",
        LIVE + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        LIVE + b"X: y\r\n Content-Length: 3\r\n\r\n",
        LIVE + b"X: y\nContent-Length: 3\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(api: Server, request_: bytes) -> None:
    answer = api.raw(request_ + b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert STATUS.findall(answer) == [b"400"]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


@pytest.mark.parametrize("before", [b"", LIVE + b"\r\n"], ids=["at first", "after another"])
def test_an_address_that_cannot_be_read(api: Server, before: bytes) -> None:
    """The parser of requests accepts it; that of addresses does not."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=9) as connection:
        if before:
            connection.sendall(before)
            assert next_answer(connection).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET http:///// HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert STATUS.findall(answer) == [b"400"]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


def test_a_broken_body_is_answered(api: Server) -> None:
    answer = api.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nthis is no chunk\r\n" + LAST)
    assert STATUS.findall(answer) == [b"400"]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "malformed_body"


def test_what_was_asked_before_nonsense_is_answered(api: Server) -> None:
    assert STATUS.findall(api.raw(LIVE + b"\r\nthis is nonsense\r\n\r\n")) == [b"200"]


def test_a_trailer_is_no_header(api: Server) -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Request-ID: from-a-trailer\r\n\r\n"
    answer = api.raw(LIVE + chunks)
    assert STATUS.findall(answer) == [b"200"]
    assert b"from-a-trailer" not in answer


@pytest.mark.parametrize("endless", [b"0\r\nX: ", b"5;x="], ids=["trailer", "chunk's extension"])
def test_a_body_with_an_endless_line(api: Server, endless: bytes) -> None:
    memory = api.peak_memory()
    with socket.create_connection(("127.0.0.1", api.port), timeout=9) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + endless)
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                connection.sendall(b"y" * (1 << 20))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert api.peak_memory() - memory < 20 << 20


def test_thousands_of_headers_at_once(api: Server) -> None:
    assert STATUS.findall(api.raw(LIVE + b"a:\r\n" * 30_000 + b"\r\n")) == [b"431"]


def test_requests_sent_ahead_are_bounded(api: Server) -> None:
    memory = api.peak_memory()
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", api.port)
        others = [stack.enter_context(socket.create_connection(address, timeout=9)) for _ in range(20)]
        for other in others:
            with contextlib.suppress(ConnectionError):
                other.sendall((LIVE + b"\r\n") * 20_000)
        assert api.predict(PNG).json()["label"] == "5"
        assert others[0].recv(65536).startswith(b"HTTP/1.1 200 ")
    assert api.peak_memory() - memory < 40 << 20


@contextlib.contextmanager
def hostile(server: Server, count: int, data: bytes, address: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """So many connections that send something and read nothing."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind((address, 0))
            connection.connect(("127.0.0.1", server.port))
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
            connections.append(connection)
        time.sleep(0.3)
        yield connections


UNFINISHED = POST + b"Content-Length: 10000\r\n\r\n--b\r\n"


@pytest.mark.parametrize("data", [b"", b"GET / HT", UNFINISHED], ids=["silent", "half a head", "no body"])
def test_connections_that_wait_make_room(tmp_path: Path, data: bytes) -> None:
    with serving(tmp_path, max_connections=10) as server, hostile(server, 30, data) as connections:
        for _ in range(5):
            assert server.predict(PNG).json()["label"] == "5"
        connections[0].settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connections[0].recv(1) == b""  # the oldest


def next_answer(connection: socket.socket) -> bytes:
    """Whose body is an object without others in it."""
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65536)
    return answer


def test_many_connections_of_one_address_leave_others_theirs(tmp_path: Path) -> None:
    with serving(tmp_path, max_connections=10) as server, contextlib.ExitStack() as stack:
        old = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=9))
        old.sendall(LIVE + b"\r\n")
        assert next_answer(old).startswith(b"HTTP/1.1 200 ")
        with hostile(server, 30, b"", address="127.0.0.2"):
            old.sendall(LIVE + b"\r\n")
            assert next_answer(old).startswith(b"HTTP/1.1 200 ")


def test_what_is_answered_before_its_end_makes_room(tmp_path: Path) -> None:
    """A browser's question which origins may call is answered whatever its body is, and sends none."""
    question = (
        b"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://example.org\r\nAccess-Control-Request-Method: POST\r\n"
    )
    settings = {"max_connections": 3, "cors_origins": "https://example.org"}
    with serving(tmp_path, **settings) as server, hostile(server, 3, question + b"Content-Length: 1\r\n\r\n") as others:
        for other in others:
            assert other.recv(65536).startswith(b"HTTP/1.1 200 ")
            with contextlib.suppress(ConnectionError):
                other.sendall(b"x")
        time.sleep(0.3)
        assert server.predict(PNG).json()["label"] == "5"


def test_who_asks_on_without_reading_makes_room(tmp_path: Path) -> None:
    document = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(tmp_path, max_connections=1) as server, hostile(server, 1, b"") as (connection,):
        for _ in range(200):
            with contextlib.suppress(ConnectionError):  # a slow server has more of these at once than it takes
                connection.sendall(document)
            time.sleep(0.01)
        assert server.predict(PNG).json()["label"] == "5"


def test_who_does_not_read_is_left(tmp_path: Path) -> None:
    """With answers of 9 MB on the way, which no system takes off the server's hands."""
    document = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(tmp_path, body_seconds=1) as server, hostile(server, 2, b"") as connections:
        for connection in connections:
            connection.settimeout(0.01)
        for _ in range(300):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(document)
            time.sleep(0.005)
        deadline = time.monotonic() + 10
        while established(server) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not established(server)


def established(server: Server) -> int:
    """Connections that the server holds."""
    return sum(
        line.split()[3] in ("01", "08") and line.split()[1].endswith(f":{server.port:04X}") and line.split()[9] != "0"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
    )


def test_large_bodies_without_an_end_leave_room_for_small_ones(tmp_path: Path) -> None:
    size = 300_000
    body = POST + b"Content-Length: %d\r\n\r\n" % size + bytes(size - 1)
    with serving(tmp_path, max_body_bytes=size) as server, hostile(server, 8, body):
        assert server.predict(PNG).json()["label"] == "5"
