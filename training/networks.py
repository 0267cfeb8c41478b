"""The network: three convolutions of 64, 128 and 256 filters, then 512, 256 and one output per label.

Where an alphabet has upper and lower case, a second head beside the labels' tells which.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from app.reading.glyphs import SIDE


@dataclass(frozen=True)
class Architecture:
    """What decides a network's shape; it is kept beside the weights, which fit no other."""

    classes: int = 10
    """Labels to tell apart."""
    kernels: tuple[int, ...] = (5, 3, 3)
    """Sides of the three convolutions' kernels, odd."""
    poolings: int = 3
    """How many of the convolutions, from the first, are followed by pooling: 2 or 3."""
    cases: int = 0
    """Outputs of the head that tells the case, 2, or 0 where there is none."""
    dropout: float = 0.2
    """Share of the 512 and 256 values that is left out at random in training."""


class ConvBlock(nn.Module):
    """Convolution, 2x2 max pooling if wanted, batch norm, ReLU.

    Pooling comes before norm and ReLU: maxima survive both, and both then touch a quarter of the values.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, padding: int, pooled: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, kernel, padding=padding, bias=False)
        self.pool = nn.MaxPool2d(2) if pooled else nn.Identity()
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.pool(self.convolution(x))))


class LargerCNN(nn.Module):
    """(batch, 1, 28, 28) glyphs in [0, 1] -> (batch, classes) logits.

    The first convolution is not padded: a glyph has an empty margin, and with a kernel of 5, 24 pixels a side are
    halved without a rest. That leaves out a quarter of the work that 28 would take.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        kernels, poolings = architecture.kernels, architecture.poolings
        channels = (1, 64, 128, 256)
        self.features = nn.Sequential(
            *(
                ConvBlock(
                    channels[i], channels[i + 1], kernel, padding=0 if i == 0 else kernel // 2, pooled=i < poolings
                )
                for i, kernel in enumerate(kernels)
            )
        )
        side = (SIDE - kernels[0] + 1) // 2**poolings
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels[-1] * side * side, 512),
            nn.ReLU(),
            nn.Dropout(architecture.dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(architecture.dropout),
            nn.Linear(256, architecture.classes + architecture.cases),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.heads(x)[0]

    def heads(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, classes) logits of the labels and (batch, cases) of the case."""
        logits: torch.Tensor = self.classifier(self.features(x))
        return logits[:, : self.architecture.classes], logits[:, self.architecture.classes :]

    def save(self, file: Path) -> None:
        """Write `{"architecture": {...}, "weights": {...}}`, which `torch.load` reads with `weights_only=True`."""
        torch.save({"architecture": asdict(self.architecture), "weights": self.state_dict()}, file)

    @classmethod
    def load(cls, file: Path) -> "LargerCNN":
        """The network that `save` wrote; ValueError if the file holds none."""
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
            network = cls(Architecture(**content["architecture"]))
            network.load_state_dict(content["weights"])
        except Exception as error:  # torch and pickle raise nearly anything on other files
            raise ValueError(
                f"{file} does not hold the weights of this network as train_model.py writes them"
            ) from error
        return network


@torch.no_grad()
def logits_of(network: nn.Module, glyphs: torch.Tensor) -> np.ndarray[Any, Any]:
    """(n, 1, 28, 28) glyphs -> (n, classes) logits of the network in evaluation mode, in which it is left."""
    network.eval()
    return torch.cat([network(batch).float() for batch in glyphs.split(1000)]).cpu().numpy()
