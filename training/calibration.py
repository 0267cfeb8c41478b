"""How confident a network may be: the temperature and the threshold of being sure, from validation data alone."""

from typing import Any

import numpy as np
import torch

from app.reading import second_look
from training import metrics
from training.alphabets import Alphabet
from training.datasets import GlyphSet
from training.networks import logits_of


def calibrate(
    network: torch.nn.Module, validation: dict[str, GlyphSet], alphabet: Alphabet, unsure_share: float
) -> dict[str, float]:
    """The record's `temperature`, by which logits are divided, and `sure_from`, the least confidence that is sure.

    Args:
        validation: sets by name, among them those that the alphabet names.
        unsure_share: of each of these sets, at most that may be called unsure, or what is below `alphabet.least_sure`.
    """
    scans = validation[alphabet.temperature_from]
    temperature = metrics.temperature(logits_of(network, scans.glyphs), scans.labels.cpu().numpy())

    def ask(glyphs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return metrics.softmax(logits_of(network, torch.from_numpy(glyphs).unsqueeze(1)) / temperature)

    confidences = [
        second_look.probabilities(ask, part.glyphs[:, 0].cpu().numpy()).max(axis=1)
        for name, part in validation.items()
        if name in alphabet.threshold_from
    ]
    # Each set alone must stay within the share: people draw on canvases and send scans in proportions unknown.
    sure_from = max(alphabet.least_sure, min(np.quantile(part, unsure_share) for part in confidences))
    return {"temperature": temperature, "sure_from": float(sure_from)}
