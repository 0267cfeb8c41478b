"""The models that an API process serves: found by their alphabet, each one once, or the start fails with a sentence."""

import json
import shutil
from pathlib import Path

import onnx
import pytest

from app.api.service import load_recognizers
from app.reading.recognizer import METADATA_KEY, UnusableModel
from app.settings import Settings

MODEL = Settings().models_dir / "digits.onnx"


def installed(folder: Path, **alphabets: str) -> Settings:
    """Model files by name, each of some alphabet."""
    for name, alphabet in alphabets.items():
        model = onnx.load(MODEL)
        (entry,) = (entry for entry in model.metadata_props if entry.key == METADATA_KEY)
        entry.value = json.dumps(json.loads(entry.value) | {"alphabet": alphabet})
        onnx.save(model, folder / f"{name}.onnx")
    return Settings(models_dir=folder)


def test_a_file_may_have_another_name_than_its_alphabet(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "newest.onnx")
    assert set(load_recognizers(Settings(models_dir=tmp_path))) == {"digits"}


def test_several_alphabets(tmp_path: Path) -> None:
    assert set(load_recognizers(installed(tmp_path, a="digits", b="letters"))) == {"digits", "letters"}


def test_two_files_of_one_alphabet(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel) as refused:
        load_recognizers(installed(tmp_path, new="digits", old="digits"))
    assert str(refused.value) == "new.onnx and old.onnx are both of the alphabet digits. Remove one of them."


def test_none_of_the_default_alphabet(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"default alphabet, digits; there are models of letters\."):
        load_recognizers(installed(tmp_path, letters="letters"))
    with pytest.raises(UnusableModel, match=r"^There is no model file digits\.onnx\. Train one"):
        load_recognizers(Settings(models_dir=tmp_path / "nothing"))
