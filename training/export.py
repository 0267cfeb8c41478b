"""A trained network -> one self-describing ONNX file: glyphs in, probabilities out, its record in the metadata."""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from app.reading import middle
from app.reading.ctc import STRIP_HEIGHT
from app.reading.glyphs import SIDE
from app.reading.lines import CHANNELS
from app.reading.recognizer import METADATA_KEY
from training.networks import LargerCNN

Floats = npt.NDArray[np.float32]

OUTPUT: Final = "probabilities"
"""The output of the ONNX file that answers with the label."""

CASE_OUTPUT: Final = "cases"
"""The output that answers with the case, where there is one."""


class Calibrated(nn.Module):
    """Logits divided by a temperature, as probabilities: of the labels and, where there is one, of the case."""

    def __init__(self, network: LargerCNN, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, glyphs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        logits, cases = self.network.heads(glyphs)
        probabilities = torch.softmax(logits / self.temperature, dim=1)
        return (probabilities, torch.softmax(cases, dim=1)) if self.network.architecture.cases else probabilities


def to_onnx(network: LargerCNN, temperature: float, file: Path) -> Path:
    """Write the network in float32: `glyphs` (batch, 1, 28, 28) -> `probabilities` (batch, classes) and, where the
    alphabet has a case, `cases` (batch, cases).
    """
    outputs = [OUTPUT, CASE_OUTPUT] if network.architecture.cases else [OUTPUT]
    return _written(Calibrated(network, temperature), (1, SIDE, SIDE), "glyphs", outputs, file)


def judge_to_onnx(judge: nn.Module, file: Path) -> Path:
    """Write the judge of a line's candidates in float32: `views` (batch, channels, 28, 28) -> probabilities."""
    return _written(nn.Sequential(judge, nn.Softmax(dim=1)), (CHANNELS, SIDE, SIDE), "views", [OUTPUT], file)


def middle_to_onnx(network: nn.Module, file: Path) -> Path:
    """Write what tells the middle of crops in float32: `crops` (batch, 1, 32, 32) -> probabilities."""
    return _written(nn.Sequential(network, nn.Softmax(dim=1)), (1, middle.SIDE, middle.SIDE), "crops", [OUTPUT], file)


def rows_to_onnx(network: nn.Module, file: Path) -> Path:
    """Write the network of rows in float32: `strips` (1, 1, 32, width) -> probabilities (1, symbols, width / 2)."""
    columns = {0: torch.export.Dim.STATIC, 3: 2 * torch.export.Dim("frames", min=4)}
    reads = nn.Sequential(network, nn.Softmax(dim=1))
    return _exported(reads, torch.zeros(1, 1, STRIP_HEIGHT, 64), columns, "strips", [OUTPUT], file)


def _written(model: nn.Module, shape: tuple[int, ...], name: str, outputs: list[str], file: Path) -> Path:
    return _exported(model, torch.zeros(2, *shape), {0: torch.export.Dim("batch")}, name, outputs, file)


def _exported(
    model: nn.Module, example: torch.Tensor, shapes: dict[int, Any], name: str, outputs: list[str], file: Path
) -> Path:
    """`shapes`: what may vary of the example's shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            model.eval().cpu(),
            (example,),
            str(file),
            input_names=[name],
            output_names=outputs,
            dynamic_shapes=(shapes,),
            external_data=False,
            verbose=False,
        )
    return file


class _Batches(CalibrationDataReader):
    def __init__(self, name: str, batches: Iterable[Floats]) -> None:
        self._name = name
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def quantize(float_file: Path, file: Path, pictures: Floats, name: str = "glyphs") -> Path:
    """Write an int8 copy, its ranges calibrated on (n, channels, 28, 28) pictures."""
    return quantize_by(float_file, file, np.array_split(pictures, max(1, len(pictures) // 64)), name)


def quantize_by(float_file: Path, file: Path, batches: Iterable[Floats], name: str) -> Path:
    """Write an int8 copy (static, QDQ, one scale per channel), its ranges calibrated on batches of what it is shown.

    Weights keep 7 bits: on CPUs without VNNI, 8-bit products overflow the 16-bit sums that ONNX Runtime uses there.
    """
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # the quantizer logs advice that its caller follows below
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(str(float_file), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(file),
                _Batches(name, batches),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=["Conv", "MaxPool", "Relu", "Gemm", "MatMul", "Flatten", "Reshape"],
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
    finally:
        root.setLevel(level)
    return file


def describe(file: Path, record: dict[str, Any]) -> None:
    """Put the record into the model file's own metadata, where `app.reading.recognizer` reads it, and nothing else.

    The exporter keeps with each part of the network where in the code it came from, with the paths of this machine.
    """
    model = onnx.load(file)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, json.dumps(record, ensure_ascii=False)
    saved = file.with_suffix(".part")
    onnx.save(model, saved)
    saved.replace(file)  # it may be one that is served
