"""What strangers may do to a running page: its memory stays small, and others are served meanwhile."""

import base64
import io
import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import requests
from PIL import Image
from starlette.responses import PlainTextResponse
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from app.settings import Settings
from app.ui import server
from app.ui.uploads import MOST_EACH
from app.ui.visitors import MOST_PAGES_EACH
from tests.browser.servers import Server
from tests.support.pictures import drawn, encoded
from tests.support.ports import free_port
from tests.support.scripted_api import SEVEN, Api, scripted_api
from tests.support.visitor import Visitor

PER_MINUTE = 5

SEVENS = {"results": [SEVEN] * 2}


class Page(Server):
    def __init__(self, api: Api, **settings: str) -> None:
        port = free_port()
        self.address = "127.0.0.1", port
        self.url = f"http://127.0.0.1:{port}"
        environment = {"DIGITS_UI_PORT": str(port), "DIGITS_API_URL": api.url, "DIGITS_TRUSTED_PROXIES": "1"}
        super().__init__("app.ui", f"{self.url}/_stcore/health", environment | settings)

    def memory(self) -> int:
        """The most bytes that were ever resident."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    def visitor(self, address: str = "") -> Visitor:
        """One from outside, where an address is given, else on this machine."""
        return Visitor(self.url, {"X-Forwarded-For": address} if address else None)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with scripted_api() as api:
        alphabet = {"name": "digits", "labels": ["1", "7"], "version": "1", "figures": {}}
        api.bodies["/alphabets/"] = json.dumps({"alphabets": [alphabet]})
        yield api


@contextmanager
def serving(api: Api, **settings: str) -> Iterator[Page]:
    page = Page(api, **settings)
    page.start()
    try:
        yield page
    finally:
        page.stop()


@pytest.fixture(scope="module")
def page(api: Api) -> Iterator[Page]:
    with serving(api, DIGITS_RATE_PER_ADDRESS=str(PER_MINUTE)) as page:
        yield page


def drawing(number: int) -> str:
    return f"data:image/png;base64,{base64.b64encode(b'drawing %d' % number).decode()}"


def address_in(shown: str) -> str:
    return shown.partition('<img src="')[2].partition('"')[0]


def test_answers_are_counted_by_visitor(page: Page) -> None:
    with page.visitor("203.0.113.2") as greedy, page.visitor("192.0.2.1, 203.0.113.2") as again:
        for number in range(PER_MINUTE):
            assert "answer-label" in greedy.draw(drawing(number))
        assert "answer-label" in greedy.draw(drawing(0)), "known answers cost nothing"
        for pages in (greedy, again):
            assert "That was a lot in a short time. Please wait" in pages.draw(drawing(99))
    with page.visitor("203.0.113.3") as other, page.visitor() as local:
        assert "answer-label" in other.draw(drawing(99))
        for number in range(2 * PER_MINUTE):
            assert "answer-label" in local.draw(drawing(number))


def test_what_is_uploaded_has_a_bound_and_leaves_room_for_others(page: Page) -> None:
    large = os.urandom(9_000_000)
    with page.visitor("203.0.113.4") as greedy, page.visitor("203.0.113.5") as other, ThreadPoolExecutor(10) as pool:
        greedy.run()
        statuses = [answer.status_code for answer in pool.map(greedy.upload, [large] * 30)]
        assert sorted(statuses) == [204] * (MOST_EACH // len(large)) + [413] * (30 - MOST_EACH // len(large))
        refusal = greedy.upload(large).text
        assert refusal == "There is no room for this file. Please remove some, or try again later."
        assert "answer-label" in other.look_at(encoded(drawn(7)))
        assert "answer-label" in other.draw(drawing(1))
    assert page.memory() < 200e6


def test_many_small_files_count_more_than_they_hold(page: Page) -> None:
    with page.visitor("203.0.113.6") as greedy, ThreadPoolExecutor(8) as pool:
        greedy.run()
        statuses = [answer.status_code for answer in pool.map(greedy.upload, [b"x"] * 520)]
    assert set(statuses) == {204, 413}


def test_removed_files_and_ended_sessions_make_room(page: Page) -> None:
    large = os.urandom(9_000_000)
    with page.visitor("203.0.113.9") as visitor:
        for name in ("a", "b", "c"):
            assert visitor.upload(large, name).status_code == 204
        assert visitor.upload(large, "d").status_code == 413
        assert visitor.remove("a").status_code == 204
        assert visitor.upload(large, "d").status_code == 204
    with page.visitor("203.0.113.9") as again:
        assert again.upload(large).status_code == 204


def test_a_picture_that_is_large_only_when_decoded(page: Page) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (5000, 5000), "white").save(buffer, "WEBP", lossless=True)
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        visitors = [stack.enter_context(page.visitor()) for _ in range(6)]
        shown = list(pool.map(lambda visitor: visitor.look_at(buffer.getvalue()), visitors))
    assert all('<img src="/media/' in one for one in shown)
    assert page.memory() < 200e6


def test_pictures_are_shown_as_they_were_sent(page: Page) -> None:
    picture = encoded(drawn(7))
    with page.visitor() as visitor:
        shown = requests.get(page.url + address_in(visitor.look_at(picture)), timeout=10)
        assert (shown.content, shown.headers["content-type"]) == (picture, "image/png")
        assert "Your picture" not in visitor.look_at(b"<html><script>")


def test_who_fetches_files_and_takes_none_holds_few(api: Api) -> None:
    """Each file is fetched and not read, then taken off the page; those on their way are not in the uploads' share."""
    with ExitStack() as stack:
        page = stack.enter_context(serving(api, DIGITS_RATE_PER_ADDRESS="0"))
        visitor = stack.enter_context(page.visitor("203.0.113.30"))
        for number in range(25):
            with suppress(requests.HTTPError):
                shown = visitor.look_at(b"BM%d" % number + bytes(9_000_000))
                request = f"GET {address_in(shown)} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.30\r\n\r\n"
                connection = stack.enter_context(socket.create_connection(page.address))
                connection.sendall(request.encode())
                time.sleep(0.02)
                visitor.remove(visitor.file)
        other = stack.enter_context(page.visitor("203.0.113.31"))
        assert "answer-label" in other.look_at(encoded(drawn(7)))
        assert page.memory() < 300e6


def test_a_message_has_a_bound(page: Page) -> None:
    with page.visitor() as visitor, pytest.raises(ConnectionClosedError, match="1009"):
        visitor.draw("x" * server.MOST_MESSAGE_BYTES)


EMPTY = b"\x82\x80\0\0\0\0"
"""A whole message of no bytes, as a websocket has it; then the beginning of one, and a part."""
BEGIN, PART = b"\x02\x80\0\0\0\0", b"\0\x80\0\0\0\0"


def test_parts_of_a_message_have_a_bound(page: Page) -> None:
    with page.visitor() as visitor:
        visitor.socket.socket.sendall(BEGIN + PART * 3000)
        with pytest.raises(ConnectionClosedError, match="1009"):
            visitor.socket.recv(10)


def test_many_messages_keep_nobody_else_waiting(page: Page) -> None:
    with ExitStack() as stack:
        for _ in range(60):
            flood = stack.enter_context(page.visitor("203.0.113.40")).socket.socket
            flood.sendall(EMPTY * 100_000)
            stack.callback(flood.shutdown, socket.SHUT_RDWR)
        other = stack.enter_context(page.visitor("203.0.113.41"))
        assert "answer-label" in other.draw(drawing(1))
    assert page.memory() < 200e6


def test_headers_have_a_bound(page: Page) -> None:
    headers = b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"X-Long: " + b"x" * 100_000 + b"\r\n") * 1000
    with socket.create_connection(page.address, timeout=10) as connection, pytest.raises(ConnectionError):
        connection.sendall(headers)
    assert page.memory() < 200e6


def test_headers_have_a_time(api: Api) -> None:
    with serving(api, DIGITS_BODY_SECONDS="1") as page:
        for sent in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n"):
            with socket.create_connection(page.address, timeout=20) as connection:
                connection.sendall(sent)
                assert connection.recv(1000) == b""


def test_one_visitor_opens_only_so_many_pages(page: Page) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_PAGES_EACH):
            stack.enter_context(page.visitor("203.0.113.10"))
        with pytest.raises(InvalidStatus, match="403"):
            page.visitor("203.0.113.10")
        other = stack.enter_context(page.visitor("203.0.113.11"))
        assert "answer-label" in other.draw(drawing(1))
    with page.visitor("203.0.113.10") as again:
        assert "answer-label" in again.draw(drawing(2))


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "Digit Recognition"),
        ("/number", "Number · Digit Recognition"),
        ("/upload", "Upload · Digit Recognition"),
        ("/how-good", "How good is it? · Digit Recognition"),
        ("/api", "API · Digit Recognition"),
        ("/nowhere", "Digit Recognition"),
    ],
)
def test_link_previews_are_told_what_the_page_is(page: Page, path: str, title: str) -> None:
    for headers in ({}, {"If-None-Match": requests.get(page.url + path, timeout=10).headers.get("ETag", "none")}):
        answer = requests.get(page.url + path, headers=headers, timeout=10)
        assert answer.status_code == 200
        assert f"<title>{title}</title>" in answer.text
        for name in ('name="description"', f'property="og:title" content="{title}"', 'property="og:description"'):
            assert f"<meta {name}" in answer.text
    assert requests.head(page.url + path, timeout=10).headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/component/x",
        "/_stcore/other",
        "/_stcore/bidi-components/other/x",
    ],
)
def test_what_the_page_does_not_need_is_not_found(page: Page, path: str) -> None:
    answer = requests.get(page.url + path, timeout=10)
    assert (answer.status_code, answer.text) == (404, "Not Found")


def test_nobody_uploads_without_having_signed_in(api: Api) -> None:
    settings = dict.fromkeys(["CLIENT_ID", "CLIENT_SECRET", "COOKIE_SECRET", "METADATA_URL"], "https://example.org")
    settings = {f"DIGITS_OIDC_{name}": value for name, value in settings.items()} | {"DIGITS_OIDC_REDIRECT_URI": "x"}
    with serving(api, **settings) as page, page.visitor() as visitor:
        for cookies in ({}, {"_streamlit_user": "forged"}):
            answer = visitor.upload(b"picture", **cookies)
            assert (answer.status_code, answer.text) == (403, "Please sign in first.")


def test_idle_connections_outlive_a_load_balancer_s() -> None:
    assert server.configuration(PlainTextResponse(), Settings()).timeout_keep_alive > 60
