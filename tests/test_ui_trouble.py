"""What a visitor reads when there is no answer, by what the API does."""

import json
from collections.abc import Iterator

import pytest

from app.client.client import Client
from app.client.errors import ApiError
from app.client.retries import NEVER
from app.ui.trouble import again_in, in_words
from tests.support.scripted_api import Api, scripted_api


@pytest.fixture
def api() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


def trouble_with(client: Client) -> ApiError:
    with pytest.raises(ApiError) as raised:
        client.predict(b"picture")
    return raised.value


@pytest.mark.parametrize(
    ("status", "headers", "says", "pause"),
    [
        (401, {}, "does not accept this page's key", None),
        (429, {"Retry-After": "7"}, "wait 7 seconds", 7),
        (503, {"Retry-After": "3"}, "busy with others", 3),
        (503, {"Retry-After": "0"}, "busy with others", 1),
        (503, {"Retry-After": "Sat, 21 Nov 2026 07:28:00 GMT"}, "busy with others", 1),
        (429, {"Retry-After": "86400"}, "wait 60 seconds", 60),
        (500, {}, "Something went wrong", 5),
        (502, {}, "Something went wrong", 5),
    ],
)
def test_every_trouble_is_a_sentence(
    api: Api, status: int, headers: dict[str, str], says: str, pause: float | None
) -> None:
    api.status, api.headers, api.body = status, headers, "<html>Traceback</html>"
    trouble = trouble_with(Client(api.url, retries=NEVER))
    assert says in in_words(trouble)
    assert "Traceback" not in in_words(trouble)
    assert again_in(trouble) == pause


def test_nobody_at_home() -> None:
    trouble = trouble_with(Client("http://127.0.0.1:1", retries=NEVER))
    assert "away at the moment" in in_words(trouble)
    assert again_in(trouble) == 2


def test_no_answer_in_time(api: Api) -> None:
    api.wait.clear()
    trouble = trouble_with(Client(api.url, answer_seconds=0.2, retries=NEVER))
    assert "longer than usual" in in_words(trouble)
    assert again_in(trouble) == 2


def test_an_answer_of_another_version(api: Api) -> None:
    api.body = json.dumps({"digit": 7})
    trouble = trouble_with(Client(api.url, retries=NEVER))
    assert "different versions" in in_words(trouble)
    assert again_in(trouble) is None


def test_a_batch_that_the_api_refuses_is_of_another_version(api: Api) -> None:
    api.status, api.body = 400, json.dumps({"error": "Too many.", "code": "too_many_files", "request_id": "x"})
    with pytest.raises(ApiError) as raised:
        Client(api.url, retries=NEVER).predict_batch([b"picture"] * 2)
    assert "different versions" in in_words(raised.value)
    assert again_in(raised.value) is None
