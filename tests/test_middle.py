"""What is cut out of writing with a character: the one in the middle is told, and not surely."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from app.reading import middle
from app.reading.middle import MIDDLE_FILE
from app.reading.recognizer import METADATA_KEY, Prediction, Recognizer, UnusableModel
from tests.support.handwriting import canvas, strokes
from tests.support.models import DIGITS, install
from tests.support.pictures import encoded
from tests.support.reading import glyph_of
from training.composing import pens_of
from training.crops import crop, scanned


def cut_out(digit: int) -> bytes:
    """A scan of a digit between two others that touch it and are cut off by its edges."""
    line = np.zeros((120, 220), np.float32)
    for place, one in ((10, (digit + 4) % 10), (82, digit), (150, (digit + 7) % 10)):
        drawn = 1 - np.asarray(canvas(one, extent=90, brush=8).resize((280, 280)), np.float32) / 255
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        ink = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        part = line[10 : 10 + len(ink), place : place + ink.shape[1]]
        np.maximum(part, ink[: len(part), : part.shape[1]], out=part)
    seen = line[:, 55:190]
    grain = np.random.default_rng(digit).normal(0, 4, seen.shape)
    scan = Image.fromarray((225 - 160 * seen + grain).clip(0, 255).astype(np.uint8))
    return encoded(scan.resize((scan.width // 2, scan.height // 2)), "JPEG")


@pytest.fixture(scope="module")
def model_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(DIGITS, tmp_path_factory.mktemp("digits")))


def answers(model: Path, pictures: list[bytes]) -> list[Prediction]:
    return Recognizer(model).predict([glyph_of(picture) for picture in pictures])


def test_all_ink_of_a_crop_is_shown_in_its_middle() -> None:
    ink = np.zeros((20, 50), np.float32)
    ink[5:15, 20:30] = 0.5
    shown = middle.field(ink)
    assert shown.shape == (32, 32)
    assert shown.max() == 1
    rows, columns = np.nonzero(shown > 0.5)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(15.5, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(15.5, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(10 * 32 / 50, abs=1)


def test_a_crop_without_ink_is_empty() -> None:
    assert not middle.field(np.zeros((20, 50), np.float32)).any()


def test_between_neighbours_the_one_in_the_middle_is_told(model_alone: Path) -> None:
    pictures = [cut_out(digit) for digit in range(10)]
    wanted = [str(digit) for digit in range(10)]
    alone, with_it = ([one.label for one in answers(model, pictures)] for model in (model_alone, DIGITS))
    hits = [sum(a == b for a, b in zip(said, wanted, strict=True)) for said in (alone, with_it)]
    assert hits[1] > hits[0]
    assert hits[1] >= 8


def test_what_is_told_of_the_middle_is_never_sure(model_alone: Path) -> None:
    pictures = [cut_out(digit) for digit in range(10)]
    for before, now in zip(answers(model_alone, pictures), answers(DIGITS, pictures), strict=True):
        assert now == before or not now.sure
        assert sum(now.probabilities) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_on_a_canvas_is_answered_as_before(model_alone: Path, digit: int) -> None:
    drawing = encoded(canvas(digit, extent=270, position=(0.0, 1.0)))
    assert answers(DIGITS, [drawing]) == answers(model_alone, [drawing])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["a", "b"]}, "was made for another alphabet, or for other labels."),
        ({"alphabet": "letters"}, "was made for another alphabet, or for other labels."),
        ({"reading_version": 0}, "was made for another version of how pictures are read."),
        ({"asked_below": "often"}, "has a record that makes no sense."),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_sentence(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    model = install(tmp_path, "digits")
    network = onnx.load(DIGITS.with_name(MIDDLE_FILE))
    (entry,) = (entry for entry in network.metadata_props if entry.key == METADATA_KEY)
    entry.value = json.dumps(json.loads(entry.value) | changes)
    onnx.save(network, model.with_name(MIDDLE_FILE))
    with pytest.raises(UnusableModel) as refused:
        Recognizer(model)
    assert str(refused.value) == f"digits/{MIDDLE_FILE} {said}"


def test_crops_for_training_follow_from_the_seed_alone() -> None:
    pens = pens_of(strokes())
    rng = np.random.default_rng(5)
    drawn = [crop(pens[0], rng) for _ in range(20)]
    assert len({label for label, _ in drawn}) > 5
    for _, ink in drawn:
        assert ink.dtype == np.float32
        assert 0 <= ink.min() <= ink.max() <= 1
    label, data = scanned(pens[0], np.random.default_rng(6))
    again = scanned(pens[0], np.random.default_rng(6))
    assert (label, data) == again
