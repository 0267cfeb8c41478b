"""How well are whole numbers read? `python -m training.evaluate --lines`.

A text counts as right if every character of it is, and none is missing or too many.
"""

import argparse
import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.table import Table

from app.reading.reader import LINES_FILE, LineReader
from app.reading.recognizer import Recognizer
from training import line_sets, metrics, package, pictures, remote
from training.line_sets import Numbers
from training.lines import page_of
from training.progress import console, track


@dataclass(frozen=True)
class Texts:
    """Of one set, by picture: what stands there, what was read ("" where nothing was), how confidently, and whether
    that is sure.
    """

    expected: list[str]
    read: list[str]
    confidence: npt.NDArray[np.float64]
    sure: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, float, bool]]) -> "Texts":
        expected, read, confidence, sure = zip(*rows, strict=True)
        return cls(list(expected), list(read), np.array(confidence), np.array(sure))

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        return np.array([one == other for one, other in zip(self.expected, self.read, strict=True)])

    def figures(self, what: str) -> dict[str, Any]:
        """As the record keeps them; `by_length`: the share right of texts with so many digits."""
        sure, right = self.sure, self.right
        lengths = np.array([sum(one.isdigit() for one in text) for text in self.expected])
        found = metrics.share(right) | {"what": what, "sure": float(sure.mean())}
        if sure.any():
            found["right_of_sure"] = float(right[sure].mean())
        found["by_length"] = {str(one): float(right[lengths == one].mean()) for one in np.unique(lengths)}
        return found


def run(recognizer: Recognizer, args: argparse.Namespace) -> None:
    """Read all sets, as `training.evaluate` was asked to."""
    reader = LineReader(recognizer, args.model.with_name(LINES_FILE), threads=os.cpu_count() or 1)
    sets = [one for one in line_sets.of_data(args.data) if not args.only or args.only in one.name]
    if args.api:
        remote.check(args.api, recognizer.record)
    texts = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for one in sets:
            count = min(args.count or one.count, one.count)
            texts[one.name] = asked_api(args.api, one, count, pool) if args.api else asked(reader, one, count, pool)
    figures = {one.name: texts[one.name].figures(one.what) for one in sets}
    console.print(table_of(figures))
    if not args.only and not args.count:
        folder = args.output or args.model.parent / "pictures"
        sheet([(one, texts[one.name]) for one in sets], folder / "worst-numbers.png")
    if args.write:
        package.keep_figures(args.model, figures)


def asked(reader: LineReader, numbers: Numbers, count: int, pool: ProcessPoolExecutor) -> Texts:
    """What the code that serves requests reads, called in this process."""
    rows = []
    for text, page in track(pool.map(partial(page_of, numbers), range(count), chunksize=10), numbers.name, count):
        found = reader.read([page])[0] if page else None
        rows.append((text, found.text, found.confidence, found.sure) if found else (text, "", 0.0, False))
    return Texts.of(rows)


def asked_api(url: str, numbers: Numbers, count: int, pool: ProcessPoolExecutor) -> Texts:
    """What a running API reads."""
    work = pool.map(partial(remote.read, url, numbers.file), range(count), chunksize=10)
    return Texts.of(track(work, numbers.name, count))


def table_of(figures: dict[str, Any]) -> Table:
    table = Table(
        "set", "pictures", "right %", "95% interval", "target %", "sure %", "right of these %", "by length, %"
    )
    for column in table.columns[1:7]:
        column.justify = "right"
    for name, one in figures.items():
        target = line_sets.TARGETS.get(name)
        met = target is None or one["accuracy"] >= target
        table.add_row(
            name,
            str(one["count"]),
            f"{100 * one['accuracy']:.2f}",
            f"{100 * one['low']:.2f} to {100 * one['high']:.2f}",
            f"{100 * target:.1f}" if target else "",
            f"{100 * one['sure']:.1f}",
            f"{100 * one['right_of_sure']:.2f}" if "right_of_sure" in one else "",
            "  ".join(f"{length}: {100 * share:.1f}" for length, share in one["by_length"].items()),
            style=None if met else "red",
        )
    return table


def sheet(read: Sequence[tuple[Numbers, Texts]], file: Path, each: int = 6) -> Path:
    """The most confident mistakes of each set: what was read in red, what stands there below."""
    rows = []
    for numbers, texts in read:
        wrong = np.flatnonzero(~texts.right)
        worst = wrong[np.argsort(-texts.confidence[wrong])][:each].tolist()
        shown = [(_picture(numbers, place), texts.read[place], texts.expected[place]) for place in worst]
        if shown:
            rows.append((numbers.name, shown))
    return pictures.texts(rows, each, file)


def _picture(numbers: Numbers, index: int) -> Image.Image:
    """On grey where it is transparent: strokes may be black or white."""
    picture = Image.open(io.BytesIO(numbers.file(index)[1])).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "grey"), picture).convert("RGB")
