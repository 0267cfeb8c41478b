"""Sets made from others: the same characters, made worse on purpose."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.handwriting import DATA, mnist_digits
from training import datasets
from training.alphabets.digits import ALPHABET as DIGITS
from training.augmentation import Augmentation
from training.negatives import make
from training.strokes import StrokeSet


def test_small_pictures_are_small_and_tight() -> None:
    digit = Image.fromarray(mnist_digits()[0][0])
    made = [datasets.squeezed(digit, np.random.default_rng(seed)) for seed in range(60)]
    assert all(12 <= side <= 28 for picture in made for side in picture.size)
    assert len({picture.size for picture in made}) > 10
    black_and_white = sum(set(np.unique(np.asarray(picture))) <= {0, 255} for picture in made)
    assert 30 < black_and_white < 55


def test_small_pictures_keep_their_labels() -> None:
    images, labels = mnist_digits()
    small = datasets.small(images[:40], labels[:40], seed=1)
    assert small.glyphs.shape == (40, 1, 28, 28)
    assert np.array_equal(small.labels.numpy(), labels[:40])
    assert small.glyphs.amax(dim=(1, 2, 3)).min() > 0.5


def test_blank_pictures_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = mnist_digits()
    images = images[:6].copy()
    images[[1, 4]] = 0
    kept = datasets.from_pictures("scans", images, labels[:6])
    assert np.array_equal(kept.labels.numpy(), labels[[0, 2, 3, 5]])
    assert kept.glyphs.amax(dim=(1, 2, 3)).min() > 0.5
    assert capsys.readouterr().out == "scans: 2 of 6 pictures are refused as blank and left out.\n"


def test_drawings_become_small_ones_too() -> None:
    strokes = StrokeSet.load(DATA / datasets.STROKES_FILE)
    once, twice = (datasets.small_drawings(strokes, times, seed=1, limit=20) for times in (1, 2))
    assert np.array_equal(twice.labels.numpy(), np.tile(strokes.labels[:20], 2))
    assert torch.equal(twice.glyphs[:20], once.glyphs)  # a seed fixes them
    assert not torch.equal(twice.glyphs[20:], once.glyphs)  # each time another brush
    assert once.glyphs.amax(dim=(1, 2, 3)).min() > 0.5


def test_letters_to_judge_by_are_not_those_to_learn_from(tmp_path: Path) -> None:
    archive = tmp_path / datasets.LETTERS_FILE
    learned, judged = np.full((28, 28), 60, np.uint8), np.full((28, 28), 200, np.uint8)
    np.savez(
        archive,
        images=np.stack([learned, judged]),
        letters=np.array(["Ж", "Ж"]),
        source=np.array(["train(inferred)", "test"]),
    )
    digits, labels = mnist_digits()

    def shades(held_out: bool) -> set[int]:
        made = [np.asarray(make(seed, digits, labels, archive, held_out)) for seed in range(60)]
        return {255 - int(picture[0, 0]) for picture in made if np.ptp(picture) == 0}

    assert shades(held_out=False) == {60}
    assert shades(held_out=True) == {200}


def test_checksums_are_of_what_is_read() -> None:
    checksums = datasets.checksums(DATA, DIGITS.files)
    assert set(checksums) >= {"train-images-idx3-ubyte", "pendigits-strokes.npz"}
    assert "strokes.json" not in checksums


def test_warped_pictures_stay_dark_on_bright() -> None:
    pictures = np.full((2, 60, 60), 255, np.uint8)
    pictures[:, 20:40, 28:32] = 0
    unchanged = datasets.warped(pictures, Augmentation().scaled(0), seed=1)
    assert np.abs(unchanged.astype(int) - pictures).max() <= 1
    changed = datasets.warped(pictures, Augmentation(shear=0.5), seed=1)
    assert not np.array_equal(changed[0], changed[1])
    assert (changed[:, 0] == 255).all()
    assert (changed.min(axis=(1, 2)) < 50).all()
