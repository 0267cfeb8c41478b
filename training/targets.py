"""What a network should answer to a picture: its label, every label alike, or in part what a teacher says."""

import torch
from torch.nn import functional as F

from training.datasets import NO_CHARACTER
from training.networks import LargerCNN


def of_labels(labels: torch.Tensor, classes: int, no_character_weight: float) -> torch.Tensor:
    """(batch,) labels -> (batch, classes) shares: one for a character's label.

    A picture that is no character, so out of distribution, should look equally much like each label (outlier exposure,
    Hendrycks et al. 2019, arXiv:1812.04606); its shares sum to `no_character_weight`.
    """
    shares = F.one_hot(labels.clamp(min=0), classes).float()
    return torch.where((labels != NO_CHARACTER).unsqueeze(1), shares, no_character_weight / classes)


@torch.no_grad()
def distilled(teacher: LargerCNN, glyphs: torch.Tensor, targets: torch.Tensor, weight: float) -> torch.Tensor:
    """Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531): targets mixed with a trained network's answers.

    Args:
        teacher: in evaluation mode.
        glyphs: (batch, 1, 28, 28), as the network that learns sees them, augmentation included.
        targets: (batch, classes) of these glyphs; those of no characters stay as they are.
        weight: of the teacher's answers; the targets have the rest.
    """
    answers = teacher(glyphs).float().softmax(dim=1)
    is_character = targets.amax(dim=1, keepdim=True) == 1
    return torch.where(is_character, targets.lerp(answers, weight), targets)
