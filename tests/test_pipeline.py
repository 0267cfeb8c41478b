"""The way of a picture as a whole: many at once, each with its own outcome, and mistakes of ours told as such."""

import numpy as np
import pytest
from PIL import Image

from app.reading import ink, picture, pipeline, shrinking
from app.reading.pipeline import BlankImage, Reading
from app.reading.recognizer import Recognizer
from app.settings import Settings
from tests.support.handwriting import canvas
from tests.support.pictures import encoded


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(Settings().models_dir / "digits" / "model.onnx")


def test_each_picture_has_its_outcome_in_its_place(recognizer: Recognizer) -> None:
    broken = encoded(canvas(4))[:-200]
    files = [encoded(canvas(7)), encoded(Image.new("L", (50, 50))), broken, encoded(canvas(2), "JPEG")]
    seven, blank, damaged, two = pipeline.read([picture.open_file(file) for file in files], recognizer)
    assert isinstance(seven, Reading)
    assert isinstance(two, Reading)
    assert (seven.prediction.label, two.prediction.label) == ("7", "2")
    assert isinstance(blank, BlankImage)
    assert isinstance(damaged, picture.DamagedPicture)
    assert str(damaged) == (
        "The picture is damaged and cannot be decoded. Accepted are PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF."
    )


def test_nothing_to_read(recognizer: Recognizer) -> None:
    assert pipeline.read([], recognizer) == []
    (blank,) = pipeline.read([picture.open_file(encoded(Image.new("L", (50, 50))))], recognizer)
    assert isinstance(blank, BlankImage)


@pytest.mark.parametrize(("module", "function"), [(shrinking, "_in_eight_bits"), (ink, "_paper_of")])
def test_a_mistake_of_ours_is_not_the_pictures_damage(
    module: object, function: str, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ZeroDivisionError

    grey = encoded(Image.fromarray(np.asarray(canvas(3)).astype(np.uint16) * 257))
    monkeypatch.setattr(module, function, mistaken)
    (outcome,) = pipeline.read([picture.open_file(grey)], recognizer)
    assert isinstance(outcome, ZeroDivisionError)
