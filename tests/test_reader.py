"""Two ways of reading a line, and what they say together."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.reading import pipeline, reader
from app.reading.lattice import Way
from app.reading.lines import Page
from app.reading.picture import Picture
from app.reading.reader import LINES_FILE, ROWS_FILE, LineReader, Proposals
from app.reading.recognizer import Recognizer, UnusableModel, opened
from tests.support.models import DIGITS, install, install_lines
from tests.support.pictures import number
from training import export


@pytest.fixture(scope="module")
def line_reader() -> LineReader:
    return LineReader(Recognizer(DIGITS), DIGITS.with_name(LINES_FILE))


def page(image: Image.Image) -> Page:
    return pipeline.page_of(Picture.of(image))


def test_both_ways_say_which_text_is_likeliest(line_reader: LineReader) -> None:
    record = line_reader.record.model_copy(update={"heed": 0.1, "heed_torn": 2.0})
    ways = [Way([0], [1], -1.0), Way([1, 2], [7, 7], -2.0), Way([0], [4], -3.0)]
    rows = np.array([-4.0, -1.0, -1.5])
    for torn, best in (([False, True, False], 1), ([True, False, False], 1), ([False, False, True], 0)):
        assert Proposals(ways, rows, np.array(torn)).likeliest(record) == best


def test_each_way_of_reading_has_a_belief_of_its_own() -> None:
    ways = [Way([0], [1], -1.0), Way([1, 2], [7, 7], -2.0)]
    torn = np.zeros(2, np.bool_)
    expected = np.exp(np.array([[-1.0, -2.0], [-4.0, -1.0]]))
    beliefs = Proposals(ways, np.array([-4.0, -1.0]), torn).beliefs()
    assert beliefs == pytest.approx(expected / expected.sum(axis=1, keepdims=True))
    alone = Proposals(ways, np.zeros(2), torn).beliefs()
    assert alone == pytest.approx(beliefs[:1])


def test_each_way_proposes_texts(line_reader: LineReader) -> None:
    seen = page(number(2, 0, 7))
    heard = line_reader.heard(seen)
    (frames,) = heard.frames
    assert frames.sum(axis=1) == pytest.approx(1, abs=1e-3)
    odds = reader.weighed(heard, seen.torn, line_reader.record)
    both = line_reader.proposals(seen.spans[:, 1:], odds, seen.torn, frames)
    alone = line_reader.proposals(seen.spans[:, 1:], odds, seen.torn, frames[:0])
    assert len(alone.ways) < len(both.ways)
    assert not alone.rows.any()
    assert both.ways[int(both.rows.argmax())].kinds == both.ways[0].kinds == [2, 0, 7]


def test_a_row_that_is_too_wide_is_read_by_its_candidates(
    line_reader: LineReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = page(number(2, 0, 7))
    monkeypatch.setattr(reader, "_WIDEST", seen.strips[0].shape[1] - 1)
    assert [len(frames) for frames in line_reader.heard(seen).frames] == [0]
    assert line_reader.read([seen])[0].text == "207"


def test_a_character_is_as_certain_as_the_texts_that_have_it(line_reader: LineReader) -> None:
    seen = page(number(2, 0, 7))
    (text,) = line_reader.read([seen])
    assert text.text == "207"
    for character in text.lines[0].characters:
        assert text.confidence <= character.confidence + 1e-9 <= 1 + 2e-9


def test_a_record_is_tried_without_harm(line_reader: LineReader) -> None:
    never = line_reader.under(line_reader.record.model_copy(update={"sure_from": 1.1, "sure_from_cut": 1.1}))
    seen = page(number(2, 0, 7))
    assert not never.read([seen])[0].sure
    assert line_reader.record.sure_from <= 1


@pytest.mark.parametrize(
    "changes", [{"symbols": ["", *"abc"]}, {"alphabet": "letters"}, {"reading_version": 0}, {"symbols": 5}]
)
def test_rows_of_something_else_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    model = install(tmp_path, "digits")
    install_lines(tmp_path, "digits")
    file = model.with_name(ROWS_FILE)
    export.describe(file, opened(file, threads=1)[1] | changes)
    with pytest.raises(UnusableModel, match=r"rows\.onnx"):
        LineReader(Recognizer(model), model.with_name(LINES_FILE))


def test_lines_need_their_rows(tmp_path: Path) -> None:
    model = install(tmp_path, "digits")
    shutil.copy(DIGITS.with_name(LINES_FILE), tmp_path / "digits")
    with pytest.raises(UnusableModel, match=r"no model file digits/rows\.onnx"):
        LineReader(Recognizer(model), model.with_name(LINES_FILE))
