"""The models that an API process serves: found by their alphabet, or the start fails with a sentence."""

from pathlib import Path

import pytest

from app.api.service import load_line_readers, load_recognizers
from app.reading.recognizer import UnusableModel
from app.settings import Settings
from tests.support.models import install, install_lines


def installed(folder: Path, **alphabets: str) -> Settings:
    """Models in folders by name, each of some alphabet."""
    for name, alphabet in alphabets.items():
        install(folder, name, alphabet=alphabet)
    return Settings(models_dir=folder)


def test_several_alphabets(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert set(load_recognizers(installed(tmp_path, digits="digits", letters="letters"))) == {"digits", "letters"}


def test_line_readers_of_the_alphabets_that_have_one(tmp_path: Path) -> None:
    settings = installed(tmp_path, digits="digits", letters="letters")
    recognizers = load_recognizers(settings)
    assert load_line_readers(settings, recognizers) == {}
    install_lines(tmp_path, "digits")
    assert set(load_line_readers(settings, recognizers)) == {"digits"}


def test_a_folder_has_its_alphabets_name(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel) as refused:
        load_recognizers(installed(tmp_path, digits="digits", old="digits"))
    assert str(refused.value) == "old/model.onnx is of the alphabet digits. Name its folder so."


def test_none_of_the_default_alphabet(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"default alphabet, digits; there are models of letters\."):
        load_recognizers(installed(tmp_path, letters="letters"))
    with pytest.raises(UnusableModel, match=r"^There is no model file digits/model\.onnx\. Train one"):
        load_recognizers(Settings(models_dir=tmp_path / "nothing"))
