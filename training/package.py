"""From a trained network to what is served: the model file, its record, its pictures."""

import copy
import json
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app import settings
from app.drift import Reference
from app.models.shelf import RECORD_FILE, WEIGHTS_FILE, Shelf
from app.reading import second_look
from app.reading.glyphs import SIDE
from app.reading.recognizer import CASE, LABEL, MODEL_FILE, READING_VERSION, Recognizer
from training import datasets, export, metrics, pictures
from training.alphabets import Alphabet
from training.datasets import GlyphSet
from training.networks import LargerCNN
from training.reference import reference_of

PACKAGES = ("torch", "torchvision", "onnx", "onnxruntime", "numpy", "pillow")
"""Those whose versions the record keeps."""

_ROOT = Path(__file__).parent.parent
MODELS = settings.load().models_dir
"""The folder that the app serves from."""

Probabilities = np.ndarray[Any, np.dtype[np.float32]]


def write(
    trained: LargerCNN,
    alphabet: Alphabet,
    record: dict[str, Any],
    data_folder: Path,
    folder: Path,
    validation: dict[str, GlyphSet],
) -> tuple[Path, dict[str, Any]]:
    """Write weights, model file, record and pictures to `folder`; scores the test set, once.

    Args:
        trained: the network to keep; it is copied, not changed.
        record: what is known of the model so far: its labels, temperature, threshold, settings and history.
        validation: sets by name; they choose the precision and the ranges of int8.

    Returns:
        The model file and its whole record.
    """
    network = write_weights(trained, folder)
    record = record | reading(alphabet) | provenance(alphabet, data_folder)
    float_file, int8_file = export_both(network, record, validation, folder)
    shipped, validation_figures = choose_precision(float_file, int8_file, validation)
    test = alphabet.load_test(data_folder)
    probabilities, test_figures = score(Recognizer(shipped), test)
    record["precision"] = shipped.stem.removeprefix("model-")
    record["figures"] = {"validation": validation_figures, alphabet.test_name: test_figures}
    record["reference"] = reference_of(probabilities, record["labels"], alphabet.test_name).model_dump(mode="json")
    export.describe(shipped, record)
    model_file = Path(shutil.copyfile(shipped, folder / MODEL_FILE))
    write_record(record, folder)
    draw_pictures(record, test, probabilities, folder / "pictures")
    return model_file, record


def write_record(record: dict[str, Any], folder: Path) -> None:
    """Beside the model file, for people: what that says of itself."""
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def keep_figures(model_file: Path, figures: dict[str, Any], reference: Reference | None = None, **told: Any) -> None:
    """Add figures, by name of the set, and what else is told to what a model file says of itself, and to the record
    beside it.

    With `reference`, that is what the model's answers are held against from now on.
    """
    kept = Recognizer(model_file).record
    record = kept.model_dump(mode="json", exclude={"reference"}) | told
    record["figures"] = record["figures"] | figures
    if reference := reference or kept.reference:
        record["reference"] = reference.model_dump(mode="json")
    export.describe(model_file, record)
    write_record(record, model_file.parent)


def reading(alphabet: Alphabet) -> dict[str, Any]:
    """How a picture has to be read for the model, which the record tells those who serve it."""
    return {
        "reading_version": READING_VERSION,
        "input_side": SIDE,
        "heads": {LABEL: export.OUTPUT} | ({CASE: export.CASE_OUTPUT} if alphabet.cases else {}),
        "second_look": second_look.DEFAULT.model_dump(mode="json"),
        "cleaning": alphabet.cleaning.model_dump(),
    }


def write_weights(trained: LargerCNN, folder: Path) -> LargerCNN:
    """Write the weights in float32; returns the copy of the network that has them, on the CPU."""
    network = copy.deepcopy(trained).cpu().float().eval()
    network.save(folder / WEIGHTS_FILE)
    return network


def provenance(alphabet: Alphabet, data_folder: Path) -> dict[str, Any]:
    """What it takes to make the model again: commit, versions and the data's checksums."""
    return {
        "git_commit": git_commit(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        "data_sha256": datasets.checksums(data_folder, alphabet.files),
    }


def export_both(
    network: LargerCNN, record: dict[str, Any], validation: dict[str, GlyphSet], folder: Path
) -> tuple[Path, Path]:
    """Write the model in float32 and in int8, whose ranges come from the first glyphs of each validation set."""
    typical = torch.cat([part.glyphs[:512] for part in validation.values()]).cpu().numpy()
    float_file = export.to_onnx(network, record["temperature"], folder / "model-float32.onnx")
    int8_file = export.quantize(float_file, folder / "model-int8.onnx", typical)
    for file in (float_file, int8_file):
        export.describe(file, record)
    return float_file, int8_file


def choose_precision(
    float_file: Path, int8_file: Path, validation: dict[str, GlyphSet]
) -> tuple[Path, dict[str, dict[str, float]]]:
    """The int8 file where it is as good on validation data, to within one picture in a thousand; its figures.

    Each set counts alike; a set alone may differ by more, since the least of them has 1,500 pictures.
    """
    exact, int8 = (
        {name: score(Recognizer(file), part)[1] for name, part in validation.items()}
        for file in (float_file, int8_file)
    )
    lost = [exact[name]["accuracy"] - int8[name]["accuracy"] for name in exact]
    return (int8_file, int8) if sum(lost) / len(lost) <= 0.001 else (float_file, exact)


def score(recognizer: Recognizer, part: GlyphSet) -> tuple[Probabilities, dict[str, float]]:
    """(n, labels) probabilities, and accuracy and count."""
    probabilities = recognizer.probabilities(part.glyphs.cpu().numpy())
    accuracy = metrics.accuracy(probabilities, part.labels.cpu().numpy())
    return probabilities, {"accuracy": accuracy, "count": len(part)}


def draw_pictures(record: dict[str, Any], test: GlyphSet, probabilities: Probabilities, folder: Path) -> None:
    """Draw the course of the training and what was answered to the test set."""
    glyphs, labels, names = test.glyphs.numpy(), test.labels.numpy(), record["labels"]
    pictures.curves(record["history"], folder / "curves.png")
    pictures.confusion(probabilities, labels, names, folder / "confusion.png")
    pictures.sheet(glyphs[:60], probabilities[:60], labels[:60], names, folder / "predictions.png")
    pictures.worst(glyphs, probabilities, labels, names, folder / "worst.png")


def installed(alphabet: str) -> Path:
    """The folder from which the app serves the model of an alphabet."""
    return MODELS / alphabet


def install(model_file: Path, alphabet: str) -> None:
    """Copy the model, what belongs to it and its pictures to where the app serves them from; what was there is kept."""
    Shelf(MODELS, alphabet).put(model_file.parent)
    shutil.copytree(model_file.parent / "pictures", installed(alphabet) / "pictures", dirs_exist_ok=True)


def new_version(made_of: str = "") -> str:
    """Of a model that is made now: the day, and the beginning of a hash, of the commit if no other is given."""
    return f"{datetime.now(UTC):%Y.%m.%d}-{(made_of or git_commit())[:7]}"


def git_commit() -> str:
    """Of this checkout; an image has none, and is told by its build."""
    if revision := os.environ.get("REVISION"):
        return revision
    answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=_ROOT)
    return answer.stdout.strip() or "unknown"
