"""The models that an API process serves: found by their alphabet, or the start fails with a sentence."""

from pathlib import Path

import pytest

from app.api.models import Models
from app.reading.recognizer import UnusableModel
from tests.support.models import install, install_lines


def installed(folder: Path, **alphabets: str) -> Models:
    """Models in folders by name, each of some alphabet."""
    for name, alphabet in alphabets.items():
        install(folder, name, alphabet=alphabet)
    return Models(folder, "digits")


def test_several_alphabets(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    assert list(installed(tmp_path, alpha="alpha", digits="digits").served) == ["digits", "alpha"]


def test_line_readers_of_the_alphabets_that_have_one(tmp_path: Path) -> None:
    models = installed(tmp_path, digits="digits", letters="letters")
    assert models.of_lines == []
    install_lines(tmp_path, "digits")
    assert Models(tmp_path, "digits").of_lines == ["digits"]


def test_a_folder_has_its_alphabets_name(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel) as refused:
        installed(tmp_path, digits="digits", old="digits")
    assert str(refused.value) == "old/model.onnx is of the alphabet digits. Name its folder so."


def test_none_of_the_default_alphabet(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"default alphabet, digits; there are models of letters\."):
        installed(tmp_path, letters="letters")
    with pytest.raises(UnusableModel, match=r"^There is no model file digits/model\.onnx\. Train one"):
        Models(tmp_path / "nothing", "digits")
