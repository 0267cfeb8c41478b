"""Train what tells the digit in the middle of a crop: `python -m training.middle --data DIR --install`.

Crops are cut out of numbers that are put together of single digits. Crops of people and scans that nothing was learned
from then choose how much of a say it has beside the model that sees the character alone, and below which confidence
of that.
"""

import argparse
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from app.models.shelf import Shelf
from app.reading.glyphs import Glyph
from app.reading.middle import MIDDLE_FILE, SIDE, Middle, MiddleRecord
from app.reading.picture import ReadingError, decode
from app.reading.pipeline import glyph_of
from app.reading.recognizer import MODEL_FILE, READING_VERSION, Recognizer, opened
from training import crops, export, learning, package, writers
from training.crops import Crops
from training.devices import Device
from training.networks import ConvBlock
from training.progress import console, track
from training.writers import Writers

THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""What is tried of `asked_below`,"""
SAYS = (0.5, 0.6, 0.7, 0.8)
"""and of `say`."""


@dataclass(frozen=True)
class Config:
    """Every hyper-parameter; kept in the record."""

    seed: int = 1
    crops: int = 600_000
    epochs: int = 8
    batch_size: int = 256
    learning_rate: float = 4e-3
    warm_up: float = 0.3
    weight_decay: float = 0.02
    smoothing: float = 0.05
    """Of the labels."""
    averaging: float = 0.999
    """Decay of the moving average of the weights, which is the network that is kept."""


class MiddleCNN(nn.Module):
    """(batch, 1, 32, 32) crops in [0, 1] -> (batch, labels) logits: `LargerCNN` with half of the filters."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            ConvBlock(1, 32, 5, padding=2, pooled=True),
            ConvBlock(32, 64, 3, padding=1, pooled=True),
            ConvBlock(64, 128, 3, padding=1, pooled=True),
            nn.Flatten(),
            nn.Linear(128 * (SIDE // 8) ** 2, 256),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(256, labels),
        )

    def forward(self, shown: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(shown)
        return logits


def varied(shown: torch.Tensor) -> torch.Tensor:
    """(batch, 1, 32, 32) crops, each moved, resized, slanted and bent a little."""
    count = len(shown)
    matrices = torch.zeros(count, 2, 3)
    matrices[:, (0, 1), (0, 1)] = torch.exp(0.08 * torch.randn(count, 2))
    matrices[:, 0, 1] = 0.08 * torch.randn(count)
    matrices[:, :, 2] = 0.2 * (torch.rand(count, 2) - 0.5)
    places = F.affine_grid(matrices, list(shown.shape), align_corners=False)
    bends = 0.1 * torch.rand(count, 1, 1, 1) * torch.randn(count, 2, 5, 5)
    places += F.interpolate(bends, size=SIDE, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return F.grid_sample(shown, places, align_corners=False)


def fit(config: Config, where: Device, data: Crops) -> MiddleCNN:
    """A network that has learned to tell what is in the middle."""
    torch.manual_seed(config.seed)
    fields, labels = torch.from_numpy(data.fields)[:, None], torch.from_numpy(data.labels)

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for chosen in learning.chunks(len(labels), config.batch_size):
            yield varied(fields[chosen].float() / 255).to(where.device), labels[chosen].to(where.device)

    loss_of = partial(F.cross_entropy, label_smoothing=config.smoothing)
    return learning.learned(MiddleCNN(10), config, where, len(labels) // config.batch_size, batches, loss_of)


def write(network: MiddleCNN, data: Crops, record: MiddleRecord, file: Path) -> None:
    """The network in int8, with its record."""
    some = np.ascontiguousarray(data.fields[:2048, None], np.float32) / np.float32(255)
    with tempfile.TemporaryDirectory() as folder:
        whole = export.middle_to_onnx(network, Path(folder) / "float.onnx")
        export.quantize(whole, file, some, "crops")
    export.describe(file, record.model_dump())


def chosen(record: MiddleRecord, model: Path, file: Path, people: Writers, count: int) -> MiddleRecord:
    """The record with the `say` and the least `asked_below` with which a model, and this file beside it, read most
    crops by such writers right, but for one in a thousand.
    """
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(track(pool.map(partial(_scanned, people), range(count), chunksize=20), "scans", count))
    labels, glyphs = zip(*((label, glyph) for label, glyph in found if glyph and glyph.crop is not None), strict=True)
    with tempfile.TemporaryDirectory() as folder:
        alone = Recognizer(Path(shutil.copy(model, folder))).predict(list(glyphs))
    of_characters = np.array([one.probabilities for one in alone], np.float32)
    wanted = np.array([record.labels.index(label) for label in labels])
    session = opened(file, threads=os.cpu_count() or 1)[0]
    of_crops = Middle(session, record).probabilities(np.stack([glyph.crop for glyph in glyphs]))
    shares = dict[tuple[float, float], float]()
    for say in SAYS:
        middle = Middle(session, record.model_copy(update={"say": say}))
        both = middle.weighed(of_characters, of_crops)
        for below in THRESHOLDS:
            asked = of_characters.max(axis=1, keepdims=True) < below
            shares[below, say] = float((np.where(asked, both, of_characters).argmax(axis=1) == wanted).mean())
    right = float((of_characters.argmax(axis=1) == wanted).mean())
    console.print(f"{len(labels)} crops: {right:.2%} right alone; by confidence and say:", shares)
    below, say = min(one for one, share in shares.items() if share >= max(shares.values()) - 0.001)
    return record.model_copy(update={"asked_below": below, "say": say})


def _scanned(people: Writers, index: int) -> tuple[str, Glyph | None]:
    rng = np.random.default_rng(80_000_000 + index)
    label, data = crops.scanned(people.one(rng), rng)
    try:
        return str(label), glyph_of(decode(data))
    except ReadingError:
        return str(label), None


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.middle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--output", type=Path, default=Path("runs/middle"), help="where everything is written (%(default)s)")
    add("--crops", type=int, default=Config.crops, metavar="N", help="composed for training (%(default)s)")
    add("--epochs", type=int, default=Config.epochs, help="passes over them (%(default)s)")
    add("--seed", type=int, default=Config.seed, help="(%(default)s)")
    add("--validation", type=int, default=8000, metavar="N", help="crops to choose by (%(default)s)")
    add("--install", action="store_true", help="copy what was made to where the app serves it from")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    config = dataclasses.replace(Config(), seed=args.seed, crops=args.crops, epochs=args.epochs)
    model = package.installed("digits") / MODEL_FILE
    record = MiddleRecord.model_validate(
        {
            "alphabet": "digits",
            "labels": Recognizer(model).labels,
            "version": package.new_version(),
            "reading_version": READING_VERSION,
            "asked_below": 1.0,
            "config": dataclasses.asdict(config),
        }
    )
    data = crops.many(writers.to_learn_from(args.data), config.crops, config.seed)
    file = args.output / MIDDLE_FILE
    write(fit(config, Device.choose("auto"), data), data, record, file)
    record = chosen(record, model, file, writers.unseen(args.data, held_out=False), args.validation)
    export.describe(file, record.model_dump())
    console.print(record.model_dump_json(indent=2))
    if args.install:
        Shelf(package.MODELS, "digits").put(args.output)
        console.print("Installed: the app tells characters in the middle of crops with it.")


if __name__ == "__main__":
    main()
