"""The page's client against a server that answers as told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.settings import Settings
from app.ui import client as module
from app.ui.client import Answer, Client, Refusal, Trouble
from tests.support.scripted_api import SEVEN, Api, scripted_api


@pytest.fixture
def api() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


def asked_of(api: Api, **settings: Any) -> Client:
    return Client(Settings(api_url=api.url, **settings))


def test_an_answer_is_understood(api: Api) -> None:
    answer = asked_of(api).predict(b"picture", "digits")
    assert answer == Answer.model_validate(SEVEN)
    assert api.asked[0][0] == "/predict/?glyph=true&alphabet=digits"


def test_the_first_key_is_shown(api: Api) -> None:
    asked_of(api, api_keys="one, two").predict(b"picture")
    assert api.asked[0][1]["X-API-Key"] == "one"


def test_a_refused_picture_is_an_answer(api: Api) -> None:
    api.status, api.body = 400, json.dumps({"error": "Image is blank.", "code": "blank_image", "request_id": "x"})
    assert asked_of(api).predict(b"picture") == Refusal(error="Image is blank.", code="blank_image")


def test_a_batch_keeps_order_and_failures(api: Api) -> None:
    api.body = json.dumps({"results": [SEVEN, {"error": "Not a picture.", "code": "not_a_picture"}], "request_id": "x"})
    first, second = asked_of(api).predict_all([b"a", b"b"])
    assert isinstance(first, Answer)
    assert isinstance(second, Refusal)


@pytest.mark.parametrize(
    ("status", "headers", "says", "again_in"),
    [
        (401, {}, "does not accept this page's key", None),
        (429, {"Retry-After": "7"}, "wait 7 seconds", 7),
        (503, {"Retry-After": "3"}, "busy with others", 3),
        (503, {"Retry-After": "Sat, 21 Nov 2026 07:28:00 GMT"}, "busy with others", 2),
        (429, {"Retry-After": "86400"}, "wait 60 seconds", 60),
        (500, {}, "Something went wrong", 5),
        (502, {}, "Something went wrong", 5),
    ],
)
def test_every_trouble_is_a_sentence(
    api: Api, status: int, headers: dict[str, str], says: str, again_in: float | None
) -> None:
    api.status, api.headers, api.body = status, headers, "<html>Traceback</html>"
    with pytest.raises(Trouble, match=says) as raised:
        asked_of(api).predict(b"picture")
    assert raised.value.again_in == again_in
    assert "Traceback" not in str(raised.value)


def test_nobody_at_home() -> None:
    with pytest.raises(Trouble, match="away at the moment") as raised:
        Client(Settings(api_url="http://127.0.0.1:1")).predict(b"picture")
    assert raised.value.again_in == 2
    assert not Client(Settings(api_url="http://127.0.0.1:1")).is_ready()


def test_no_answer_in_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    api.wait.clear()
    with pytest.raises(Trouble, match="longer than usual"):
        asked_of(api).predict(b"picture")


def test_an_answer_of_another_version(api: Api) -> None:
    api.body = json.dumps({"digit": 7})
    with pytest.raises(Trouble, match="different versions") as raised:
        asked_of(api).predict(b"picture")
    assert raised.value.again_in is None


def test_alphabets_are_read(api: Api) -> None:
    api.body = json.dumps({"alphabets": [{"name": "digits", "labels": ["0", "1"], "version": "1", "sure_from": 0.9}]})
    assert [one.name for one in asked_of(api).alphabets()] == ["digits"]
