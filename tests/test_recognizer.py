"""The shipped model: what it says of itself, what it answers, and how it refuses what is no model."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from app.reading.recognizer import READING_VERSION, Recognizer, UnusableModel
from tests.support.handwriting import canvas, mnist_digits
from tests.support.models import DIGITS, install
from tests.support.pictures import encoded
from tests.support.reading import glyph_of


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(DIGITS)


def test_the_model_describes_itself(recognizer: Recognizer) -> None:
    record = recognizer.record.model_dump()
    assert recognizer.labels == list("0123456789")
    assert 0 < record["sure_from"] < 1
    assert {"config", "data_sha256", "versions", "git_commit", "figures"} <= set(record)


def test_its_figures_meet_the_floor(recognizer: Recognizer) -> None:
    assert recognizer.record.figures["MNIST test"]["count"] == 10_000
    assert recognizer.record.figures["MNIST test"]["accuracy"] >= 0.995


def test_mnist(recognizer: Recognizer) -> None:
    images, labels = mnist_digits()
    answers = recognizer.predict([glyph_of(Image.fromarray(image)) for image in images])
    assert np.mean([answer.index == label for answer, label in zip(answers, labels, strict=True)]) >= 0.99


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_small_in_a_corner_and_large(recognizer: Recognizer, digit: int) -> None:
    for extent, brush, place in ((70, 7, (0.02, 0.97)), (230, 22, (0.5, 0.5)), (150, 8, (1.0, 0.0))):
        drawn = encoded(canvas(digit, extent=extent, brush=brush, position=place))
        (answer,) = recognizer.predict([glyph_of(drawn)])
        assert answer.label == str(digit)
        assert sum(answer.probabilities) == pytest.approx(1, abs=1e-4)
        assert answer.confidence == max(answer.probabilities)


def test_a_scribble_is_not_sure(recognizer: Recognizer) -> None:
    rng = np.random.default_rng(3)
    unsure = 0
    for _ in range(20):
        noise = Image.fromarray((rng.random((40, 40)) < 0.4).astype(np.uint8) * 255)
        (answer,) = recognizer.predict([glyph_of(noise)])
        unsure += not answer.sure
    assert unsure >= 18


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"^There is no model file \S+/nothing\.onnx\."):
        Recognizer(tmp_path / "nothing.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(UnusableModel, match=r"damaged") as refused:
        Recognizer(broken)
    assert str(tmp_path) not in str(refused.value)
    stranger = onnx.load(DIGITS)
    del stranger.metadata_props[:]
    onnx.save(stranger, tmp_path / "stranger.onnx")
    with pytest.raises(UnusableModel, match=r"no record"):
        Recognizer(tmp_path / "stranger.onnx")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reading_version": READING_VERSION + 1}, "was trained for another version of how pictures are read"),
        ({"reading_version": None}, "it does not say which"),
        ({"labels": 7}, "has a record that makes no sense: labels."),
        (
            {"cases": ["small"], "heads": {"label": "probabilities", "case": "probabilities"}},
            "has a record that makes no sense: cases.",
        ),
        ({"input_side": 32}, "takes glyphs of 32 pixels a side; these have 28."),
        ({"heads": {"label": "logits"}}, "does not have what its record promises: logits."),
        ({"heads": {"case": "probabilities"}}, "does not have what its record promises: label."),
    ],
)
def test_a_record_that_does_not_fit_is_refused_with_a_sentence(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    file = install(tmp_path, "other", **changes)
    with pytest.raises(UnusableModel) as refused:
        Recognizer(file)
    assert said in str(refused.value)
    assert str(refused.value).startswith("other/model.onnx ")
