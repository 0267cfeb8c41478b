"""Drawings are kept with consent alone, by one click, and taken back: by AppTest, with the components replaced."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.client.errors import Busy
from app.client.models import Alphabet, Box, Read
from app.ui import consent, keeping, verdict
from app.ui.consent import Consent
from app.ui.corrections import Look, asked_of, looked_at
from app.ui.keeping import CANVAS, Shown, one_character
from app.ui.lines import with_labels
from app.ui.pixels import around, size_of
from app.ui.verdict import Question, Verdict, Words
from app.ui.views import draw
from tests.support.page import Pen, api_of_the_page, opened, text_of
from tests.support.scripted_api import SEVENTEEN, Api, Call
from tests.test_api_reload import until
from tests.test_ui_answer import an_answer
from tests.test_ui_pixels import encoded

pytestmark = pytest.mark.usefixtures("packages_of_the_image")

TOKEN = "0123456789abcdef" * 2
KEPT = json.dumps({"id": "x", "request_id": "r"})
SAMPLES = "/samples/?alphabet=digits"
MINE = "/samples/mine"
ALPHABET = Alphabet(name="digits", labels=["1", "7", "9"], version="1")


@dataclass
class Person:
    """Answers what the page asks, in the components' place."""

    consent: Consent = field(default_factory=Consent)
    said: list[Verdict] = field(default_factory=list)
    asked: Question | None = None
    may_ask: bool = False
    label: str | None = None
    words: Words = field(default_factory=Words)
    told: str = ""

    def says(self, label: str) -> None:
        assert self.asked
        self.said = [Verdict(self.asked.of, label, 1 + max((one.number for one in self.said), default=0))]

    def ask_consent(self, known: Consent, may_ask: bool, deleted: str, said: str) -> None:
        self.may_ask, self.told = may_ask, said

    def ask_verdict(self, question: Question | None, label: str | None, taken: int, words: Words) -> None:
        self.asked, self.label, self.words = question, label, words


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("DIGITS_SAMPLES_DATABASE", "samples.sqlite3")
    monkeypatch.setattr(keeping, "_SOON", 5.0)
    with api_of_the_page(monkeypatch) as api:
        api.statuses |= {SAMPLES: 201, MINE: 422}
        api.bodies |= {
            SAMPLES: KEPT,
            MINE: json.dumps({"error": "Whose?", "code": "invalid_parameter", "request_id": "r"}),
        }
        yield api


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    pen = Pen()
    monkeypatch.setattr(draw, "canvas", pen.canvas)
    return pen


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    person = Person()
    monkeypatch.setattr(consent, "remembered", lambda: person.consent)
    monkeypatch.setattr(consent, "ask", person.ask_consent)
    monkeypatch.setattr(verdict, "said", lambda: person.said)
    monkeypatch.setattr(verdict, "ask", person.ask_verdict)
    return person


def kept(api: Api) -> list[Call]:
    return [call for call in api.asked if call.path == SAMPLES]


def fields(call: Call) -> dict[str, str]:
    """The text fields of a form."""
    boundary = call.headers["Content-Type"].partition("boundary=")[2].encode()
    found = {}
    for part in call.body.split(b"--" + boundary):
        head, _, value = part.partition(b"\r\n\r\n")
        if b"filename" not in head and b'name="' in head:
            found[head.partition(b'name="')[2].partition(b'"')[0].decode()] = value.removesuffix(b"\r\n").decode()
    return found


def drawn(pen: Pen, person: Person) -> AppTest:
    """A page with an answer, and with consent."""
    person.consent = Consent("yes", TOKEN)
    pen.drawing = b"seven"
    return opened()


@pytest.mark.parametrize("setting", ["", "samples.sqlite3"])
def test_where_none_are_taken_nothing_is_asked(
    api: Api, pen: Pen, person: Person, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("DIGITS_SAMPLES_DATABASE", setting)
    api.statuses[MINE] = 404
    api.bodies[MINE] = json.dumps({"error": "None are kept.", "code": "no_samples", "request_id": "r"})
    drawn(pen, person)
    assert person.asked is None
    assert not person.may_ask
    assert [call.path for call in api.asked if "samples" in call.path] == [MINE] * bool(setting)


def test_it_is_asked_once_there_is_an_answer_and_nothing_is_kept_before(api: Api, pen: Pen, person: Person) -> None:
    app = opened()
    assert not person.may_ask
    pen.drawing = b"seven"
    assert "Very likely" in text_of(app.run())
    assert person.may_ask
    assert person.asked is None
    person.said = [Verdict("", "7", 1)]
    app.run()
    person.consent = Consent("no", TOKEN)
    app.run()
    assert person.asked is None
    assert not kept(api)


def test_right_is_kept_with_all_that_is_known(api: Api, pen: Pen, person: Person) -> None:
    app = drawn(pen, person)
    person.says("7")
    app.run()
    (call,) = kept(api)
    assert b"\r\n\r\nseven\r\n" in call.body
    assert call.headers["X-Visitor"] == TOKEN
    assert call.headers["X-API-Key"] == "one"
    assert fields(call) == {
        "id": fields(call)["id"],
        "label": "7",
        "answer": "7",
        "confidence": "0.998",
        "model": "1",
        "source": "canvas",
    }
    assert (person.label, person.words) == ("7", Words("Thank you. It is kept."))
    app.run()
    assert len(kept(api)) == 1


def test_another_verdict_has_the_same_id_and_another_visitor_another(api: Api, pen: Pen, person: Person) -> None:
    app = drawn(pen, person)
    for label in ("1", ""):
        person.says(label)
        app.run()
    first, second = map(fields, kept(api))
    assert (first["label"], second["label"]) == ("1", "")
    assert first["id"] == second["id"]
    person.consent = Consent("yes", TOKEN[::-1])
    person.says("7")
    app.run()
    assert fields(kept(api)[2])["id"] != first["id"]


@pytest.mark.parametrize("label", ["2", "seven", "x" * 5000])
def test_what_nobody_could_click_is_not_kept(api: Api, pen: Pen, person: Person, label: str) -> None:
    app = drawn(pen, person)
    person.says(label)
    app.run()
    assert not kept(api)
    assert "Very likely" in text_of(app)


def test_what_was_said_of_a_former_drawing_is_kept_of_that(api: Api, pen: Pen, person: Person) -> None:
    app = drawn(pen, person)
    of_the_first = person.asked
    assert of_the_first
    pen.drawing = b"another"
    app.run()
    person.said = [Verdict(of_the_first.of, "1", 1)]
    app.run()
    (call,) = kept(api)
    assert b"seven" in call.body


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (503, "samples_unavailable", "away or full"),
        (409, "sample_differs", "could not be kept"),
        (404, "no_samples", "not kept here any more"),
    ],
)
def test_what_cannot_be_kept_is_told_and_the_answer_stays(
    api: Api, pen: Pen, person: Person, monkeypatch: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    monkeypatch.setattr(keeping, "again_in", lambda _: 0.0)
    app = drawn(pen, person)
    api.statuses[SAMPLES] = status
    api.bodies[SAMPLES] = json.dumps({"error": "No.", "code": code, "request_id": "r"})
    person.says("7")
    assert "Very likely" in text_of(app.run())
    assert words in person.words.text
    assert person.words.is_trouble
    assert person.label is None, "it can be pressed again"
    assert len(kept(api)) == (3 if status == 503 else 1)
    api.statuses[SAMPLES], api.bodies[SAMPLES] = 201, KEPT
    person.says("7")
    app.run()
    assert not person.words.is_trouble


def test_all_is_deleted_at_once_and_can_be_kept_again(api: Api, pen: Pen, person: Person) -> None:
    app = drawn(pen, person)
    person.says("7")
    app.run()
    api.statuses[MINE], api.bodies[MINE] = 200, json.dumps({"deleted": 3, "request_id": "r"})
    person.consent = Consent("yes", TOKEN, wish=TOKEN)
    app.run()
    app.run()
    deletions = [call for call in api.asked if call.path == MINE and call.headers.get("X-Visitor") == TOKEN]
    assert [call.method for call in deletions] == ["DELETE"]
    assert person.told == "3 drawings were deleted."
    assert person.label is None
    api.statuses[SAMPLES] = 410
    api.bodies[SAMPLES] = json.dumps({"error": "Deleted.", "code": "sample_deleted", "request_id": "r"})
    person.says("1")
    app.run()
    ids = [fields(call)["id"] for call in kept(api)]
    assert len(set(ids)) == keeping._LIVES
    assert ids[0] == ids[1], "first as before"


def test_a_deletion_that_fails_is_told(api: Api, pen: Pen, person: Person) -> None:
    app = drawn(pen, person)
    api.statuses[MINE] = 503
    person.consent = Consent("yes", TOKEN, wish=TOKEN)
    app.run()
    assert "could not be deleted" in person.told


def test_doubtful_answers_offer_what_is_likely() -> None:
    sure, unsure = (one_character(b"", an_answer(0.5, sure), ALPHABET, CANVAS) for sure in (True, False))
    assert sure
    assert unsure
    assert sure.question.quick == ()
    assert unsure.question.quick == ("1", "9")
    assert [label for label, _ in sure.question.labels] == ["1", "9"]


def test_a_number_is_kept_as_its_characters_with_what_was_read_and_what_they_are() -> None:
    picture = encoded(Image.new("L", (840, 280), "white"))
    text = with_labels(Read.model_validate(SEVENTEEN), {0: "4"})
    asked = asked_of(Look(picture, text, corrected=True))
    assert asked
    assert asked.question.labels == ()
    assert asked.source == "number"
    four, seven = asked.pieces()
    assert (four.label, four.answer, four.confidence) == ("4", "1", 0.998)
    assert (seven.label, seven.answer) == ("7", "7")
    assert size_of(four.picture) == (180, 280)


def test_a_corrected_number_is_another_question_than_before() -> None:
    read = Read.model_validate(SEVENTEEN)
    before, after = (asked_of(looked_at(one, b"x")) for one in (read, with_labels(read, {0: "4"}).read))
    assert before
    assert after
    assert before.question.of != after.question.of


@pytest.mark.parametrize(
    ("others", "left", "right"),
    [
        ([], 30, 90),
        ([(0, 40, 36, 80)], 38, 90),
        ([(84, 0, 99, 100)], 30, 82),
        ([(0, 90, 36, 99)], 30, 90),
    ],
)
def test_around_a_character_is_nothing_of_its_neighbours(others: list[Box], left: float, right: float) -> None:
    """A box of 40 by 40 pixels has 10 around it, or half of the way to the next."""
    box = (40.0, 40.0, 80.0, 80.0)
    assert around(box, [box, *others], (100, 100)) == (left, 30, right, 90)


@pytest.mark.parametrize("sent", ["{", "[]", '{"consent": 1}', '{"consent": "yes", "visitor": "short"}', "7"])
def test_consent_is_what_a_browser_can_have_sent_and_nothing_else(sent: str) -> None:
    found = consent._parsed(sent)
    assert found is None or not found.given


def asked_about(picture: bytes) -> Shown:
    shown = one_character(picture, an_answer(0.998, sure=True), ALPHABET, CANVAS)
    assert shown
    return shown


def test_large_pictures_are_forgotten_sooner_than_small_ones() -> None:
    letterbox = keeping._Letterbox()
    large = [asked_about(bytes([i]) * 500_000) for i in range(3)]
    for shown in large:
        letterbox.show(shown)
    assert list(letterbox._shown.values()) == large[1:]
    huge = asked_about(bytes(10_000_000))
    letterbox.show(huge)
    assert list(letterbox._shown.values()) == [huge]


def test_what_is_too_much_to_be_sent_at_once_is_told_and_taken_later(api: Api) -> None:
    letterbox = keeping._Letterbox()
    drawings = [asked_about(bytes([i])) for i in range(keeping._MOST_SENT + 1)]
    api.wait.clear()
    for number, shown in enumerate(drawings, 1):
        assert letterbox.error is None
        letterbox.show(shown)
        letterbox.take(Verdict(shown.question.of, "7", number), TOKEN)
    last = drawings[-1].question.of
    assert isinstance(letterbox.error, Busy)
    assert letterbox.label(last) is None, "it can be pressed again"
    api.wait.set()
    letterbox.wait(20)
    letterbox.take(Verdict(last, "7", letterbox.taken + 1), TOKEN)
    letterbox.wait(20)
    assert letterbox.error is None
    assert len(kept(api)) == len(drawings)


@pytest.mark.parametrize(
    ("status", "code", "pieces"), [(503, "samples_unavailable", 1), (410, "sample_deleted", 1), (201, "", 2)]
)
def test_what_is_under_way_when_all_is_deleted_is_sent_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch, status: int, code: str, pieces: int
) -> None:
    """Neither another try, nor another life, nor another piece."""
    monkeypatch.setattr(keeping, "again_in", lambda _: 0.0)
    letterbox, one = keeping._Letterbox(), asked_about(b"seven")
    shown = replace(one, pieces=lambda: [*one.pieces()] * pieces)
    api.wait.clear()
    letterbox.show(shown)
    letterbox.take(Verdict(shown.question.of, "7", 1), TOKEN)
    until(lambda: bool(kept(api)))
    letterbox.forget()
    api.statuses[SAMPLES] = status
    api.bodies[SAMPLES] = json.dumps({"error": "No.", "code": code, "request_id": "r"}) if code else KEPT
    api.wait.set()
    letterbox.wait(20)
    assert not letterbox.is_busy
    assert len(kept(api)) == 1
    assert letterbox.error is None


def test_what_is_said_after_a_deletion_is_sent_although_the_same_was_under_way(api: Api) -> None:
    letterbox, shown = keeping._Letterbox(), asked_about(b"seven")
    api.wait.clear()
    letterbox.show(shown)
    letterbox.take(Verdict(shown.question.of, "7", 1), TOKEN)
    until(lambda: bool(kept(api)))
    letterbox.forget()
    letterbox.take(Verdict(shown.question.of, "1", 2), TOKEN)
    api.wait.set()
    letterbox.wait(20)
    assert [fields(call)["label"] for call in kept(api)] == ["7", "1"]
    assert letterbox.label(shown.question.of) == "1"


def test_what_is_said_in_the_moment_in_which_a_thread_ends_is_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    letterbox, shown = keeping._Letterbox(), asked_about(b"seven")

    class Room(threading.BoundedSemaphore):
        def release(self, n: int = 1) -> None:
            super().release(n)
            letterbox.take(Verdict(shown.question.of, "1", 2), TOKEN)

    monkeypatch.setattr(keeping, "_room", Room(keeping._MOST_SENT))
    letterbox.show(shown)
    letterbox.take(Verdict(shown.question.of, "7", 1), TOKEN)
    until(lambda: [fields(call)["label"] for call in kept(api)] == ["7", "1"])
    letterbox.wait(20)


def test_an_answer_to_nothing_asks_nothing() -> None:
    assert one_character(b"", None, ALPHABET, CANVAS) is None
