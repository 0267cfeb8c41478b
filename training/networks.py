"""The network: three convolutions of 64, 128 and 256 filters, then 512, 256 and one output per label."""

import torch
from torch import nn


class ConvBlock(nn.Module):
    """Convolution, 2x2 max pooling, batch norm, ReLU.

    Pooling comes before norm and ReLU: maxima survive both, and both then touch a quarter of the values.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, padding: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, kernel, padding=padding, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.pool(self.convolution(x))))


class LargerCNN(nn.Module):
    """(batch, 1, 28, 28) glyphs in [0, 1] -> (batch, classes) logits. 1.7 million parameters for ten classes.

    The first convolution is not padded: a glyph has an empty margin, and 24, 12, 6, 3 pixels a side are halved without
    a rest. That leaves out a quarter of the work that 28, 14, 7, 3 would take.
    """

    def __init__(self, classes: int = 10, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvBlock(1, 64, 5, padding=0), ConvBlock(64, 128, 3, padding=1), ConvBlock(128, 256, 3, padding=1)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(256 * 3 * 3, 512),
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
