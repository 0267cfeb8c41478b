"""Archives as Kaggle has them: pictures, and a table with a row for each."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from training.datasets import Pictures
from training.progress import track

Row = dict[str, str]


def read(file: Path, dataset: str, table: str, picture_of: Callable[[Row], str]) -> tuple[Pictures, list[Row]]:
    """All pictures, (n, height, width) uint8, and their rows, in random order, always the same.

    Args:
        file: the archive as it is downloaded. Where there is none, the program ends with where it is to be had.
        dataset: its name at Kaggle, "owner/name".
        table: the name of its CSV file.
        picture_of: a row -> the name of its picture.
    """
    if not file.is_file():
        raise SystemExit(f"There is no {file.name} in {file.parent}. It is https://www.kaggle.com/datasets/{dataset}")
    with zipfile.ZipFile(file) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(table), "utf-8")))
        rows = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
        opened = (Image.open(archive.open(picture_of(row))) for row in rows)
        pictures = [np.asarray(picture.convert("L")) for picture in track(opened, file.name, len(rows))]
    return np.stack(pictures), rows
