"""The exported file answers what the network answers."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from app.reading import second_look
from app.reading.recognizer import METADATA_KEY, READING_VERSION, Recognizer
from tests.support.handwriting import mnist_digits
from training import export, package
from training.networks import Architecture, LargerCNN

RECORD = {
    "alphabet": "digits",
    "version": "0",
    "labels": list("0123456789"),
    "sure_from": 0.5,
    "reading_version": READING_VERSION,
}


@pytest.fixture(scope="module")
def network() -> LargerCNN:
    torch.manual_seed(0)
    network = LargerCNN(Architecture(classes=10))
    glyphs = torch.from_numpy(mnist_digits()[0]).unsqueeze(1).float() / 255
    for _ in range(3):
        network(glyphs)  # in training mode: gives batch norm statistics worth folding
    return network.eval()


@pytest.fixture(scope="module")
def glyphs() -> np.ndarray:
    return (mnist_digits()[0] / 255).astype(np.float32)


def test_the_shipped_files_tell_nothing_of_where_they_were_made() -> None:
    files = list(package.MODELS.glob("*/*.onnx"))
    assert len(files) >= 6
    for file in files:
        model = onnx.load(file)
        assert [entry.key for entry in model.metadata_props] == [METADATA_KEY]
        graph = model.graph
        for part in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
            assert not part.metadata_props, file


def test_torch_and_onnx_agree(network: LargerCNN, glyphs: np.ndarray, tmp_path: Path) -> None:
    file = export.to_onnx(network, 1.7, tmp_path / "model.onnx")
    export.describe(file, RECORD)

    @torch.no_grad()
    def ask(some: np.ndarray) -> np.ndarray:
        return torch.softmax(network(torch.from_numpy(some).unsqueeze(1)) / 1.7, dim=1).numpy()

    expected = second_look.probabilities(ask, glyphs)
    recognizer = Recognizer(file)
    for count in (1, 7, 200):  # the batch is free
        assert np.allclose(recognizer.probabilities(glyphs[:count]), expected[:count], atol=1e-5)


def test_the_int8_copy_is_small_and_close(network: LargerCNN, glyphs: np.ndarray, tmp_path: Path) -> None:
    file = export.to_onnx(network, 1.0, tmp_path / "model.onnx")
    int8 = export.quantize(file, tmp_path / "int8.onnx", glyphs[:, None])
    for model in (file, int8):
        export.describe(model, RECORD)
    assert int8.stat().st_size < 0.3 * file.stat().st_size
    difference = np.abs(Recognizer(int8).probabilities(glyphs) - Recognizer(file).probabilities(glyphs))
    assert difference.mean() < 0.005


def test_the_record_is_replaced_not_added(network: LargerCNN, tmp_path: Path) -> None:
    import onnx

    file = export.to_onnx(network, 1.0, tmp_path / "model.onnx")
    export.describe(file, RECORD)
    export.describe(file, RECORD | {"version": "1"})
    entries = [entry for entry in onnx.load(file).metadata_props if entry.key == METADATA_KEY]
    assert len(entries) == 1
    assert json.loads(entries[0].value)["version"] == "1"


def test_the_network_is_the_one_described() -> None:
    network = LargerCNN(Architecture(classes=10))
    convolutions = [m.out_channels for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    connected = [m.out_features for m in network.modules() if isinstance(m, torch.nn.Linear)]
    assert convolutions == [64, 128, 256]
    assert connected == [512, 256, 10]
    assert sum(p.numel() for p in network.parameters()) < 7_000_000
