"""The network that judges candidates of a line: a character, a mark between characters, dirt, or none of these."""

import torch
from torch import nn

from app.reading.glyphs import SIDE
from app.reading.lines import CHANNELS
from training.candidates import KINDS
from training.networks import ConvBlock


class Judge(nn.Module):
    """(batch, 3, 28, 28) views in [0, 1] -> (batch, kinds) logits: `LargerCNN` with half of the filters."""

    def __init__(self) -> None:
        super().__init__()
        channels = (CHANNELS, 32, 64, 128)
        self.features = nn.Sequential(
            ConvBlock(channels[0], channels[1], 5, padding=0, pooled=True),
            ConvBlock(channels[1], channels[2], 3, padding=1, pooled=True),
            ConvBlock(channels[2], channels[3], 3, padding=1, pooled=True),
        )
        side = (SIDE - 4) // 8
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(channels[-1] * side * side, 256),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(256, len(KINDS)),
        )

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(views))
        return logits
