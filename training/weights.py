"""A model file -> the network that it was made of: what a training goes on from."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper

from app.models.shelf import WEIGHTS_FILE
from app.reading.recognizer import Recognizer, UnusableModel
from training import datasets
from training.networks import Architecture, LargerCNN

WEIGHTS_KEY = "weights_sha256"
"""The entry of a record that tells the weights of its model from those of another."""

_PREFIX = "network."
"""What the names of the weights begin with in a file that `training.export` wrote."""


def network_of(model_file: Path) -> LargerCNN:
    """The network of a model that is served, in evaluation mode.

    Its weights in float32 where they lie beside it, else what int8 has left of them, which answers all but the same.

    Raises:
        UnusableModel: the file has not all weights of this network.
    """
    record = Recognizer(model_file).record.model_dump()
    beside = model_file.with_name(WEIGHTS_FILE)
    if beside.is_file() and datasets.sha256(beside) == record.get(WEIGHTS_KEY):
        return LargerCNN.load(beside).eval()
    config = record.get("config", {})
    network = LargerCNN(
        Architecture(
            len(record["labels"]),
            tuple(config.get("kernels", Architecture.kernels)),
            config.get("poolings", Architecture.poolings),
            len(record["cases"]),
            config.get("dropout", Architecture.dropout),
        )
    )
    held = {one.name: numpy_helper.to_array(one) for one in onnx.load(model_file).graph.initializer}
    state: dict[str, Any] = network.state_dict()
    for name in state.keys() - {name for name in state if name.endswith("num_batches_tracked")}:
        weights = _weights(held, _PREFIX + name)
        if weights is None or weights.shape != tuple(state[name].shape):
            raise UnusableModel(f"{model_file.parent.name}/{model_file.name} has no weights {name} to go on from.")
        state[name] = torch.from_numpy(weights)
    network.load_state_dict(state)
    return network.eval()


def _weights(held: dict[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float32] | None:
    """In float32, whichever precision they are held in; of int8, each channel has a scale of its own."""
    if name in held:
        return held[name].astype(np.float32)
    if (whole := held.get(f"{name}_quantized")) is None:
        return None
    told = name if f"{name}_scale" in held else f"{name}_quantized"
    shape = (-1, *[1] * (whole.ndim - 1))
    scale, zero = (held[f"{told}_{what}"].astype(np.float32).reshape(shape) for what in ("scale", "zero_point"))
    exact = whole.astype(np.float32)
    if whole.dtype == np.int8:
        exact += _lost(whole.shape)
    return ((exact - zero) * scale).astype(np.float32)


def _lost(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """What rounding may have taken away. Had all weights the middle of what is rounded alike, a training of a few steps
    would move none of them far enough: in int8, nothing would have been learned.
    """
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)
