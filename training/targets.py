"""What a network should answer to a picture: its label and case, every label alike, or in part what a teacher says."""

import torch
from torch.nn import functional as F

from training.datasets import NO_CHARACTER


def of_labels(labels: torch.Tensor, classes: int, no_character_weight: float) -> torch.Tensor:
    """(batch,) labels -> (batch, classes) shares: one for a character's label.

    A picture that is no character, so out of distribution, should look equally much like each label (outlier exposure,
    Hendrycks et al. 2019, arXiv:1812.04606); its shares sum to `no_character_weight`.
    """
    shares = F.one_hot(labels.clamp(min=0), classes).float()
    return torch.where((labels != NO_CHARACTER).unsqueeze(1), shares, no_character_weight / classes)


def of_cases(cases: torch.Tensor, count: int) -> torch.Tensor:
    """(batch,) cases -> (batch, count) shares; none where a picture has no case."""
    return (cases.unsqueeze(1) == torch.arange(count, device=cases.device)).float()


def distilled(said: torch.Tensor, targets: torch.Tensor, weight: float) -> torch.Tensor:
    """Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531): targets mixed with a trained network's answers.

    Args:
        said: (batch, classes) logits of a teacher, of what the network that learns is shown, or of what is easier.
        targets: (batch, classes) of the same glyphs; those that name no class stay as they are.
        weight: of the teacher's answers; the targets have the rest.
    """
    names_one = (targets == 1).any(dim=1, keepdim=True)
    return torch.where(names_one, targets.lerp(said.float().softmax(dim=1), weight), targets)
