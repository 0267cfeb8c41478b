"""The network that reads a whole row at once: characters from left to right, with nothing said of where one ends."""

import torch
from torch import nn

from app.reading.ctc import STRIP_HEIGHT
from app.reading.reader import MARKS

SYMBOLS = ("", *"0123456789", *MARKS)
"""What each frame of a row may say; the first is nothing."""


class RowNetwork(nn.Module):
    """(batch, 1, 32, width) strips in [0, 1] -> (batch, symbols, width / 2) logits, one frame for two columns.

    A frame sees as much of a row as a character and a half are wide. Heights are halved three times and then taken as
    a whole; widths once, so that a 1 that touches another has a frame of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(1, 24, (3, 3), pool=(2, 2)),
            *_convolution(24, 48, (3, 3), pool=(2, 1)),
            *_convolution(48, 80, (3, 3)),
            *_convolution(80, 112, (3, 3), pool=(2, 1)),
            *_convolution(112, 160, (3, 3)),
            *_convolution(160, 192, (STRIP_HEIGHT // 8, 3)),
            nn.Dropout(0.1),
            *_convolution(192, 192, (1, 5)),
            nn.Dropout(0.1),
            *_convolution(192, 128, (1, 3)),
            nn.Conv2d(128, len(SYMBOLS), 1),
        )

    def forward(self, strips: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(strips)
        return logits.squeeze(2)


def _convolution(
    channels_in: int, channels_out: int, kernel: tuple[int, int], pool: tuple[int, int] | None = None
) -> list[nn.Module]:
    """Convolution, max pooling if wanted, batch norm, ReLU; widths stay, and heights where the kernel is square."""
    padding = (kernel[0] // 2 if kernel[0] == kernel[1] else 0, kernel[1] // 2)
    return [
        nn.Conv2d(channels_in, channels_out, kernel, padding=padding, bias=False),
        *([nn.MaxPool2d(pool)] if pool else []),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    ]
