"""Train the network that reads whole rows, on composed numbers of hands as various as can be made up."""

import dataclasses
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from app.reading import ctc, rows
from app.reading.ink import Ink
from app.reading.reader import RowRecord
from app.reading.recognizer import READING_VERSION
from training import composing, export, learning
from training.composing import Composed, Manner
from training.devices import Device
from training.row_network import SYMBOLS, RowNetwork
from training.writers import Writers, made

Strips = npt.NDArray[np.uint8]

_SORTED_TOGETHER = 40
"""Batches whose rows are dealt out by their width, so that few columns are empty."""

_TYPICAL = 400
"""Rows by which int8's ranges are chosen."""


@dataclass(frozen=True)
class RowConfig:
    """Every hyper-parameter of the network of rows; kept in the record."""

    seed: int = 1
    numbers: int = 300_000
    """Composed for training."""
    epochs: int = 4
    """Passes over them."""
    batch_size: int = 64
    learning_rate: float = 2e-3
    warm_up: float = 0.1
    weight_decay: float = 0.02
    averaging: float = 0.999
    """Decay of the moving average of the weights, which is the network that is kept."""


@dataclass(frozen=True)
class Written:
    """A row, (32, columns) uint8, and its text."""

    strip: Strips
    text: str


def composed_at_random(writers: Writers, seed: int) -> Composed:
    """A line of 1 to 12 characters: three in ten of scans, else by one person, or by one who does not exist."""
    rng = np.random.default_rng(seed)
    touching = float(rng.uniform(0.2, 1)) if rng.random() < 0.6 else 0.0
    manner = Manner.at_random(rng, touching, plain=rng.random() < 0.4)
    if rng.random() < 0.8:
        manner = manner.of_another_hand(rng, far=1.5)
    longest = 12 if rng.random() < 0.1 else 8
    text = composing.text_at_random(rng, 1, longest, manner.marks)
    composed = composing.page([(text, writers.anybody(rng))], manner, rng)
    return composing.soiled(composed, manner, rng) if rng.random() < 0.15 else composed


def _of_seed(writers: Writers, seed: int) -> Written | None:
    composed = composed_at_random(writers, seed)
    found = rows.find(Ink(composed.ink))
    if len(found) != 1:
        return None
    return Written((255 * ctc.strip_of(found[0])).round().astype(np.uint8), composed.text)


def many(writers: Writers, count: int, seed: int, jobs: int) -> list[Written]:
    """So many rows, made by so many processes at once, with a progress bar."""
    seeds = range(seed * 20_000_003, seed * 20_000_003 + count)
    return [one for one in made(writers, _of_seed, seeds, "composed rows", jobs, chunksize=100) if one]


def fit(config: RowConfig, where: Device, data: Sequence[Written]) -> RowNetwork:
    """A network that has learned to read rows."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)

    def batches() -> Iterator[tuple[torch.Tensor, list[str]]]:
        for batch in _batches(data, config.batch_size, rng):
            yield changed(padded([one.strip for one in batch]).to(where.device)), [one.text for one in batch]

    return learning.learned(RowNetwork(), config, where, math.ceil(len(data) / config.batch_size), batches, _loss)


def _batches(data: Sequence[Written], size: int, rng: np.random.Generator) -> Iterator[list[Written]]:
    """All rows once, in batches of nearly the same width."""
    order = rng.permutation(len(data))
    widths = np.array([one.strip.shape[1] for one in data])
    batches = []
    for start in range(0, len(order), _SORTED_TOGETHER * size):
        some = order[start : start + _SORTED_TOGETHER * size]
        some = some[np.argsort(widths[some], kind="stable")]
        batches += [some[first : first + size] for first in range(0, len(some), size)]
    for place in rng.permutation(len(batches)):
        yield [data[int(one)] for one in batches[place]]


def write(network: RowNetwork, data: Sequence[Written], config: RowConfig, version: str, file: Path) -> None:
    """The network in int8, its ranges calibrated on some of the rows that it has learned from, with its record."""
    record = RowRecord.model_validate(
        {
            "alphabet": "digits",
            "version": version,
            "reading_version": READING_VERSION,
            "symbols": SYMBOLS,
            "config": dataclasses.asdict(config),
        }
    )
    typical = [one.strip[np.newaxis, np.newaxis].astype(np.float32) / np.float32(255) for one in data[:_TYPICAL]]
    with tempfile.TemporaryDirectory() as folder:
        whole = export.rows_to_onnx(network, Path(folder) / "float.onnx")
        export.quantize_by(whole, file, typical, "strips")
    export.describe(file, record.model_dump())


def padded(strips: Sequence[Strips]) -> torch.Tensor:
    """(n, 1, 32, width) in [0, 1]: strips with free space on their right, so that all are as wide as the widest."""
    width = max(strip.shape[1] for strip in strips)
    together = np.zeros((len(strips), 1, ctc.STRIP_HEIGHT, width), np.float32)
    for place, strip in enumerate(strips):
        together[place, 0, :, : strip.shape[1]] = strip
    return torch.from_numpy(together / np.float32(255))


def _loss(logits: torch.Tensor, texts: Sequence[str]) -> torch.Tensor:
    """Of (batch, symbols, frames) logits, for a character."""
    shares = logits.log_softmax(dim=1).permute(2, 0, 1)
    symbols = torch.tensor([SYMBOLS.index(one) for text in texts for one in text], device=logits.device)
    lengths = torch.tensor([len(text) for text in texts])
    frames = torch.full((len(texts),), len(shares))
    return F.ctc_loss(shares, symbols, frames, lengths, zero_infinity=True)


def changed(strips: torch.Tensor) -> torch.Tensor:
    """Strips, (n, 1, 32, width), as if another hand with another pen had written them."""
    strips = F.pad(strips, (0, strips.shape[3] // 16 * 2))
    return _another_pen(_bent(strips))


def _bent(strips: torch.Tensor) -> torch.Tensor:
    """Slanted, stretched and moved along a smooth random field."""
    count, _, height, width = strips.shape
    y = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    x = torch.arange(width, dtype=torch.float32).expand(height, width)

    def normal(spread: float) -> torch.Tensor:
        return torch.randn(count, 1, 1) * spread

    middle = (height - 1) / 2
    stretch = (1 + normal(0.1)).clamp(0.8, 1.12)
    places_x = x / stretch + normal(0.18) * (y - middle) * 4 / 3
    places_y = middle + (y - middle) / (1 + normal(0.07)).clamp(0.85, 1.2) + normal(0.8)
    field = torch.randn(count, 2, 5, max(3, width // 10))
    field = F.interpolate(field, (height, width), mode="bicubic") * torch.rand(count, 1, 1, 1) * 1.6
    grid = torch.stack(
        ((places_x + field[:, 0]) * 2 / (width - 1) - 1, (places_y + field[:, 1]) * 2 / (height - 1) - 1), dim=3
    )
    return F.grid_sample(strips, grid.to(strips.device), align_corners=True)


def _another_pen(strips: torch.Tensor) -> torch.Tensor:
    """Bolder, finer or smoother strokes, darker or fainter, with some grain."""
    count = len(strips)
    change = torch.rand(count, 1, 1, 1, device=strips.device)
    kind = torch.rand(count, 1, 1, 1, device=strips.device)
    bolder = F.max_pool2d(strips, 3, 1, 1)
    finer = -F.max_pool2d(-strips, (2, 3), 1, (1, 1))[:, :, : strips.shape[2]]
    smoother = F.avg_pool2d(strips, 3, 1, 1)
    other = torch.where(kind < 0.25, bolder, torch.where(kind < 0.4, 0.5 * (finer + strips), smoother))
    strips = torch.where(kind < 0.6, strips + 0.8 * change * (other - strips), strips)
    strength = 0.75 + 0.6 * torch.rand(count, 1, 1, 1, device=strips.device)
    noisy = torch.rand(count, 1, 1, 1, device=strips.device) < 0.2
    grain = torch.randn_like(strips) * noisy * 0.06 * change
    return (strips * strength + grain).clamp(0, 1)
