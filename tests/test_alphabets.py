"""Alphabets of other characters than digits: names, cases, and what an answer then says."""

import shutil
import zipfile
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import requests
import torch
from PIL import Image, ImageDraw, ImageFont

from app.reading import picture, pipeline
from app.reading.glyphs import Glyph
from app.reading.picture import decode
from app.reading.pipeline import BlankImage, glyph_of
from app.reading.recognizer import MODEL_FILE, ModelRecord, Recognizer, UnusableModel
from tests.support.api import serving
from tests.support.handwriting import DATA
from tests.support.pictures import drawn, encoded
from tests.support.reading import picture_of
from train_model import Config
from training import export
from training.alphabets import chinese, ukrainian
from training.datasets import NO_CASE
from training.networks import Architecture, LargerCNN

RECORD = {
    "alphabet": "letters",
    "title": "Letters",
    "version": "1",
    "labels": ["а", "ґ", "7"],
    "names": {"ґ": "ge"},
    "cases": ["lower", "upper"],
    "cased": ["а"],
    "sure_from": 0.9,
    "reading_version": 1,
    "heads": {"label": "probabilities", "case": "cases"},
}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model file for each label, of a network that always answers with that, and with upper case."""
    folder, files = tmp_path_factory.mktemp("letters"), {}
    for index, label in enumerate(("а", "ґ", "7")):
        network = LargerCNN(Architecture(classes=3, cases=2))
        with torch.no_grad():
            list(network.parameters())[-1][[index, 4]] += 100  # the last layer's bias
        files[label] = folder / str(index) / "letters" / MODEL_FILE
        files[label].parent.mkdir(parents=True)
        export.describe(export.to_onnx(network, 1.0, files[label]), RECORD)
    return files


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("а", {"label": "а", "case": "upper"}),
        ("ґ", {"label": "ґ", "case": None, "name": "ge"}),
        ("7", {"label": "7", "case": None, "predicted_digit": 7}),
    ],
)
def test_an_answer_says_what_applies(
    label: str, expected: dict[str, object], networks: dict[str, Path], tmp_path: Path
) -> None:
    with serving(tmp_path, models_dir=networks[label].parents[1], default_alphabet="letters") as api:
        answer = api.predict(encoded(drawn(7))).json()
        assert {key: answer[key] for key in ("label", "case", "name", "predicted_digit") if key in answer} == expected
        (listed,) = requests.get(api.url + "/alphabets/", timeout=5).json()["alphabets"]
    assert (listed["title"], listed["names"], listed["cased"]) == ("Letters", {"ґ": "ge"}, ["а"])


def test_a_blank_picture_of_letters_should_show_a_character(networks: dict[str, Path]) -> None:
    recognizer = Recognizer(networks["а"])
    blank = picture.open_file(encoded(Image.new("L", (50, 50))))
    for outcome in pipeline.read([blank], recognizer):
        assert isinstance(outcome, BlankImage)
        assert str(outcome) == "Image is blank. Please provide a valid character."


def test_label_and_case_are_asked_in_one_run(networks: dict[str, Path]) -> None:
    recognizer = Recognizer(networks["а"])
    runs: list[list[str]] = []

    def run(outputs: list[str], glyphs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Of a broad glyph the first letter in lower case; of any other it is in upper case."""
        runs.append(outputs)
        lower = glyphs["glyphs"].mean(axis=(1, 2, 3)) > 0.5
        cases = np.where(lower[:, None], [[0.9, 0.1]], [[0.1, 0.9]])
        return [np.tile(np.array([[0.98, 0.01, 0.01]], np.float32), (len(lower), 1)), cases.astype(np.float32)]

    recognizer._session = SimpleNamespace(run=run)
    thin, broad = np.zeros((28, 28), np.float32), np.ones((28, 28), np.float32)
    whole, cut = Glyph(broad, (0, 0, 9, 9), 1.0), Glyph(broad, (0, 0, 9, 9), 1.0, (thin, thin))
    answers = recognizer.predict([whole, cut, whole])
    assert runs == [["probabilities", "cases"]]
    assert [answer.case for answer in answers] == ["lower", "upper", "lower"]  # of several, that of the middle one
    assert [answer.sure for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    ("labels", "character"),
    [
        (["0", "1"], "digit"),
        (["0", "а"], "character"),
        (["10"], "character"),
        (["٣"], "character"),
        (["三"], "character"),
    ],
)
def test_what_people_call_a_label(labels: list[str], character: str) -> None:
    assert ModelRecord.model_validate(RECORD | {"labels": labels, "cased": []}).character == character


def test_cases_need_their_head(networks: dict[str, Path]) -> None:
    file = networks["а"]
    export.describe(file, RECORD | {"heads": {"label": "probabilities"}})
    with pytest.raises(UnusableModel, match="cases"):
        Recognizer(file)
    export.describe(file, RECORD)


def test_strokes_that_stand_apart_are_one_character() -> None:
    """In the digits' way, those of an 八 would be two ones."""
    eight = Image.new("L", (200, 200), "white")
    pen = ImageDraw.Draw(eight)
    pen.line((80, 50, 50, 150), fill="black", width=10)
    pen.line((110, 50, 150, 150), fill="black", width=10)
    assert len(glyph_of(picture_of(eight)).others) == 2
    assert not glyph_of(picture_of(eight), chinese.CLEANING).others


def test_nobody_has_written_for_both_training_and_test(tmp_path: Path) -> None:
    """An archive in Kaggle's layout, of 28 people who wrote two numerals each."""
    with zipfile.ZipFile(tmp_path / chinese.FILE, "w") as archive:
        rows = ["suite_id,sample_id,code,value,character"]
        for writer in range(1, 29):
            for code, character in ((2, "一"), (11, "十")):
                rows.append(f"{writer},1,{code},0,{character}")
                archive.writestr(f"data/data/input_{writer}_1_{code}.jpg", encoded(numeral(character, writer), "JPEG"))
        archive.writestr("chinese_mnist.csv", "\n".join(rows))
    learned, judged, tested = chinese.by_writer(chinese.read(tmp_path))
    assert (set(learned.writers), set(judged.writers)) == ({1, 2, 3}, set(range(4, 14)))
    assert set(tested.writers) == set(range(14, 29))
    sets = {one.name: one for one in chinese.load_evaluation(tmp_path)}
    assert len(sets["Chinese MNIST test"].labels) == len(sets["drawings"].labels) == 30
    for one in (sets["Chinese MNIST test"], sets["drawings"]):
        glyph = glyph_of(decode(one.file(0)), chinese.CLEANING)
        width, height = glyph.box[2] - glyph.box[0], glyph.box[3] - glyph.box[1]
        assert (width > 3 * height) == (chinese.LABELS[one.labels[0]] == "一")


def test_where_the_archive_is_missing_it_is_told_where_there_is_one(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"There is no chinese-mnist\.zip in .*kaggle\.com"):
        chinese.read(tmp_path)


def numeral(character: str, writer: int) -> Image.Image:
    """Light on dark, 64 pixels a side."""
    picture = Image.new("L", (64, 64), 0)
    pen = ImageDraw.Draw(picture)
    pen.line((15, 30, 45 + writer % 8, 30), fill=255, width=2)
    if character == "十":
        pen.line((30, 12, 30, 50), fill=255, width=2)
    return picture


@pytest.fixture
def rukopys(tmp_path: Path) -> Path:
    """A folder with an archive in Kaggle's layout, of 12 pictures each of а, А and щ, and with a few digits."""
    shutil.copytree(DATA, tmp_path / "data")
    rows = ["label,is_uppercase,filename"]
    with zipfile.ZipFile(tmp_path / "data" / ukrainian.FILE, "w") as archive:
        for form in "аАщ":
            for number in range(12):
                name = f"glyphs/{form}-{number}.png"
                rows.append(f"{form.lower()},{form.isupper()},{name}")
                archive.writestr(name, encoded(letter(form, number)))
        archive.writestr("glyphs.csv", "\n".join(rows))
    return tmp_path / "data"


def letter(form: str, number: int) -> Image.Image:
    """Dark on light, 100 pixels a side, each number's in another place."""
    picture = Image.new("RGB", (100, 100), "white")
    ImageDraw.Draw(picture).text((20 + number, 20), form, "black", ImageFont.truetype("DejaVuSans.ttf", 50))
    return picture


def test_each_fold_tests_what_no_other_does_and_learns_nothing_of_it(rukopys: Path) -> None:
    written = ukrainian.rukopys(rukopys)
    parts = [ukrainian.split(written, fold) for fold in range(1, 6)]
    places = [[picture.tobytes() for picture in part.pictures] for parted in parts for part in parted]
    assert sorted(chain(*places[2::3])) == sorted(picture.tobytes() for picture in written.pictures)
    for learned, judged, tested in zip(places[::3], places[1::3], places[2::3], strict=True):
        assert not set(tested) & set(learned + judged)
        assert not set(judged) & set(learned)
    assert [len(part.pictures) for part in ukrainian.split(written, 0)] == [30, 6, 0]


def test_case_is_what_both_forms_are_known_of(rukopys: Path) -> None:
    sets = ukrainian.held_out(3).load_evaluation(rukopys)
    assert [one.name for one in sets] == ["Rukopys", "drawings"]
    for one in sets:
        assert one.cases is not None
        seen = {(ukrainian.LABELS[label], int(case)) for label, case in zip(one.labels, one.cases, strict=True)}
        assert seen == {("а", 0), ("а", 1), ("щ", NO_CASE)}
        assert glyph_of(decode(one.file(0)), ukrainian.CLEANING).pixels.any()


def test_letters_and_digits_are_learned_together(rukopys: Path) -> None:
    data = ukrainian.load_training(rukopys, Config(alphabet="ukrainian"), limit=40, fold=1)
    assert len(data.train) == ukrainian.REPEATED * 21
    assert {ukrainian.LABELS[label] for label in data.train.labels} == {"а", "щ"}
    assert set(data.train.cases.tolist()) == {0, 1, NO_CASE}
    rewritten, share = data.extras["rewritten"]
    assert len(rewritten) == ukrainian.DRAWN * 21
    assert round(len(data.train) * share) == ukrainian.REWRITTEN * 21
    digits = data.extras["digits"][0]
    assert {ukrainian.LABELS[label] for label in digits.labels} <= set("0123456789")
    assert (digits.cases == NO_CASE).all()
