"""Where to train and in which precision."""

import time
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from app.cores import usable

PRECISIONS = ("auto", "bfloat16", "float32")


@dataclass(frozen=True)
class Device:
    device: torch.device
    bfloat16: bool
    """Whether convolutions and products run in bfloat16; weights and sums stay in float32."""
    threads: int

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"
        return f"{name}, {'bfloat16' if self.bfloat16 else 'float32'}"

    @classmethod
    def choose(cls, precision: str = "auto") -> "Device":
        """CUDA if there is some, else the CPU; in one of `PRECISIONS`.

        "auto" is bfloat16 on CUDA, and on a CPU where a trial shows that it is faster there (it has AMX, say).
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        automatic = precision == "auto" and (device.type == "cuda" or _bfloat16_is_faster())
        return cls(device, precision == "bfloat16" or automatic, torch.get_num_threads())

    @classmethod
    def all(cls) -> "list[Device]":
        """Devices for independent runs side by side: each GPU, else each core.

        Two runs on a core each are done sooner than one after the other on both: half of a step is single-threaded.
        """
        gpus = [cls(torch.device("cuda", i), bfloat16=True, threads=1) for i in range(torch.cuda.device_count())]
        return gpus or [cls(torch.device("cpu"), _bfloat16_is_faster(), threads=1)] * usable()


def _bfloat16_is_faster() -> bool:
    return _seconds(torch.bfloat16) < 0.8 * _seconds(torch.float32)


def _seconds(dtype: torch.dtype) -> float:
    """The least of three timings of the network's dearest convolution."""
    pictures = torch.zeros(64, 64, 12, 12, dtype=dtype).to(memory_format=torch.channels_last)
    kernels = torch.zeros(128, 64, 3, 3, dtype=dtype)
    timings = []
    with torch.no_grad():
        for _ in range(4):
            start = time.perf_counter()
            F.conv2d(pictures, kernels, padding=1)
            timings.append(time.perf_counter() - start)
    return min(timings[1:])
