"""The page for looking after samples: who gets in, and what is done there; by AppTest, with the grid replaced."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from app.client.client import Client
from app.rates import RateLimit
from app.ui import grid as grid_itself
from app.ui import sign_in, visitors
from app.ui.grid import Done, Tile
from app.ui.views import review
from tests.support.page import api_of_the_page, forget, text_of
from tests.support.scripted_api import Api, Call

pytestmark = pytest.mark.usefixtures("packages_of_the_image")

KEY = "an-admins-key"


@dataclass
class Grid:
    """Shows nothing, and says that somebody has done what a test wants."""

    done: list[Done] = field(default_factory=list)
    tiles: Sequence[Tile] = ()
    labels: Sequence[tuple[str, str]] = ()
    page: str = ""
    taken: int = 0

    def show(self, page: str, tiles: Sequence[Tile], labels: Sequence[tuple[str, str]], taken: int) -> None:
        self.page, self.tiles, self.labels, self.taken = page, tiles, labels, taken


def sample(id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "alphabet": "digits",
        "label": "1",
        "reviewed": False,
        "answer": "7",
        "confidence": 0.61,
        "model": "1",
        "source": "canvas",
        "time": "2026-11-26T09:05:00Z",
        "picture": "data:image/png;base64,AAAA",
    } | changes


def samples_in(api: Api, *samples: dict[str, Any], next: str | None = None) -> None:
    """What the API lists from now on, whatever it is asked."""
    api.body = json.dumps({"samples": samples, "next": next, "request_id": "r"})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with api_of_the_page(monkeypatch) as api:
        samples_in(api, sample("a"), sample("b"), next="cursor")
        yield api


@pytest.fixture
def grid(monkeypatch: pytest.MonkeyPatch) -> Grid:
    grid = Grid()
    monkeypatch.setattr(review, "grid", grid.show)
    monkeypatch.setattr(review, "done", lambda: grid.done)
    return grid


def view() -> None:
    from app.ui.views.review import review

    review()


def opened(key: str = KEY) -> AppTest:
    app = AppTest.from_function(view, default_timeout=20)
    if key:
        app.session_state["admin-key"] = key
    return app.run()


def listed(api: Api) -> list[Call]:
    return [call for call in api.asked if call.path.startswith("/samples/?")]


def asked(call: Call) -> dict[str, str]:
    query = parse_qs(urlsplit(call.path).query, keep_blank_values=True)
    return {name: value for name, (value,) in query.items()}


def test_without_a_key_nothing_is_shown_and_a_wrong_one_is_told(api: Api, grid: Grid) -> None:
    app = opened(key="")
    assert "For those who look after" in text_of(app)
    assert not grid.tiles
    assert not listed(api)
    api.status = 401
    app.text_input[0].set_value("a-guess")
    assert "This is not an admin key." in text_of(app.button[0].click().run())
    api.status, api.body = 404, json.dumps({"error": "Not Found.", "code": "not_found", "request_id": "r"})
    assert "DIGITS_ADMIN_KEYS has no key" in text_of(app.button[0].click().run())
    assert not grid.tiles
    api.status = 200
    samples_in(api, sample("a"))
    app.text_input[0].set_value(f" {KEY} ")
    app.button[0].click().run()
    assert [tile.id for tile in grid.tiles] == ["a"]
    assert listed(api)[-1].headers["X-API-Key"] == KEY


def test_keys_are_guessed_no_more_often_than_a_visitor_may_ask(
    api: Api, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(streamlit.context), "ip_address", "192.0.2.1")
    rate = RateLimit(1)
    monkeypatch.setattr(visitors, "_rate", lambda: rate)
    api.status = 401
    app = opened(key="")
    for guess, words in (("a-guess", "This is not an admin key."), ("another", "That was a lot in a short time.")):
        app.text_input[0].set_value(guess)
        assert words in text_of(app.button[0].click().run())
    assert [call.headers["X-API-Key"] for call in listed(api)] == ["a-guess"]


def test_a_guess_leaves_no_connection(api: Api, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Client] = []
    monkeypatch.setattr(Client, "close", lambda client: closed.append(client))
    api.status = 401
    app = opened(key="")
    app.text_input[0].set_value("a-guess")
    app.button[0].click().run()
    assert len(closed) == 1


def test_a_key_that_is_no_longer_one_is_asked_for_again(api: Api, grid: Grid) -> None:
    api.status = 401
    assert "For those who look after" in text_of(opened())


def test_the_queue_begins_with_what_is_doubtful_and_not_reviewed(api: Api, grid: Grid) -> None:
    opened()
    (call,) = listed(api)
    assert asked(call) == {"alphabet": "digits", "order": "doubtful", "reviewed": "false", "limit": "24"}
    assert grid.labels == [("1", "1"), ("7", "7")]
    first = grid.tiles[0]
    assert (first.label, first.answer, first.share) == ("1", "7", "61.0%")
    assert first.about == "2026-11-26 09:05 · Drawn · 1"


def test_filters_are_asked_for(api: Api, grid: Grid) -> None:
    app = opened()
    app.session_state["review-order"] = "suspect"
    for name, value in (("reviewed", "yes"), ("verdict", "wrong"), ("source", "upload")):
        app.selectbox(key=f"review-{name}").set_value(value)
    app.selectbox(key="review-digits-label").set_value("\0")
    app.selectbox(key="review-digits-answer").set_value("7").run()
    assert asked(listed(api)[-1]) == {
        "alphabet": "digits",
        "order": "suspect",
        "reviewed": "true",
        "verdict": "wrong",
        "label": "",
        "answer": "7",
        "source": "upload",
        "limit": "24",
    }


def test_what_is_done_is_done_once_and_stays_in_sight(api: Api, grid: Grid) -> None:
    app = opened()
    relabelled = json.dumps({"sample": sample("a", label="7", reviewed=True), "request_id": "r"})
    api.bodies |= {"/samples/a": relabelled, "/samples/b": json.dumps({"deleted": 1, "request_id": "r"})}
    grid.done = [
        Done(number=1, does="label", ids=["a", "elsewhere"], label="7"),
        Done(number=2, does="delete", ids=["b"]),
    ]
    app.run()
    app.run()
    changed = [call for call in api.asked if call.method in ("PATCH", "DELETE")]
    assert [(call.method, call.path) for call in changed] == [("PATCH", "/samples/a"), ("DELETE", "/samples/b")]
    assert json.loads(changed[0].body) == {"label": "7"}
    a, b = grid.tiles
    assert (a.label, a.reviewed, b.deleted, grid.taken) == ("7", True, True, 2)


def test_what_fails_is_told_where_it_failed(api: Api, grid: Grid) -> None:
    app = opened()
    api.statuses = {"/samples/a": 503, "/samples/b": 404}
    api.bodies["/samples/b"] = json.dumps({"error": "None.", "code": "unknown_sample", "request_id": "r"})
    grid.done = [Done(number=1, does="label", ids=["a", "b"], label="7")]
    app.run()
    a, b = grid.tiles
    assert "please try again" in a.trouble
    assert b.trouble == "gone"
    assert not a.reviewed


def test_the_next_ones_begin_where_these_end_and_then_from_the_start(api: Api, grid: Grid) -> None:
    app = opened()
    before = grid.page
    samples_in(api, sample("c"))
    grid.done = [Done(number=1, does="next", ids=[])]
    app.run()
    assert asked(listed(api)[-1])["after"] == "cursor"
    assert [tile.id for tile in grid.tiles] == ["c"]
    assert grid.page != before
    grid.done = [Done(number=2, does="next", ids=[])]
    app.run()
    assert "after" not in asked(listed(api)[-1])


def test_of_nothing_it_is_said(api: Api, grid: Grid) -> None:
    samples_in(api)
    assert "There is nothing of this kind." in text_of(opened())


def test_labels_are_keys_where_a_key_writes_them() -> None:
    assert grid_itself._keys(["0", "7"]) == {"0": "0", "7": "7"}
    assert grid_itself._keys(["а", "ґ"]) == {"а": "а", "ґ": "ґ"}
    assert grid_itself._keys(["零", "一"]) == {"零": "1", "一": "2"}


def test_who_has_signed_in_as_an_admin_needs_no_key(api: Api, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_ADMIN_KEYS", KEY)
    forget()
    monkeypatch.setattr(sign_in, "is_admin", lambda: True)
    opened(key="")
    assert listed(api)[-1].headers["X-API-Key"] == KEY
