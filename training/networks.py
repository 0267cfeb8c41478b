"""The network that is served, and a slower one that can teach it."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from app.glyphs import SIDE


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

    Three convolutions of 64, 128 and 256 filters, then 512, 256 and one output per label.

    The first convolution is not padded: a glyph has an empty margin, and with a kernel of 5, 24 pixels a side are
    halved without a rest. That leaves out a quarter of the work that 28 would take.

    Args:
        classes: labels to tell apart.
        dropout: share of the 512 and 256 values that is left out at random in training.
        kernels: sides of the three convolutions' kernels, odd.
        poolings: how many of the convolutions, from the first, are followed by pooling: 2 or 3.
    """

    def __init__(
        self, classes: int = 10, dropout: float = 0.2, kernels: Sequence[int] = (5, 3, 3), poolings: int = 3
    ) -> None:
        super().__init__()
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
            nn.Dropout(dropout),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(256, classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(x))
        return logits


class DeepCNN(nn.Module):
    """(batch, 1, 28, 28) glyphs -> (batch, classes) logits, by convolutions that are neither padded nor pooled.

    Each has 32 filters more than the one before, and they go on until 4x4 pixels are left (after An et al. 2020,
    https://arxiv.org/abs/2008.10400). Too slow to serve; it errs elsewhere than `LargerCNN` and so can teach it.

    Args:
        kernel: side of the kernels: 3, 5 or 7.
    """

    def __init__(self, classes: int = 10, dropout: float = 0.2, kernel: int = 5) -> None:
        super().__init__()
        left = 4
        filters = [1, *(32 * (i + 1) for i in range((SIDE - left) // (kernel - 1)))]
        self.features = nn.Sequential(
            *(ConvBlock(*pair, kernel, padding=0, pooled=False) for pair in itertools.pairwise(filters))
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(filters[-1] * left * left, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(x))
        return logits


def load(file: Path) -> LargerCNN | DeepCNN:
    """A trained network from its weights, whatever its shape; ValueError if the file has none."""
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
        network = _deep(weights) if "classifier.2.bias" in weights else _larger(weights)
        network.load_state_dict(weights)
    except Exception as error:  # torch and pickle raise nearly anything on other files
        raise ValueError(f"{file} does not hold the weights of this network as train_model.py writes them") from error
    return network


def _deep(weights: dict[str, torch.Tensor]) -> DeepCNN:
    return DeepCNN(len(weights["classifier.2.bias"]), kernel=_kernel(weights, 0))


def _larger(weights: dict[str, torch.Tensor]) -> LargerCNN:
    kernels = [_kernel(weights, i) for i in range(3)]
    inputs = weights["classifier.1.weight"].shape[1]
    poolings = 3 if inputs == 256 * ((SIDE - kernels[0] + 1) // 8) ** 2 else 2
    return LargerCNN(len(weights["classifier.7.bias"]), kernels=kernels, poolings=poolings)


def _kernel(weights: dict[str, torch.Tensor], convolution: int) -> int:
    return weights[f"features.{convolution}.convolution.weight"].shape[-1]
