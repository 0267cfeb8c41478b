"""The pad's drawing as the page's script gets it from the browser, which is not to be trusted."""

import base64
from typing import Any

import pytest

from app.ui import canvas as pad

PNG = bytes(range(200))


def drawing_of(state: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(pad, "_pad", lambda *_: lambda **_: state)
    return pad.canvas("drawing", "answer")


@pytest.mark.parametrize("sent", [None, "", "x", 7, "data:image/png;base64,?", "data:image/png;base64,\u00e9"])
def test_what_is_no_drawing_is_none(sent: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawing_of({"drawing": sent}, monkeypatch) == b""


def test_the_answer_tells_the_drawing_by_the_end_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert drawing_of({"drawing": address}, monkeypatch) == PNG
    assert f'data-drawing="{address[-32:]}"' in pad.answered(PNG)
    assert 'data-drawing=""' in pad.answered(b"")
