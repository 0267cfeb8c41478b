"""The client against a server that answers as told."""

import json
from collections.abc import Iterator

import pytest

from app.client.client import Client
from app.client.errors import (
    ApiError,
    Busy,
    Incompatible,
    Later,
    Refused,
    ServerFailed,
    TimedOut,
    TooManyRequests,
    Unreachable,
    WrongKey,
)
from app.client.models import Answer, Failed, Problem, Read, ReadAnswer, Recognized
from tests.support.scripted_api import SEVEN, Api, scripted_api


@pytest.fixture
def api() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


def test_an_answer_is_understood(api: Api) -> None:
    answer = Client(api.url + "/").predict(b"picture", "digits", glyph=True)
    assert answer == Answer.model_validate(SEVEN)
    assert isinstance(answer, Answer)
    assert answer.label == "7"
    assert answer.confidences == {"7": 0.998, "1": 0.002}
    assert api.asked[0].path == "/predict/?glyph=true&alphabet=digits"
    assert b"picture" in api.asked[0].body


def test_nothing_is_asked_for_that_is_not_wanted(api: Api) -> None:
    Client(api.url).predict(b"picture")
    assert api.asked[0].path == "/predict/"


def test_an_answer_of_a_later_version_is_understood(api: Api) -> None:
    """It has more, and less of what is not needed."""
    later = {key: value for key, value in SEVEN.items() if key not in ("predicted_digit", "request_id")}
    api.body = json.dumps(later | {"mood": "cheerful"})
    answer = Client(api.url).predict(b"picture")
    assert isinstance(answer, Answer)
    assert (answer.label, answer.predicted_digit, answer.request_id) == ("7", None, "")


@pytest.mark.parametrize(("key", "shown"), [("one", "one"), ("", None), (None, None)])
def test_a_key_is_shown(api: Api, key: str | None, shown: str | None) -> None:
    Client(api.url, key).predict(b"picture")
    assert api.asked[0].headers.get("X-API-Key") == shown


def test_a_refused_picture_is_an_answer(api: Api) -> None:
    api.status, api.body = 400, json.dumps({"error": "Image is blank.", "code": "blank_image", "request_id": "x"})
    refusal = Client(api.url).predict(b"picture")
    assert refusal == Problem(error="Image is blank.", code="blank_image", request_id="x")


def test_a_batch_keeps_order_and_failures(api: Api) -> None:
    api.body = json.dumps({"results": [SEVEN, {"error": "Not a picture.", "code": "not_a_picture"}], "request_id": "x"})
    first, second = Client(api.url).predict_batch([b"a", b"b"])
    assert isinstance(first, Recognized)
    assert first.label == "7"
    assert second == Failed(error="Not a picture.", code="not_a_picture")


def test_a_batch_that_is_refused_as_a_whole(api: Api) -> None:
    api.status, api.body = 400, json.dumps({"error": "Too many.", "code": "too_many_files", "request_id": "x"})
    with pytest.raises(Refused, match=r"status 400: Too many\."):
        Client(api.url).predict_batch([b"a", b"b"])


YEAR = {
    "text": "20\n26",
    "confidence": 0.9,
    "sure": True,
    "lines": [{"text": "20", "confidence": 0.95}, {"text": "26", "confidence": 0.96}],
    "characters": [{"label": label, "confidence": 0.98, "box": [1, 2, 3.5, 4]} for label in "2026"],
    "model": {"alphabet": "digits", "version": "1"},
    "request_id": "abc",
}


def test_a_text_is_understood(api: Api) -> None:
    api.body = json.dumps(YEAR | {"mood": "cheerful"})
    answer = Client(api.url).read(b"picture", "digits")
    assert answer == ReadAnswer.model_validate(YEAR)
    assert isinstance(answer, ReadAnswer)
    assert answer.characters[0].box == (1, 2, 3.5, 4)
    assert api.asked[0].path == "/read/?alphabet=digits"
    assert b"picture" in api.asked[0].body
    assert b"boxes" not in api.asked[0].body


def test_boxes_are_sent_along(api: Api) -> None:
    api.body = json.dumps(YEAR)
    Client(api.url).read(b"picture", boxes=[(1, 2, 3.5, 4), (5, 6, 7, 8)])
    assert api.asked[0].path == "/read/"
    assert b'name="boxes"\r\n\r\n[[1, 2, 3.5, 4], [5, 6, 7, 8]]\r\n' in api.asked[0].body


def test_texts_keep_order_and_failures(api: Api) -> None:
    api.body = json.dumps({"results": [YEAR, {"error": "Not a picture.", "code": "not_a_picture"}], "request_id": "x"})
    first, second = Client(api.url).read_batch([b"a", b"b"])
    assert isinstance(first, Read)
    assert first.text == "20\n26"
    assert second == Failed(error="Not a picture.", code="not_a_picture")
    assert api.asked[0].path == "/read/batch/"


def test_an_alphabet_without_lines(api: Api) -> None:
    """Is told of one picture, and refused of several."""
    api.status, api.body = 422, json.dumps({"error": "No lines.", "code": "no_lines", "request_id": "x"})
    refusal = Client(api.url).read(b"picture", "letters")
    assert refusal == Problem(error="No lines.", code="no_lines", request_id="x")
    with pytest.raises(Refused, match=r"status 422: No lines\."):
        Client(api.url).read_batch([b"a", b"b"], "letters")


def test_alphabets_are_read(api: Api) -> None:
    api.body = json.dumps({"alphabets": [{"name": "digits", "labels": ["0", "1"], "version": "1", "sure_from": 0.9}]})
    (digits,) = Client(api.url).alphabets()
    assert (digits.name, digits.labels, digits.lines, digits.figures) == ("digits", ["0", "1"], False, {})


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_after"),
    [
        (401, {}, WrongKey, None),
        (429, {"Retry-After": "7"}, TooManyRequests, 7),
        (503, {"Retry-After": "3"}, Busy, 3),
        (503, {}, Busy, None),
        (503, {"Retry-After": "Sat, 21 Nov 2026 07:28:00 GMT"}, Busy, None),
        (429, {"Retry-After": "86400"}, TooManyRequests, 86400),
        (500, {}, ServerFailed, None),
        (502, {}, ServerFailed, None),
        (404, {}, Incompatible, None),
    ],
)
def test_every_failure_has_its_exception(
    api: Api, status: int, headers: dict[str, str], kind: type[ApiError], retry_after: float | None
) -> None:
    api.status, api.headers, api.body = status, headers, "<html>Traceback</html>"
    with pytest.raises(kind, match=f"status {status}") as raised:
        Client(api.url).predict(b"picture")
    assert "Traceback" not in str(raised.value)
    if isinstance(raised.value, Later):
        assert raised.value.retry_after == retry_after


def test_nobody_at_home() -> None:
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:1").predict(b"picture")
    assert not Client("http://127.0.0.1:1").is_ready()


def test_no_answer_in_time(api: Api) -> None:
    api.wait.clear()
    with pytest.raises(TimedOut):
        Client(api.url, answer_seconds=0.2).predict(b"picture")


def test_an_answer_of_another_version(api: Api) -> None:
    api.body = json.dumps({"digit": 7})
    with pytest.raises(Incompatible):
        Client(api.url).predict(b"picture")


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False), (500, False)])
def test_ready(api: Api, status: int, ready: bool) -> None:
    api.status = status
    assert Client(api.url).is_ready() == ready
    assert api.asked[0].path == "/health/ready"


def test_no_proxy_is_asked(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Client(api.url).is_ready()
