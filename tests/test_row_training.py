"""How the network of rows is trained: hands that nobody has, and the file that is made."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from app.reading.recognizer import opened
from training import row_training
from training.composing import BlendedDigits, Manner, PenDigits
from training.devices import Device
from training.row_network import SYMBOLS
from training.row_training import RowConfig, Written
from training.strokes import Points, StrokeSet


def pen(lean: float, strokes: int = 1) -> PenDigits:
    """A writer of ones that lean so far, as one stroke or more."""
    one: list[Points] = [np.array([[lean * y, y] for y in range(0, 101, 20)], np.float32)] * strokes
    return PenDigits(StrokeSet([one], np.array([1]), np.array(["somebody"])))


MANNER = Manner(height=50, brush=3, gap=0.2, slant=0, slope=0, growth=1, touching=0)


@pytest.mark.parametrize(("share", "lean"), [(0.0, 0.1), (0.5, 0.3), (1.0, 0.5), (1.25, 0.6)])
def test_a_digit_stands_between_two_peoples_or_beyond_one(share: float, lean: float) -> None:
    rng = np.random.default_rng(0)
    blended = BlendedDigits(pen(0.1), pen(0.5), share)("1", MANNER, 1.0, rng)
    expected = pen(lean)("1", MANNER, 1.0, rng)
    assert blended.ink.shape == pytest.approx(expected.ink.shape, abs=1)


def test_digits_of_different_strokes_are_not_blended() -> None:
    rng = np.random.default_rng(0)
    alone = pen(0.1)("1", MANNER, 1.0, rng)
    assert np.array_equal(BlendedDigits(pen(0.1), pen(0.5, 2), 0.5)("1", MANNER, 1.0, rng).ink, alone.ink)


def test_another_hand_writes_in_the_same_place() -> None:
    torch.manual_seed(0)
    strips = torch.zeros(40, 1, 32, 64)
    strips[:, :, 6:26, 30:34] = 1
    changed = row_training.changed(strips)
    assert changed.shape == (40, 1, 32, 72)
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
    assert len({one.numpy().tobytes() for one in changed}) == 40
    middle = (changed.sum(dim=(1, 2)) * torch.arange(72)).sum(dim=1) / changed.sum(dim=(1, 2, 3))
    assert middle.min() > 20
    assert middle.max() < 44


def test_every_row_is_learned_from_once_in_a_pass_beside_ones_as_wide() -> None:
    rows = [Written(np.zeros((32, width), np.uint8), str(width)) for width in range(20, 180, 2)]
    batches = list(row_training._batches(rows, 8, np.random.default_rng(0)))
    assert sorted(one.text for batch in batches for one in batch) == sorted(one.text for one in rows)
    for batch in batches:
        widths = [one.strip.shape[1] for one in batch]
        assert max(widths) - min(widths) == 14


def test_what_is_made_reads_rows_of_any_width(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for width, digit in itertools.product((24, 30, 40), "0123456789" * 2):
        strip = np.zeros((32, width), np.uint8)
        strip[6:26, 8 : width - 8] = 20 * (int(digit) + 2) + rng.integers(0, 5)
        rows.append(Written(strip, digit))
    config = RowConfig(epochs=1, batch_size=20, averaging=0.5)
    network = row_training.fit(config, Device(torch.device("cpu"), False, 1), rows)
    row_training.write(network, rows, config, "a version", tmp_path / "rows.onnx")
    session, record, _ = opened(tmp_path / "rows.onnx", threads=1)
    assert record["symbols"] == list(SYMBOLS)
    assert record["config"]["epochs"] == 1
    for width in (24, 40, 168):
        seen = rng.random((1, 1, 32, width), np.float32)
        (shares,) = session.run(None, {"strips": seen})
        assert shares.shape == (1, len(SYMBOLS), width // 2)
        assert shares.sum(axis=1) == pytest.approx(1, abs=0.02)
        exact = torch.softmax(network(torch.from_numpy(seen)), dim=1).detach().numpy()
        assert np.abs(shares - exact).mean() < 0.02


def test_each_epoch_shows_every_row() -> None:
    rows = [Written(np.full((32, 20), 255, np.uint8), "1")] * 12
    config = RowConfig(epochs=2, batch_size=6, averaging=0.0)
    network = row_training.fit(config, Device(torch.device("cpu"), False, 1), rows)
    assert int(network.get_buffer("layers.2.num_batches_tracked")) == 4
