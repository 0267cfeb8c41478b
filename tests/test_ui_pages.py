"""The pages' logic, run by Streamlit's own AppTest with the canvas and the API replaced."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.ui import session
from app.ui.client import Alphabet, Answer, Model, Refusal, Share, Trouble
from app.ui.views import draw

PAGE = Path(__file__).parents[1] / "app" / "ui" / "page.py"

SEVEN = Answer(
    label="7",
    confidence=0.998,
    sure=True,
    alternatives=[Share(label="1", confidence=0.002)],
    model=Model(alphabet="digits", version="1"),
    request_id="r",
)


class FakeClient:
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer | Refusal | Trouble = SEVEN
        self.known = [
            Alphabet(name="digits", labels=["1", "7"], version="1", figures={"t": {"accuracy": 0.9, "count": 10}})
        ]
        self.asked: list[tuple[bytes, str]] = []
        self.ready = False

    def predict(self, picture: bytes, alphabet: str = "") -> Answer | Refusal:
        self.asked.append((picture, alphabet))
        if isinstance(self.answer, Trouble):
            raise self.answer
        return self.answer

    def predict_all(self, pictures: list[bytes], alphabet: str = "") -> list[Answer | Refusal]:
        return [self.predict(picture, alphabet) for picture in pictures]

    def alphabets(self) -> list[Alphabet]:
        if isinstance(self.answer, Trouble):
            raise self.answer
        return self.known

    def is_ready(self) -> bool:
        return self.ready


class Pen:
    drawing = b""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    fake = FakeClient()
    session._alphabets.clear()
    for module in ("session", "trouble", "views.draw", "views.quality"):
        monkeypatch.setattr(f"app.ui.{module}.client", lambda: fake)
    return fake


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    pen = Pen()
    monkeypatch.setattr(draw, "canvas", lambda key, answer_key: pen.drawing)
    return pen


def text_of(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(str(element.proto.body) for element in app.get("html"))


def opened() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=20).run()


def test_nothing_is_asked_before_a_stroke(client: FakeClient, pen: Pen) -> None:
    assert "The answer appears here." in text_of(opened())
    assert client.asked == []


def test_a_drawing_is_answered_and_asked_once(client: FakeClient, pen: Pen) -> None:
    app = opened()
    pen.drawing = b"seven"
    assert "Certain: 99.8%" in text_of(app.run())
    app.run()
    assert client.asked == [(b"seven", "digits")]


def test_undo_comes_back_to_a_known_answer(client: FakeClient, pen: Pen) -> None:
    app = opened()
    for pen.drawing in (b"one stroke", b"two strokes", b"one stroke"):
        app.run()
    assert [picture for picture, _ in client.asked] == [b"one stroke", b"two strokes"]


def test_two_visitors_share_no_answers(client: FakeClient, pen: Pen) -> None:
    pen.drawing = b"mine"
    assert "Certain" in text_of(opened())
    pen.drawing = b""
    assert "The answer appears here." in text_of(opened())


def test_an_unsure_answer_offers_the_runner_up(client: FakeClient, pen: Pen) -> None:
    client.answer = SEVEN.model_copy(update={"sure": False, "confidence": 0.6})
    pen.drawing = b"scribble"
    assert "It may also be 1" in text_of(opened())


def test_a_dot_is_no_error(client: FakeClient, pen: Pen) -> None:
    client.answer = Refusal(error="Image is blank. Please provide a valid digit.", code="blank_image")
    pen.drawing = b"dot"
    assert "Only a dot so far" in text_of(opened())


def test_trouble_is_told_and_ends(client: FakeClient, pen: Pen) -> None:
    client.answer = Trouble("The recognizer is away.", again_in=2)
    pen.drawing = b"seven"
    app = opened()
    assert "The recognizer is away." in text_of(app)
    client.answer = SEVEN
    assert "Certain" in text_of(app.run())


def test_trouble_without_remedy_is_told(client: FakeClient, pen: Pen) -> None:
    client.answer = Trouble("The key is wrong.")
    pen.drawing = b"seven"
    assert "The key is wrong." in text_of(opened())


def test_one_alphabet_is_no_choice_and_two_are(client: FakeClient, pen: Pen) -> None:
    assert not opened().get("button_group")
    client.known = [*client.known, Alphabet(name="roman_numerals", labels=["I", "V"], version="1")]
    session._alphabets.clear()
    pen.drawing = b"five"
    app = opened()
    (choice,) = app.get("button_group")
    assert [option.content for option in choice.proto.options] == ["Digits", "Roman numerals"]
    assert "<b>1</b>" in text_of(app)
