"""Where to train and in which precision."""

import time
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Device:
    device: torch.device
    bfloat16: bool
    """Whether convolutions and products run in bfloat16; weights and sums stay in float32."""

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"
        return f"{name}, {'bfloat16' if self.bfloat16 else 'float32'}"


def choose() -> Device:
    """CUDA in bfloat16; else the CPU, in bfloat16 if a trial shows that it is faster there (it has AMX, say)."""
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), bfloat16=True)
    return Device(torch.device("cpu"), bfloat16=_seconds(torch.bfloat16) < 0.8 * _seconds(torch.float32))


def _seconds(dtype: torch.dtype) -> float:
    """The least of three timings of the network's dearest convolution."""
    pictures = torch.zeros(64, 64, 14, 14, dtype=dtype).to(memory_format=torch.channels_last)
    kernels = torch.zeros(128, 64, 3, 3, dtype=dtype)
    timings = []
    with torch.no_grad():
        for _ in range(4):
            start = time.perf_counter()
            F.conv2d(pictures, kernels, padding=1)
            timings.append(time.perf_counter() - start)
    return min(timings[1:])
