"""The pages' logic, run by Streamlit's own AppTest with the canvas replaced, before an API that answers as told."""

import gc
import json
import tomllib
from collections.abc import Iterator

import pytest
import streamlit as st

from app.ui import alphabets
from app.ui.views import draw
from tests.support.page import DIGITS, PAGE, Pen, api_of_the_page, opened, text_of
from tests.support.scripted_api import SEVEN, Api

pytestmark = pytest.mark.usefixtures("packages_of_the_image")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with api_of_the_page(monkeypatch) as api:
        yield api


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    pen = Pen()
    monkeypatch.setattr(draw, "canvas", pen.canvas)
    return pen


def predictions(api: Api) -> list[bytes]:
    """The bodies of the forms that a label was asked for."""
    return [call.body for call in api.asked if call.path == "/predict/?glyph=true&alphabet=digits&trial=true"]


def test_nothing_is_asked_before_a_stroke(api: Api, pen: Pen) -> None:
    assert "The answer appears here." in text_of(opened())
    assert [call.path for call in api.asked] == ["/alphabets/"]


def test_a_drawing_is_answered_and_asked_once(api: Api, pen: Pen) -> None:
    app = opened()
    pen.drawing = b"seven"
    text = text_of(app.run())
    assert '<p class="answer-label">7</p>' in text
    assert "Very likely: 99.8%" in text
    app.run()
    (asked,) = predictions(api)
    assert b"\r\n\r\nseven\r\n" in asked


def test_the_first_key_is_shown(api: Api, pen: Pen) -> None:
    pen.drawing = b"seven"
    opened()
    assert {call.headers["X-API-Key"] for call in api.asked} == {"one"}


def test_undo_comes_back_to_a_known_answer(api: Api, pen: Pen) -> None:
    app = opened()
    for pen.drawing in (b"one stroke", b"two strokes", b"one stroke"):
        app.run()
    first, second = predictions(api)
    assert b"\r\n\r\none stroke\r\n" in first
    assert b"\r\n\r\ntwo strokes\r\n" in second


def test_two_visitors_share_no_answers(api: Api, pen: Pen) -> None:
    pen.drawing = b"mine"
    assert "Very likely" in text_of(opened())
    pen.drawing = b""
    assert "The answer appears here." in text_of(opened())


def test_an_unsure_answer_offers_the_runner_up(api: Api, pen: Pen) -> None:
    api.body = json.dumps(SEVEN | {"sure": False, "confidence": 0.6})
    pen.drawing = b"scribble"
    assert "It may also be 1" in text_of(opened())


def test_a_dot_is_no_error(api: Api, pen: Pen) -> None:
    app = opened()
    refusal = {"error": "Image is blank. Please provide a valid digit.", "code": "blank_image", "request_id": "r"}
    api.status, api.body = 400, json.dumps(refusal)
    pen.drawing = b"dot"
    assert "Only a dot so far" in text_of(app.run())


def test_a_picture_that_cannot_be_read_is_told_in_the_api_s_words(api: Api, pen: Pen) -> None:
    app = opened()
    api.status, api.body = 415, json.dumps({"error": "Not a <picture>.", "code": "not_a_picture", "request_id": "r"})
    pen.drawing = b"noise"
    assert '<p class="quiet">Not a &lt;picture&gt;.</p>' in text_of(app.run())


def test_trouble_is_told_and_ends(api: Api, pen: Pen) -> None:
    api.there = False
    pen.drawing = b"seven"
    app = opened()
    assert "The recognizer is away at the moment." in text_of(app)
    api.there = True
    assert "Very likely" in text_of(app.run())


def test_trouble_without_remedy_is_told(api: Api, pen: Pen) -> None:
    api.status = 401
    pen.drawing = b"seven"
    assert "does not accept this page&#x27;s key" in text_of(opened())


def test_one_alphabet_is_no_choice_and_two_are(api: Api, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[list[str], str]] = []
    monkeypatch.setattr(alphabets, "choice", lambda _name, _label, titles, of: shown.append(([*titles.values()], of)))
    opened()
    assert not shown
    roman = {"name": "roman_numerals", "labels": ["I", "V"], "version": "1"}
    api.bodies["/alphabets/"] = json.dumps({"alphabets": [DIGITS, roman]})
    st.cache_resource.clear()
    pen.drawing = b"five"
    app = opened()
    assert shown == [(["Digits", "Roman numerals"], "digits")]
    assert "<b>1</b>" in text_of(app)
    api.there = False
    st.cache_resource.clear()
    app.run()
    assert len(shown) == 2, "the choice has gone with the API"


def test_no_collection_of_garbage_comes_between_a_stroke_and_its_answer(api: Api) -> None:
    """It stops the thread that sends the answer, for longer than the answer takes."""
    opened()
    assert gc.get_freeze_count() > 10_000
    assert tomllib.loads((PAGE.parent / ".streamlit" / "config.toml").read_text())["runner"] == {"postScriptGC": False}
