"""Who may call, how often, and from which pages."""

import asyncio
from collections.abc import Iterator

import pytest
import requests
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from starlette.types import Message

from app.api.main import create_app
from app.settings import Settings
from tests.support import coroutines
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded

PNG = encoded(drawn(5))
KEYS = ("first-key", "second-key", "third-key", "fourth-key", "fifth-key")
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Behind one proxy, with keys; 12 pictures a minute from an address, 30 with a key."""
    with serving(
        tmp_path_factory.mktemp("api"),
        api_keys=", ".join(KEYS),
        trusted_proxies=1,
        rate_per_address=12,
        rate_per_key=30,
        cors_origins="https://example.org",
    ) as server:
        yield server


def code(answer: requests.Response) -> str:
    return "" if answer.ok else str(answer.json()["code"])


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": KEYS[0]}, {"X-API-Key": KEYS[1]}, {"Authorization": f"Bearer {KEYS[1]}"}]
)
def test_a_right_key(api: Server, headers: dict[str, str]) -> None:
    assert api.predict(PNG, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "missing_key"),
        ({"X-API-Key": ""}, "missing_key"),
        ({"Authorization": "Basic Zmlyc3Qta2V5"}, "missing_key"),
        ({"X-API-Key": "first-ke"}, "wrong_key"),
        ({"X-API-Key": "first-key2"}, "wrong_key"),
        ({"X-API-Key": "first-key, second-key"}, "wrong_key"),
        ({"Authorization": "Bearer \xff\xfe"}, "wrong_key"),
    ],
)
def test_no_right_key(api: Server, headers: dict[str, str], expected: str) -> None:
    answer = api.predict(PNG, headers=headers)
    assert (answer.status_code, code(answer)) == (401, expected)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/alphabets/", "/alphabets", "/metrics"])
def test_what_else_needs_a_key(api: Server, path: str) -> None:
    assert requests.get(api.url + path, timeout=5).status_code == 401
    assert requests.get(api.url + path, headers={"X-API-Key": KEYS[0]}, timeout=5).status_code == 200


OPEN = ["/", "/health/live", "/health/ready", "/openapi.json", "/docs"]
OPEN += ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"]


def keyed_app() -> FastAPI:
    return create_app(Settings(api_keys=(SecretStr(KEYS[0]),)))


async def unguarded(app: FastAPI) -> set[str]:
    """The paths of all routes, in the document or not, that answer anything but 401 to a caller without a key."""
    async with app.router.lifespan_context(app):
        return {
            str(route.path)
            for route in iter_route_contexts(app.routes)
            for method in route.methods or {"GET"}
            if await status(app, method, str(route.path)) != 401
        }


async def status(app: FastAPI, method: str, path: str) -> int:
    """Of the answer to a request without headers or body."""
    answers: list[Message] = []
    received = asyncio.Event()

    async def receive() -> Message:
        if not received.is_set():
            received.set()
            return {"type": "http.request"}
        await asyncio.sleep(60)  # who sends a file listens meanwhile whether the caller goes
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "client": (HERE, 1)}
    await app(scope, receive, send)
    return int(answers[0]["status"])


def test_every_route_needs_a_key_but_for_the_open_ones() -> None:
    assert coroutines.run(unguarded(keyed_app())) == set(OPEN)


def test_a_new_route_that_nobody_guards_is_found() -> None:
    app = keyed_app()
    router = APIRouter()

    @router.post("/new/", include_in_schema=False)
    async def new() -> None:
        pass

    app.include_router(router)
    app.mount("/mounted", FastAPI())
    assert coroutines.run(unguarded(app)) == {*OPEN, "/new/", "/mounted"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, "missing_key"), ({"X-API-Key": KEYS[0], "X-Forwarded-For": "203.0.113.80"}, "unknown_alphabet")],
)
def test_the_key_comes_before_the_alphabet_and_that_before_the_body(
    api: Server, headers: dict[str, str], expected: str
) -> None:
    for path in ("/predict/", "/predict/batch/", "/read/", "/read/batch/"):
        assert code(requests.post(f"{api.url}{path}?alphabet=elvish", headers=headers, timeout=5)) == expected


@pytest.mark.parametrize("path", OPEN)
def test_what_everybody_may_see(api: Server, path: str) -> None:
    assert requests.get(api.url + path, timeout=5).status_code == 200


def test_keys_are_in_no_log(api: Server) -> None:
    api.predict(PNG, headers={"X-API-Key": "a-guess-at-a-key"})
    for key in (*KEYS, "a-guess-at-a-key"):
        assert key not in api.output.read_text()


def from_address(api: Server, address: str, key: str = KEYS[0]) -> requests.Response:
    return requests.get(api.url + "/alphabets/", headers={"X-Forwarded-For": address, "X-API-Key": key}, timeout=5)


def test_an_address_has_its_rate(api: Server) -> None:
    answers = [from_address(api, HERE) for _ in range(13)]
    assert [code(answer) for answer in answers] == [""] * 12 + ["too_many_requests"]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert code(from_address(api, ELSEWHERE)) == ""


def test_a_forged_header_does_not_hide_an_address(api: Server) -> None:
    """The proxy appends who called it; what stands before is the caller's invention."""
    answers = [from_address(api, f"10.0.0.{i}, 203.0.113.50") for i in range(13)]
    assert code(answers[-1]) == "too_many_requests"


def test_a_forged_local_address_is_no_way_around(api: Server) -> None:
    answers = [from_address(api, "127.0.0.1, 203.0.113.51") for _ in range(13)]
    assert code(answers[-1]) == "too_many_requests"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "this machine"])
def test_a_forwarded_local_address_is_not_this_machine(api: Server, address: str) -> None:
    answers = [from_address(api, address, key="a-guess") for _ in range(13)]
    assert code(answers[-1]) == "too_many_requests"


def test_spaces_around_a_key_do_not_count(api: Server) -> None:
    head = b"GET /alphabets/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: first-key \r\n\r\n"
    assert api.raw(head).startswith(b"HTTP/1.1 200 ")


def test_an_ipv6_network_counts_as_one_address(api: Server) -> None:
    answers = [from_address(api, f"2001:db8:1:2::{i:x}", KEYS[2]) for i in range(13)]
    assert code(answers[-1]) == "too_many_requests"
    assert code(from_address(api, "2001:db8:1:3::1", KEYS[2])) == ""


def test_guessing_keys_is_limited_too(api: Server) -> None:
    answers = [from_address(api, "203.0.113.60", key=f"guess-{i}") for i in range(13)]
    assert [code(answer) for answer in answers] == ["wrong_key"] * 12 + ["too_many_requests"]


def test_a_batch_counts_by_its_files(api: Server) -> None:
    headers = {"X-Forwarded-For": "203.0.113.70", "X-API-Key": KEYS[3]}
    files = [("files", ("x", PNG))] * 10
    first = requests.post(api.url + "/predict/batch/", files=files, headers=headers, timeout=9)
    second = requests.post(api.url + "/predict/batch/", files=files, headers=headers, timeout=9)
    assert (code(first), code(second)) == ("", "too_many_requests")


def test_a_key_has_its_rate_over_all_addresses(api: Server) -> None:
    answers = [from_address(api, f"192.0.2.{i}", key=KEYS[1]) for i in range(31)]
    assert code(answers[-1]) == "too_many_requests"
    assert code(from_address(api, "192.0.2.99", key=KEYS[4])) == ""


def test_an_allowed_origin_may_read_answers(api: Server) -> None:
    origin = {"Origin": "https://example.org"}
    asked = requests.options(
        api.url + "/predict/",
        headers=origin | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"},
        timeout=5,
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "https://example.org"
    answer = api.predict(PNG, headers=origin | {"X-API-Key": KEYS[0]})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_origins_may_not(api: Server) -> None:
    answer = api.predict(PNG, headers={"Origin": "https://example.com", "X-API-Key": KEYS[0]})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_document_tells_of_keys(api: Server) -> None:
    document = requests.get(api.url + "/openapi.json", timeout=5).json()
    assert document["paths"]["/predict/"]["post"]["security"] == [{"key": []}, {"bearer": []}]
    assert "security" not in document["paths"]["/health/live"]["get"]


@pytest.mark.parametrize("path", ["/", "/predict/", "/docs", "/nowhere"])
def test_security_headers(api: Server, path: str) -> None:
    headers = requests.get(api.url + path, timeout=5).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors 'none'")
    assert "Server" not in headers
