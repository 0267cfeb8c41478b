"""An alphabet of one's own, from a folder of pictures to its answers; what is wrong with pictures; EMNIST."""

import argparse
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import matplotlib
import numpy as np
import pytest
import requests
import torch
from PIL import Image, ImageDraw, ImageFont
from torchvision.datasets import EMNIST

import train_model
from app.reading.glyphs import Cleaning
from app.reading.recognizer import Recognizer
from tests.support.api import ROOT, serving
from tests.support.pictures import encoded
from training import alphabets, emnist, evaluate, own_alphabet, picture_folder, splits
from training.calibration import calibrate
from training.datasets import NO_CASE, GlyphSet
from training.networks import Architecture, LargerCNN

LETTERS = "ΓΞΩ"
CLEANING = own_alphabet.CLEANING
FONT = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 60)


def written(letter: str, seed: int, colour: str = "black") -> Image.Image:
    """A letter turned, sheared, stretched and moved at random on 120x120 pixels of white."""
    rng = np.random.default_rng(seed)
    change = np.eye(2) + rng.normal(0, 0.12, (2, 2))
    origin = 60 + rng.normal(0, 4, 2) - change @ (60, 60)
    picture = Image.new("L", (120, 120), "white")
    ImageDraw.Draw(picture).text((60, 60), letter, "black", FONT, anchor="mm")
    rows = (change[0, 0], change[0, 1], origin[0], change[1, 0], change[1, 1], origin[1])
    return picture.transform((120, 120), Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR, fillcolor=255)


def fill(folder: Path, counts: dict[str, int]) -> Path:
    """A folder for each letter with so many pictures of it."""
    for letter, count in counts.items():
        (folder / letter).mkdir(parents=True)
        for number in range(count):
            written(letter, 1000 * ord(letter) + number).save(folder / letter / f"{number}.png")
    return folder


def command(models: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200", "DIGITS_MODELS_DIR": str(models)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500
    )


@pytest.fixture(scope="module")
def greek(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `pictures` of three letters and the `models` that were trained with them."""
    folder = tmp_path_factory.mktemp("greek")
    pictures = fill(folder / "pictures", dict.fromkeys(LETTERS, 20))
    (pictures / "Γ" / "notes.txt").write_text("no picture")
    (folder / "models").mkdir()
    options = ["--alphabet", "greek", "--title", "Greek letters", "--pictures", str(pictures), "--install"]
    quick = ["--epochs", "5", "--limit", "400", "--no-track", "--output", str(folder / "run")]
    finished = command(folder / "models", "train_model.py", *options, *quick)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Left out: Γ/notes.txt. This is not a picture that can be read." in finished.stdout
    return folder


def test_it_is_served_beside_no_other(greek: Path, tmp_path: Path) -> None:
    with serving(tmp_path, models_dir=greek / "models", default_alphabet="greek") as api:
        (listed,) = requests.get(api.url + "/alphabets/", timeout=5).json()["alphabets"]
        answers = [
            (letter, api.predict(encoded(written(letter, seed))).json()["label"])
            for letter in LETTERS
            for seed in range(8)
        ]
    assert (listed["name"], listed["title"], listed["labels"]) == ("greek", "Greek letters", list(LETTERS))
    assert sum(letter == label for letter, label in answers) >= 20, answers


def test_it_is_evaluated_by_its_pictures(greek: Path) -> None:
    options = ["--alphabet", "greek", "--pictures", str(greek / "pictures"), "--count", "40"]
    judged = command(greek / "models", "-m", "training.evaluate", *options)
    assert judged.returncode == 0, judged.stderr
    assert re.search(r"^ *test pictures +\d+ +\d", judged.stdout, re.MULTILINE)
    assert re.search(r"^ *drawings +\d+ +\d", judged.stdout, re.MULTILINE)


def test_it_is_evaluated_by_no_others(greek: Path, tmp_path: Path) -> None:
    record = Recognizer(greek / "models" / "greek" / "model.onnx").record
    options = argparse.Namespace(pictures=None, emnist=None)
    with pytest.raises(SystemExit, match=r"The model is of the alphabet greek: .*for your own, say --pictures DIR"):
        evaluate.alphabet_of(record, options)
    options.pictures = fill(tmp_path, dict.fromkeys("ΓΞ", 8))
    with pytest.raises(SystemExit, match="The model tells Γ, Ξ, Ω apart, and the pictures are of Γ, Ξ: "):
        evaluate.alphabet_of(record, options)


def test_what_is_served_is_refined_if_it_tells_the_same_labels_apart(greek: Path, tmp_path: Path) -> None:
    other = fill(tmp_path / "pictures", {"Γ": 12, "Σ": 12})
    refine = ["train_model.py", "--refine", "--no-track", "--output", str(tmp_path / "run"), "--pictures", str(other)]
    of_others = command(greek / "models", *refine, "--alphabet", "greek")
    assert of_others.stderr.startswith("--refine: The served model tells other labels apart:"), of_others.stderr
    of_none = command(greek / "models", *refine, "--alphabet", "letters")
    assert of_none.stderr.startswith("--refine: There is no model file letters/model.onnx."), of_none.stderr
    assert of_others.returncode == of_none.returncode == 1


def test_its_record_says_what_it_has_learned_from(greek: Path) -> None:
    record = json.loads((greek / "models" / "greek" / "record.json").read_text())
    assert record["origin"]["pictures"] == dict.fromkeys(LETTERS, 20)
    assert record["origin"]["left_out"] == 1
    assert len(record["origin"]["sha256"]) == 64
    assert not record["data_sha256"]


def no_second_label(folder: Path) -> None:
    shutil.rmtree(folder / "Ω")


def too_few(folder: Path) -> None:
    for number in range(1, 8):
        (folder / "Ω" / f"{number}.png").write_bytes(b"")


def too_long(folder: Path) -> None:
    (folder / "Ω").rename(folder / "the last letter of the alphabet")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (shutil.rmtree, "There is no folder of pictures "),
        (no_second_label, "there is only one label, Γ; it takes two to tell apart. Needed is a folder for each label"),
        (too_few, r"Too few pictures can be read: 1 of Ω\. At least 8 of each label are needed, .*: add some, or"),
        (too_long, "The folder 'the last letter of the alphabet' cannot be a label: .* at most 20 characters"),
    ],
)
def test_too_little_to_learn_from(spoil: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    folder = fill(tmp_path / "pictures", {"Γ": 8, "Ω": 8})
    spoil(folder)
    with pytest.raises(SystemExit, match=sentence):
        picture_folder.read(folder, CLEANING)


def test_what_is_left_out_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fill(tmp_path / "pictures", {"Γ": 9, "Ω": 20})
    (folder / "Γ" / "damaged.png").write_bytes((folder / "Γ" / "0.png").read_bytes()[:200])
    Image.new("L", (50, 50), "white").save(folder / "Γ" / "blank.png")
    shutil.copy(folder / "Γ" / "1.png", folder / "Ω" / "copy.png")
    shutil.copy(folder / "Γ" / "1.png", folder / "loose.png")
    for ignored in (".DS_Store", "Γ/Thumbs.db", "Ω/._1.png"):
        (folder / ignored).write_bytes(b"?")
    (folder / "Ω" / ".cache").mkdir()
    (folder / "Ω" / ".cache" / "2.png").write_bytes(b"?")
    found = picture_folder.read(folder, CLEANING)
    assert capsys.readouterr().out.splitlines() == [
        "Left out: loose.png. What is in no label's folder is not read.",
        "Left out: Γ/blank.png. The picture is blank.",
        "Left out: Γ/damaged.png. The picture is damaged and cannot be decoded. Accepted are PNG, JPEG, WebP, AVIF, "
        "GIF, BMP or TIFF.",
        "Left out: Ω/copy.png. The same file is there twice.",
        "Few pictures: 9 of Γ. With 20 or more of each label, answers are better.",
    ]
    assert found.origin["pictures"] == {"Γ": 9, "Ω": 20}
    assert found.origin["left_out"] == 3


def test_the_record_knows_the_pictures_whatever_they_are_called(tmp_path: Path) -> None:
    folders = [fill(tmp_path / name, {"Γ": 8, "Ω": 8}) for name in "abc"]
    (folders[1] / "Γ" / "0.png").rename(folders[1] / "Γ" / "another name.png")
    written("Γ", seed=5).save(folders[2] / "Γ" / "0.png")
    first, renamed, other = (picture_folder.read(folder, CLEANING).origin["sha256"] for folder in folders)
    assert first == renamed != other


def test_labels_are_composed(tmp_path: Path) -> None:
    fill(tmp_path, {"Γ": 8, "Ω": 8})
    (tmp_path / "Ω").rename(tmp_path / unicodedata.normalize("NFD", "Ώ"))
    assert picture_folder.read(tmp_path, CLEANING).labels == ("Ώ", "Γ")


def test_rare_labels_are_shown_more_often(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fill(tmp_path, {"Γ": 100, "Ω": 8})
    picture_folder.read(folder, CLEANING)
    assert (
        "There are 100 pictures of Γ and 8 of Ω. Those of rare labels are shown more often" in capsys.readouterr().out
    )
    labels = np.repeat([0, 1, 3], [2000, 30, 3])
    shown = np.bincount(labels[own_alphabet.evened(labels, least=100)])
    assert shown.tolist() == [2000, 200, 0, 200]
    shown = np.bincount(labels[own_alphabet.evened(labels, least=9000)])
    assert shown.tolist() == [3000, 3000, 0, 3000]


def test_a_picture_that_is_added_moves_no_other() -> None:
    rng = np.random.default_rng(0)
    digests, labels = [rng.bytes(32) for _ in range(400)], np.arange(400) % 2
    before, after = (splits.by_content(labels[:count], digests[:count]) for count in (200, 400))
    for part, larger in zip(before, after, strict=True):
        assert set(part.tolist()) <= set(larger.tolist())
    assert [100 < len(part) < 300 for part in after] == [True, False, False]


def test_each_label_is_in_each_part() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(50), picture_folder.FEWEST)
    parts = splits.by_content(labels, [rng.bytes(32) for _ in labels])
    assert sorted(np.concatenate([part.numpy() for part in parts])) == list(range(len(labels)))
    for part, fewest in zip(parts, (4, 2, 2), strict=True):
        assert np.bincount(labels[part.numpy()], minlength=50).min() >= fewest


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--alphabet", "greek"], "there is no alphabet greek here, only .*digits.*; for your own, say --pictures DIR"),
        (["--alphabet", "digits", "--pictures", "."], "digits is an alphabet that is here already: give yours another"),
        (["--alphabet", "../up", "--pictures", "."], r"cannot be called '\.\./up', since its name stands in addresses"),
        (["--alphabet", "all", "--pictures", ".", "--emnist", "letters"], "--pictures and --emnist are of two"),
    ],
)
def test_options_that_make_no_sense(options: list[str], sentence: str) -> None:
    args = train_model.parser().parse_args(options)
    with pytest.raises(ValueError, match=sentence):
        own_alphabet.chosen(args, args.alphabet, args.title)


def test_emnist_is_upright_and_has_its_letters(tmp_path: Path) -> None:
    """In its files rows are columns, and letters count from 1."""
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 60), ("test", 20)):
        labels = np.arange(count) % 2 * 11 + 1
        pictures = np.stack([bar(lying=label == 12).T for label in labels])
        for name, dimensions, content in (("images-idx3", pictures.shape, pictures), ("labels-idx1", (count,), labels)):
            header = np.array([0x800 + len(dimensions), *dimensions], ">u4").tobytes()
            (raw / f"emnist-letters-{part}-{name}-ubyte").write_bytes(header + content.astype(np.uint8).tobytes())
    args = train_model.parser().parse_args(["--alphabet", "letters", "--emnist", "letters", "--data", str(tmp_path)])
    alphabet = own_alphabet.chosen(args, args.alphabet, args.title)
    assert (alphabet.title, "".join(alphabet.labels)) == ("Letters", "abcdefghijklmnopqrstuvwxyz")
    data = alphabet.load_training(tmp_path, train_model.Config(least_per_epoch=80), None)
    for some in (data.train, data.validation["pictures"], alphabet.load_test(tmp_path)):
        lying = some.glyphs.sum(dim=(1, 2)).gt(0).sum(dim=1) > some.glyphs.sum(dim=(1, 3)).gt(0).sum(dim=1)
        assert set(some.labels.tolist()) == {0, 11}
        assert lying.tolist() == (some.labels == 11).tolist()
    assert pickle.loads(pickle.dumps(alphabet)).labels == alphabet.labels  # a search sends it to its workers
    assert len(alphabet.files) == 1
    assert len(list(tmp_path.glob(alphabet.files[0]))) == 4


def bar(lying: bool) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    picture = np.zeros((28, 28), np.uint8)
    picture[12:15, 4:24] = 255
    return picture if lying else picture.T


def test_where_emnist_cannot_be_had_it_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(_: EMNIST) -> None:
        raise URLError("no network")

    monkeypatch.setattr(EMNIST, "download", unreachable)
    told = r"EMNIST is not in .*raw, or not whole, and cannot be downloaded\. .* put https://.*zip there"
    with pytest.raises(SystemExit, match=told):
        emnist.read(tmp_path, "letters", Cleaning())
    (tmp_path / "EMNIST" / "raw").mkdir(parents=True)
    for name in ("images-idx3", "labels-idx1"):
        (tmp_path / "EMNIST" / "raw" / f"emnist-letters-train-{name}-ubyte").write_bytes(b"no pictures")
    with pytest.raises(SystemExit, match=told):
        emnist.read(tmp_path, "letters", Cleaning())


def test_who_has_learned_nothing_is_not_sure() -> None:
    """1.5% of all answers may be called unsure; but none of these is likelier right than wrong."""
    glyphs = GlyphSet(torch.rand(40, 1, 28, 28), torch.arange(40) % 10, torch.full((40,), NO_CASE))
    validation = {"MNIST": glyphs, "drawings": glyphs}
    assert calibrate(LargerCNN(Architecture()), validation, alphabets.named("digits"), 0.015)["sure_from"] == 0.5
