"""A text that was read, as HTML."""

from typing import Any

import pytest

from app.client.models import Read
from app.ui import lines
from app.ui.lines import Text, with_labels
from tests.support.scripted_api import SEVENTEEN

ADDRESS = "/media/0a1b.png"


def read(**changed: Any) -> Read:
    return Read.model_validate(SEVENTEEN | changed)


def unsure(*confidences: float) -> Read:
    characters = [
        one | {"confidence": confidence}
        for one, confidence in zip(SEVENTEEN["characters"], confidences, strict=True)  # type: ignore[call-overload]
    ]
    return read(sure=False, confidence=0.5, characters=characters)


def test_a_sure_text_is_told_with_its_likelihood() -> None:
    assert lines.in_words(Text(read())) == "Very likely: 99.5%"
    assert '<p class="answer-label">17</p>' in lines.headline(Text(read()))
    assert 'class="answer text sure"' in lines.headline(Text(read()))


def test_a_doubtful_character_is_named() -> None:
    assert lines.in_words(Text(unsure(0.6, 0.99))) == "Not sure: 50.0%. Please check 1 (60.0%)."


def test_the_least_confident_one_is_doubtful_where_none_is_by_itself() -> None:
    assert list(Text(unsure(0.98, 0.97)).doubtful) == [1]


def test_what_was_set_by_hand_leaves_no_doubt() -> None:
    text = with_labels(unsure(0.6, 0.99), {0: "4"})
    assert (text.read.text, text.sure, lines.in_words(text)) == ("47", True, "As you corrected it.")


def test_what_was_not_set_by_hand_stays_doubtful() -> None:
    text = with_labels(unsure(0.6, 0.7), {0: "4"})
    assert (text.sure, lines.in_words(text)) == (False, "Not sure: 50.0%. Please check 7 (70.0%).")


def test_labels_find_their_line() -> None:
    two = [{"text": "1", "confidence": 1}, {"text": "7", "confidence": 1}]
    text = with_labels(read(text="1\n7", lines=two), {1: "4"})
    assert text.read.text == "1\n4"
    assert [one.label for one in text.read.characters] == ["1", "4"]


@pytest.mark.parametrize(("text", "long"), [("1234", False), ("123456789", True), ("1\n7", True)])
def test_long_texts_are_shown_smaller(text: str, long: bool) -> None:
    of_text = [{"text": line, "confidence": 1} for line in text.split("\n")]
    assert ("long" in lines.headline(Text(read(text=text, lines=of_text)))) == long


def test_boxes_stand_where_the_characters_are() -> None:
    html = lines.boxed(ADDRESS, (400, 200), Text(read()), "Found", "ink")
    assert 'style="left:25.00%;top:20.00%;width:20.00%;height:100.00%"' in html
    assert "--ratio:2.0000" in html
    assert html.count("<li") == 2


def test_marks_tell_doubt_and_corrections_to_all() -> None:
    html = lines.boxed(ADDRESS, (400, 200), Text(unsure(0.6, 0.99)), "Found", "ink")
    assert '<li class="doubtful"' in html
    assert "doubtful: 60.0%" in html
    html = lines.boxed(ADDRESS, (400, 200), with_labels(read(), {1: "<"}), "Found", "ink")
    assert '<li class="by-hand"' in html
    assert "<b>&lt;</b>" in html


def test_no_picture_that_is_not_the_page_s() -> None:
    assert lines.boxed("http://elsewhere/a.png", (400, 200), Text(read()), "Found", "ink") == ""
