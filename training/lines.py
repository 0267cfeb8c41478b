"""Train what reads lines of digits, beside the model that reads one: `python -m training.lines --data DIR --install`.

Numbers are put together of single digits, so that each one's own ink is known; the code that also serves requests cuts
them into candidates, too many and some of them wrongly; a network learns to tell characters from parts of them and from
more than one. Another network learns to read rows as a whole. Numbers of people and scans that neither has ever seen
then choose how far the alphabet's own network is trusted beside the first and how much the second is heeded, and the
thresholds of being sure.
"""

import argparse
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from app.models.shelf import Shelf
from app.reading import pipeline
from app.reading.lines import Page
from app.reading.picture import ReadingError, decode
from app.reading.reader import LINES_FILE, ROWS_FILE, Heard, LineReader, LineRecord
from app.reading.recognizer import MODEL_FILE, READING_VERSION, Recognizer, opened
from app.reading.text import Text
from training import candidates, export, learning, line_sets, package, row_training, writers
from training.candidates import Candidates
from training.devices import Device
from training.judge import Judge
from training.line_sets import Numbers
from training.progress import console, track
from training.row_training import RowConfig

Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]

NAMES = (
    "numbers",
    "touching numbers",
    "MNIST numbers",
    "touching MNIST numbers",
    "other hands",
    "touching other hands",
)
"""The sets by which choices are made, all alike."""


_FOLDS = 5
"""Parts of the validation sets, each of which is left out once when the thresholds of being sure are chosen."""

CHOICES = {
    "heed": (0.1, 0.2, 0.35, 0.5, 0.7),
    "heed_torn": (0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
    "trust": (0.3, 0.5, 0.7, 0.85),
    "trust_torn": (0.1, 0.3, 0.5, 0.7),
    "least_none": (1e-2, 1e-3, 1e-4),
    "tear": (0.0, 0.5, 1.0, 1.5),
}
"""What is tried of each of these fields of the record, for most texts to be right."""


@dataclass(frozen=True)
class Config:
    """Every hyper-parameter; kept in the record."""

    seed: int = 1
    numbers: int = 40_000
    """Composed for training."""
    epochs: int = 4
    batch_size: int = 256
    learning_rate: float = 2e-3
    warm_up: float = 0.15
    weight_decay: float = 0.02
    averaging: float = 0.998
    """Decay of the moving average of the weights, which is the network that is kept."""
    sure_right: float = 0.995
    """Of the texts that are sure, at least this share is to be right."""


def fit(config: Config, where: Device, data: Candidates) -> Judge:
    """A network that has learned to judge."""
    torch.manual_seed(config.seed)
    views, kinds = torch.from_numpy(data.views), torch.from_numpy(data.kinds)

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for chosen in learning.chunks(len(kinds), config.batch_size):
            yield views[chosen].to(where.device).float() / 255, kinds[chosen].to(where.device)

    return learning.learned(Judge(), config, where, len(kinds) // config.batch_size, batches, F.cross_entropy)


def write(judge: Judge, data: Candidates, record: LineRecord, file: Path) -> None:
    """The judge in int8, with its record."""
    some = np.random.default_rng(0).permutation(len(data.kinds))[:2048]
    views = np.ascontiguousarray(data.views[some], np.float32) / np.float32(255)
    with tempfile.TemporaryDirectory() as folder:
        whole = export.judge_to_onnx(judge, Path(folder) / "float.onnx")
        export.quantize(whole, file, views, "views")
    export.describe(file, record.model_dump())


@dataclass(frozen=True)
class Asked:
    """Pictures of numbers: what is on each, its page (None where nothing was found) and what the networks say of it."""

    texts: list[str]
    pages: list[Page | None]
    heard: list[Heard | None]

    @classmethod
    def of(cls, reader: LineReader, numbers: Numbers, count: int, pool: ProcessPoolExecutor) -> "Asked":
        work = pool.map(partial(page_of, numbers), range(count), chunksize=20)
        texts, pages = zip(*track(work, numbers.name, count), strict=True)
        return cls(list(texts), list(pages), [page and reader.heard(page) for page in pages])

    def read(self, reader: LineReader) -> tuple[Bools, list[Text | None]]:
        """What is read, and whether it is right."""
        read = [
            reader.text(page, heard) if page and heard else None
            for page, heard in zip(self.pages, self.heard, strict=True)
        ]
        right = [text is not None and text.text == is_ for text, is_ in zip(read, self.texts, strict=True)]
        return np.array(right), read


def page_of(numbers: Numbers, index: int) -> tuple[str, Page | None]:
    text, data = numbers.file(index)
    try:
        return text, pipeline.page_of(decode(data))
    except ReadingError:
        return text, None


def chosen(reader: LineReader, asked: Sequence[Asked], record: LineRecord, sure_right: float) -> LineRecord:
    """The record with what reads most texts of the validation sets right."""

    def right(tried: LineRecord) -> float:
        return float(np.mean([one.read(reader.under(tried))[0].mean() for one in asked]))

    best, share = record, right(record)
    tries = [(name, value) for name, values in CHOICES.items() for value in values]
    for name, value in track(tries, "choosing", len(tries)):  # one after the other
        tried = best.model_copy(update={name: value})
        if tried != best and (reached := right(tried)) > share:
            best, share = tried, reached
    read = [one.read(reader.under(best)) for one in asked]
    hits = np.concatenate([right for right, _ in read])
    texts = [text for _, some in read for text in some]
    shares = np.array([text.confidence if text else 0.0 for text in texts])
    cut = np.array([bool(text and text.cut) for text in texts])
    thresholds = {
        "sure_from": careful(hits[~cut], shares[~cut], sure_right),
        "sure_from_cut": careful(hits[cut], shares[cut], sure_right),
    }
    return best.model_copy(update=thresholds)


def careful(hits: Bools, shares: Doubles, sure_right: float) -> float:
    """The highest of the thresholds that `sure_from` finds where a part of the texts is left out, each of them once."""
    part = np.arange(len(hits)) % _FOLDS
    return max(sure_from(hits[part != one], shares[part != one], sure_right) for one in range(_FOLDS))


def sure_from(hits: Bools, shares: Doubles, sure_right: float) -> float:
    """The lowest confidence from which at least such a share is right."""
    order = np.argsort(-shares)
    right = hits[order].cumsum() / np.arange(1, len(hits) + 1)
    enough = np.flatnonzero(right >= sure_right)
    return float(shares[order][enough[-1]]) if enough.size else 1.0


def train_judge(args: argparse.Namespace, record: LineRecord, config: Config, file: Path) -> None:
    """Compose, learn to judge, and write the network."""
    data = candidates.many(writers.to_learn_from(args.data), config.numbers, config.seed, args.jobs)
    console.print(f"{len(data.kinds):,} candidates of {config.numbers:,} numbers")
    write(fit(config, Device.choose("auto"), data), data, record, file)


def train_rows(args: argparse.Namespace, version: str, config: RowConfig, file: Path) -> None:
    """Compose, learn to read rows, and write the network."""
    data = row_training.many(writers.to_learn_from(args.data), config.numbers, config.seed, args.jobs)
    network = row_training.fit(config, Device.choose("auto"), data)
    row_training.write(network, data, config, version, file)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.lines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--output", type=Path, default=Path("runs/lines"), help="where everything is written (%(default)s)")
    add("--numbers", type=int, default=Config.numbers, metavar="N", help="composed for the judge (%(default)s)")
    add("--epochs", type=int, default=Config.epochs, help="passes over them (%(default)s)")
    add("--rows", type=int, default=RowConfig.numbers, metavar="N", help="composed for reading rows (%(default)s)")
    add("--row-epochs", type=int, default=RowConfig.epochs, help="passes over these (%(default)s)")
    add("--seed", type=int, default=Config.seed, help="(%(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at once (%(default)s)")
    add("--validation", type=int, default=1200, metavar="N", help="numbers of each set to choose by (%(default)s)")
    add("--only", choices=("judge", "rows", "none"), help="train this network; the rest is there from a run before")
    add("--install", action="store_true", help="copy what was made to where the app serves it from")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    config = Config(seed=args.seed, numbers=args.numbers, epochs=args.epochs)
    first = _first_record(config)
    file, rows_file = args.output / LINES_FILE, args.output / ROWS_FILE
    if args.only in (None, "judge"):
        train_judge(args, first, config, file)
    else:
        learned = opened(file, threads=1)[1]["config"]
        first = first.model_copy(update={"config": learned | {"sure_right": config.sure_right}})
        export.describe(file, first.model_dump())
    if args.only in (None, "rows"):
        row_config = RowConfig(seed=args.seed, numbers=args.rows, epochs=args.row_epochs)
        train_rows(args, first.version, row_config, rows_file)
    recognizer = Recognizer(package.installed("digits") / MODEL_FILE, threads=args.jobs)
    reader = LineReader(recognizer, file, threads=args.jobs)
    sets = {one.name: one for one in line_sets.of_data(args.data, held_out=False)}
    with ProcessPoolExecutor(args.jobs) as pool:
        asked = [Asked.of(reader, sets[name], args.validation, pool) for name in NAMES]
    record = chosen(reader, asked, first, config.sure_right)
    export.describe(file, record.model_dump())
    for name, one in zip(NAMES, asked, strict=True):
        right, texts = one.read(reader.under(record))
        sure = np.array([bool(text and text.sure) for text in texts])
        console.print(
            f"{name}: {right.mean():.2%} right, {sure.mean():.1%} sure, {(sure & ~right).mean():.2%} wrong so"
        )
    console.print(record.model_dump_json(indent=2))
    if args.install:
        Shelf(package.MODELS, "digits").put(args.output)
        console.print("Installed: the app reads lines with them.")


def _first_record(config: Config) -> LineRecord:
    """Before anything is chosen."""
    return LineRecord.model_validate(
        {
            "alphabet": "digits",
            "version": package.new_version(),
            "reading_version": READING_VERSION,
            "trust": 0.7,
            "trust_torn": 0.3,
            "plausible": 0.02,
            "least_none": 1e-2,
            "tear": 0.5,
            "heed": 0.2,
            "heed_torn": 2.0,
            "sure_from": 1.0,
            "sure_from_cut": 1.0,
            "config": dataclasses.asdict(config),
        }
    )


if __name__ == "__main__":
    main()
