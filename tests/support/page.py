"""The page's script, run by Streamlit's own AppTest before an API that answers as told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import settings
from app.ui import session
from tests.support.scripted_api import Api, scripted_api

PAGE = Path(__file__).parents[2] / "app" / "ui" / "page.py"

DIGITS = {
    "name": "digits",
    "labels": ["1", "7"],
    "version": "1",
    "lines": True,
    "figures": {"t": {"accuracy": 0.9, "count": 10}},
}


class Pen:
    """Draws what a test says, in the pad's place."""

    drawing = b""

    def canvas(self, key: str, answer_key: str, width: int = 280, height: int = 280) -> bytes:
        return self.drawing


@contextmanager
def api_of_the_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The page's API; a page that is opened meanwhile knows nothing of others."""
    with scripted_api() as api:
        api.bodies["/alphabets/"] = json.dumps({"alphabets": [DIGITS]})
        monkeypatch.setenv("DIGITS_API_URL", api.url)
        monkeypatch.setenv("DIGITS_API_KEYS", "one, two")
        forget()
        yield api
        forget()


def forget() -> None:
    settings.load.cache_clear()
    session.client.cache_clear()
    st.cache_resource.clear()


def text_of(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(str(element.proto.body) for element in app.get("html"))


def opened() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=20).run()
