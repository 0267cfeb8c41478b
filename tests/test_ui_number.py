"""Whole numbers, drawn or uploaded, and corrected: by AppTest, with the pad and the canvas for boxes replaced."""

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.client.models import Failed, Read
from app.reading.lines import EmptyBox
from app.ui import corrections
from app.ui.corrections import Drawn, Look
from app.ui.lines import Text, with_labels
from app.ui.originals import Picture
from app.ui.views import number, upload_lines
from tests.support.page import Pen, api_of_the_page, text_of
from tests.support.scripted_api import SEVENTEEN, Api
from tests.test_ui_pixels import encoded

pytestmark = pytest.mark.usefixtures("packages_of_the_image")

DRAWN = encoded(Image.new("L", number.SIZE, "white"))
ASKED = "/read/?alphabet=digits"


class Boxes(ModuleType):
    """In the place of `streamlit_drawable_canvas`, which cannot be imported without Streamlit's runtime.

    What is drawn is what was shown, as `change` leaves it.
    """

    def __init__(self) -> None:
        super().__init__("streamlit_drawable_canvas")
        self.shown: list[dict[str, Any]] = []
        self.change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list

    def boxes_to_drawing(self, boxes: list[dict[str, Any]], **_: object) -> dict[str, Any]:
        return {"objects": [{"type": "LabeledRect", **box} for box in boxes]}

    def st_canvas(self, initial_drawing: dict[str, Any], **_: object) -> Any:
        self.shown = initial_drawing["objects"]
        result = ModuleType("result")
        result.boxes = self.change(self.shown)  # type: ignore[attr-defined]
        result.json_data = {"objects": result.boxes}  # type: ignore[attr-defined]
        return result


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    with api_of_the_page(monkeypatch) as api:
        api.body = json.dumps(SEVENTEEN)
        yield api


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    pen = Pen()
    monkeypatch.setattr(number, "canvas", pen.canvas)
    return pen


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> Boxes:
    boxes = Boxes()
    monkeypatch.setitem(sys.modules, boxes.__name__, boxes)
    monkeypatch.setattr(corrections, "_SENDS_AFTER", 0.0)
    monkeypatch.setattr(corrections, "address_of", lambda _: "/media/0.png")
    return boxes


def page() -> None:
    from app.ui.views.number import number

    number()


def opened() -> AppTest:
    return AppTest.from_function(page, default_timeout=20).run()


def corrected(pen: Pen) -> AppTest:
    """A page on which the corrections are open."""
    pen.drawing = DRAWN
    app = opened()
    app.session_state["correct"] = True
    return app.run()


def pressed(app: AppTest, label: str) -> str:
    (button,) = [one for one in app.button if one.label == label]
    return text_of(button.click().run())


def asked(api: Api) -> list[bytes]:
    return [call.body for call in api.asked if call.path == ASKED]


def test_a_number_is_read_with_its_boxes(api: Api, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number, "address_of", lambda _: "/media/0.png")
    app = opened()
    assert "The answer appears here." in text_of(app)
    pen.drawing = DRAWN
    text = text_of(app.run())
    assert '<p class="answer-label">17</p>' in text
    assert "Very likely: 99.5%" in text
    assert text.count('<li class="clear"') == 2
    app.run()
    (body,) = asked(api)
    assert DRAWN in body
    assert b"boxes" not in body
    assert corrections.__name__ in sys.modules
    assert "streamlit_drawable_canvas" not in sys.modules, "it is for those who correct"


def test_a_dot_is_no_error(api: Api, pen: Pen) -> None:
    app = opened()
    api.status, api.body = 400, json.dumps({"error": "Image is blank.", "code": "blank_image", "request_id": "r"})
    pen.drawing = DRAWN
    assert "Only a dot so far" in text_of(app.run())


def test_what_is_no_picture_is_not_corrected(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = opened()
    api.status, api.body = 415, json.dumps({"error": "Not a picture.", "code": "not_a_picture", "request_id": "r"})
    pen.drawing = b"noise"
    assert "Not a picture." in text_of(app.run())
    assert not app.expander


def test_trouble_is_told(api: Api, pen: Pen) -> None:
    app = opened()
    api.there = False
    pen.drawing = DRAWN
    assert "The recognizer is away at the moment." in text_of(app.run())


def test_an_alphabet_of_single_characters_says_so(api: Api, pen: Pen) -> None:
    alphabet = {"name": "digits", "labels": ["1"], "version": "1"}
    api.bodies["/alphabets/"] = json.dumps({"alphabets": [alphabet]})
    assert "only single characters can be read" in text_of(opened())


def test_a_label_by_hand_stays_and_boxes_are_sent(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = corrected(pen)
    assert [one["label"] for one in boxes.shown] == ["1", "7"]

    def change(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
        first, second = shown
        return [first | {"label": "4"}, second | {"left": second["left"] + 10}]

    boxes.change = change
    text = pressed(app, "Read again")
    assert '<p class="answer-label">47</p>' in text
    assert "As you corrected it." in text
    again = asked(api)[-1]
    assert b"[[100.0, 40.0, 180.0, 240.0], [310.0, 40.0, 450.0, 240.0]]" in again
    assert '<p class="answer-label">17</p>' in pressed(app, "Back to what was found")


def test_labels_are_corrected_in_writing(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = corrected(pen)
    text = text_of(app.text_input[0].set_value("47").run())
    assert '<p class="answer-label">47</p>' in text
    assert "As you corrected it." in text
    assert [one["label"] for one in boxes.shown] == ["4", "7"]
    text_of(app.text_input[0].set_value(" 4 7").run())
    assert "There are 2 boxes." in text_of(app.text_input[0].set_value("471").run())
    assert len(asked(api)) == 1


def test_boxes_of_a_click_are_none_and_without_any_nothing_is_asked(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = corrected(pen)
    boxes.change = lambda shown: [shown[0] | {"width": 4, "height": 4}]
    assert "Draw a box first." in pressed(app, "Read again")
    assert len(asked(api)) == 1


def test_a_part_is_cut_out_and_read(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = corrected(pen)
    boxes.change = lambda _: [
        {"type": "LabeledRect", "label": "", "left": 100, "top": 0, "width": 200, "height": 280, "strokeDashOffset": 0}
    ]
    app.session_state["way-to-correct"] = corrections.PART
    pressed(app.run(), "Read this part")
    _, part = asked(api)
    assert encoded(Image.new("RGB", (200, 280), "white")) in part


def test_boxes_are_sent_in_reading_order() -> None:
    """Two lines, one of them sloping, with a comma in the first; however they were drawn."""
    read = [(0, 10, 20, 50), (25, 40, 30, 56), (35, 14, 50, 58), (2, 80, 20, 120), (25, 90, 45, 128)]
    for order in itertools.permutations(read):
        assert [one.box for one in corrections._in_reading_order([Drawn(box) for box in order])] == read


def test_an_empty_box_is_told(api: Api, pen: Pen, boxes: Boxes) -> None:
    app = corrected(pen)
    error = str(EmptyBox(1))
    api.status, api.body = 422, json.dumps({"error": error, "code": "empty_box", "request_id": "r"})
    assert error in pressed(app, "Read again")
    assert [one["label"] for one in boxes.shown] == ["", ""], "they stay to be moved"


def test_texts_of_many_as_csv() -> None:
    read = Read.model_validate(SEVENTEEN)
    looks = [
        Look(b"", Text(read)),
        Look(b"", with_labels(read, {0: "4"})),
        Look(b"", Failed(error="Not a picture.", code="not_a_picture")),
    ]
    assert upload_lines.as_csv([Picture(name, b"") for name in "abc"], looks).splitlines() == [
        "file,text,confidence,sure,corrected,error",
        "a,17,0.9950,yes,no,",
        "b,47,0.9950,yes,yes,",
        "c,,,,,Not a picture.",
    ]


def uploaded() -> None:
    from app.ui.alphabets import choose
    from app.ui.originals import Picture
    from app.ui.views import upload_lines
    from tests.test_ui_number import DRAWN

    upload_lines.show([Picture("a.png", DRAWN), Picture("b.png", DRAWN + b" ")], choose())


def test_many_pictures_of_numbers(api: Api) -> None:
    refused = {"error": "Not a picture.", "code": "not_a_picture"}
    api.body = json.dumps({"results": [SEVENTEEN, refused], "request_id": "r"})
    text = text_of(AppTest.from_function(uploaded, default_timeout=20).run())
    assert "2 pictures: 1 not readable." in text
    assert "<b>17</b> Very likely: 99.5%" in text
    assert "Not a picture." in text
