"""From a trained network to what is served: the model file, its record, its pictures."""

import copy
import json
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from app.reading.recognizer import Recognizer
from training import datasets, evaluation, export, pictures
from training.alphabets import Alphabet
from training.datasets import GlyphSet
from training.networks import LargerCNN

_ROOT = Path(__file__).parent.parent


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
    network = copy.deepcopy(trained).cpu().float().eval()
    network.save(folder / "mnist_larger_cnn.pth")
    typical = torch.cat([part.glyphs[:512] for part in validation.values()]).cpu().numpy()
    float_file = export.to_onnx(network, record["temperature"], folder / f"{alphabet.name}-float32.onnx")
    small_file = export.quantize(float_file, folder / f"{alphabet.name}-int8.onnx", typical)
    packages = ("torch", "torchvision", "onnx", "onnxruntime", "numpy", "pillow")
    record = record | {
        "git_commit": git_commit(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "data_sha256": datasets.checksums(data_folder, alphabet.files),
    }
    for file in (float_file, small_file):
        export.describe(file, record)
    shipped, figures = _pick(float_file, small_file, validation)
    record["precision"] = shipped.stem.removeprefix(f"{alphabet.name}-")

    test = alphabet.load_test(data_folder)
    glyphs, labels = test.glyphs.numpy(), test.labels.numpy()
    probabilities = Recognizer(shipped).probabilities(glyphs)
    record["figures"] = {
        "validation": figures,
        alphabet.test_name: {"accuracy": evaluation.accuracy(probabilities, labels), "count": len(labels)},
    }
    export.describe(shipped, record)
    model_file = Path(shutil.copyfile(shipped, folder / f"{alphabet.name}.onnx"))
    (folder / f"{alphabet.name}.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    images, names = folder / "pictures", record["labels"]
    pictures.curves(record["history"], images / "curves.png")
    pictures.confusion(probabilities, labels, names, images / "confusion.png")
    pictures.sheet(glyphs[:60], probabilities[:60], labels[:60], names, images / "predictions.png")
    pictures.worst(glyphs, probabilities, labels, names, images / "worst.png")
    return model_file, record


def _pick(float_file: Path, small_file: Path, validation: dict[str, GlyphSet]) -> tuple[Path, dict[str, Any]]:
    """The int8 file where it is as good on validation data, to within one picture in a thousand; its figures.

    Each set counts alike; a set alone may differ by more, since the least of them has 1,500 pictures.
    """

    def figures(file: Path) -> dict[str, Any]:
        recognizer, result = Recognizer(file), {}
        for name, part in validation.items():
            shares = recognizer.probabilities(part.glyphs.cpu().numpy())
            result[name] = {"accuracy": evaluation.accuracy(shares, part.labels.cpu().numpy()), "count": len(part)}
        return result

    exact, small = figures(float_file), figures(small_file)
    lost = [exact[name]["accuracy"] - small[name]["accuracy"] for name in exact]
    return (small_file, small) if sum(lost) / len(lost) <= 0.001 else (float_file, exact)


def git_commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=_ROOT)
    return answer.stdout.strip() or "unknown"
