"""How an answer is said and drawn."""

import pytest

from app.client.models import Alternative, Answer, ModelName, Recognized
from app.ui.answer import caution, chart, headline, in_words, name_and_case, percent, seen


def an_answer(confidence: float, sure: bool, label: str = "7") -> Answer:
    rest = 1 - confidence
    others = [Alternative(label="1", confidence=0.7 * rest), Alternative(label="9", confidence=0.3 * rest)]
    return Answer(
        label=label,
        confidence=confidence,
        sure=sure,
        alternatives=others,
        model=ModelName(alphabet="digits", version="1"),
        request_id="r",
    )


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "99.9%"), (0.9996, "99.9%"), (0.5, "50.0%"), (0.001, "0.1%"), (0.0009, "<0.1%"), (0, "<0.1%")],
)
def test_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("confidence", "sure", "words"),
    [
        (0.995, True, "Very likely: 99.5%"),
        (0.95, True, "Likely: 95.0%"),
        (0.8, True, "Probably: 80.0%"),
        (0.5, False, "Not sure: 50.0%. It may also be 1 (35.0%) or 9 (15.0%)."),
    ],
)
def test_in_words(confidence: float, sure: bool, words: str) -> None:
    assert in_words(an_answer(confidence, sure)) == words


def test_what_is_no_digit_is_not_called_one() -> None:
    """Of a scribble each label has about as much as any other."""
    shares = [Alternative(label=label, confidence=0.1) for label in "123456789"]
    scribble = an_answer(0.1, False, "0").model_copy(update={"alternatives": shares})
    assert in_words(scribble) == "This does not look like one digit. The nearest is 0: 10.0%."
    assert 'class="answer none"' in headline(scribble)
    assert 'class="answer unsure"' in headline(an_answer(0.5, False))
    letter = scribble.model_copy(update={"label": "B"})
    assert in_words(letter).startswith("This does not look like one character.")


@pytest.mark.parametrize("figures", [{}, {"out-of-distribution": 1}, {"out-of-distribution": {"flagged": None}}])
def test_no_caution_without_its_figure(figures: dict[str, object]) -> None:
    assert caution(figures, ["7"]) == ""


def test_a_sure_answer_to_what_is_no_digit_is_owned_up_to() -> None:
    figures = {"out-of-distribution": {"flagged": 0.9525}}
    assert "Of scribbles, letters and parts of digits, 5% get a sure answer, too." in caution(figures, ["7"])
    assert "things that are no such character, 5% get a sure answer" in caution(figures, ["7", "ї"])


@pytest.mark.parametrize(
    ("name", "case", "said"),
    [(None, None, ""), ("ge", None, "ge"), ("a", "upper", "a · upper case"), (None, "lower", "lower case")],
)
def test_name_and_case_stand_beside_the_label(name: str | None, case: str | None, said: str) -> None:
    answer = an_answer(0.9, True, "а").model_copy(update={"name": name, "case": case})
    assert name_and_case(answer) == said
    assert (f'<p class="answer-name">{said}</p>' in headline(answer)) == bool(said)


def test_of_many_labels_the_likeliest_have_a_bar() -> None:
    shares = [Alternative(label=chr(0x430 + place), confidence=0.01 / (1 + place)) for place in range(32)]
    answer = an_answer(0.9, True, "ґ").model_copy(update={"alternatives": shares})
    drawn = chart(answer, [], {"ґ": "ge"})
    assert [part[0] for part in drawn.split("<b>")[1:]] == list("ґабвгд")
    assert "<em>ge</em>" in drawn


def test_labels_of_the_model_are_text_and_never_markup() -> None:
    answer = an_answer(0.9, True, label="<script>")
    assert "<script>" not in headline(answer) + chart(answer, [])


def test_an_answer_tells_its_request_and_one_of_a_batch_none() -> None:
    answer = an_answer(0.9, True)
    of_a_batch = Recognized.model_validate(answer.model_dump(exclude={"request_id"}))
    assert 'data-request="r"' in headline(answer)
    assert 'data-request=""' in headline(of_a_batch)


def test_bars_stand_in_the_alphabet_s_order() -> None:
    bars = chart(an_answer(0.9, True), ["9", "7", "1"])
    assert bars.index("<b>9</b>") < bars.index("<b>7</b>") < bars.index("<b>1</b>")
    assert "--share:90.00%" in bars


def test_bars_without_a_known_order() -> None:
    bars = chart(an_answer(0.9, True), [])
    assert bars.index("<b>1</b>") < bars.index("<b>7</b>") < bars.index("<b>9</b>")


@pytest.mark.parametrize("address", [None, "", "https://example.org/a.png", 'data:image/png;base64,AA" onload="x'])
def test_only_pictures_that_bring_themselves_are_shown(address: str | None) -> None:
    assert seen(address, "caption", "alt") == ""
