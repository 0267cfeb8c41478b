"""Models to serve: the shipped one of digits, under other records."""

import json
import shutil
from pathlib import Path
from typing import Any

import onnx

from app.reading.reader import LINES_FILE, ROWS_FILE
from app.reading.recognizer import METADATA_KEY, MODEL_FILE
from app.settings import Settings

DIGITS = Settings().models_dir / "digits" / MODEL_FILE


def install(folder: Path, name: str, **changes: Any) -> Path:
    """Put a model into the folder `name` of the models' folder, with these entries of its record changed."""
    model = onnx.load(DIGITS)
    (entry,) = (entry for entry in model.metadata_props if entry.key == METADATA_KEY)
    entry.value = json.dumps(json.loads(entry.value) | changes)
    file = folder / name / MODEL_FILE
    file.parent.mkdir(parents=True)
    onnx.save(model, file)
    return file


def install_lines(folder: Path, name: str) -> None:
    """Put the line reader of digits beside a model of them."""
    for file in (LINES_FILE, ROWS_FILE):
        shutil.copy(DIGITS.with_name(file), folder / name)
