"""A network that is served -> one that has learned from samples, too, and has forgotten as little as possible.

Each step shows a few samples beside pictures of what the network has learned from before. Of samples it is to say what
they are; of those pictures its outputs, before they are made shares, are to stay what they were (dark experience
replay, Buzzega et al. 2020, arXiv:2004.07211).
"""

import copy
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training import targets
from training.augmentation import Augmentation, augment
from training.corrections import Corrections
from training.devices import Device
from training.networks import LargerCNN
from training.progress import track
from training.training_data import TrainingData


@dataclass(frozen=True)
class Config:
    """Every hyper-parameter; kept in the record. The data's are `training.alphabets.DataSettings`."""

    seed: int = 1
    steps: int = 300
    batch_size: int = 160
    learning_rate: float = 1e-4
    weight_decay: float = 0.012
    views: int = 240
    """How often each sample is shown, warped in another way each time,"""
    most_of_a_batch: float = 0.05
    """as far as samples are no larger a share of what is shown: their labels are not as frequent as others'."""
    keeping_weight: float = 1.0
    """Of the change of what is said of other pictures, as a mean square, beside each sample's share of the batch."""
    no_character_weight: float = 0.5
    strength: float = 0.7
    """Of augmentation, as a share of its default, from which networks of digits have learned at first."""
    averaging: float = 1 / 3
    """Of the steps, how many the moving average of the weights is over, which is the network that is kept."""
    unsure_share: float = 0.015
    """As in train_model.py."""
    validation: int = 5000
    least_per_epoch: int = 1000
    drawings_per_sample: int = 2
    drawings_per_epoch: float = 0.35
    damaged_per_epoch: float = 0.35
    small_per_epoch: float = 0.2
    no_characters_per_epoch: float = 0.12


def fine_tuned(served: LargerCNN, data: TrainingData, samples: Corrections, config: Config, where: Device) -> LargerCNN:
    """A copy of a network that has learned from samples, in evaluation mode."""
    data, generator = data.to(where.device), torch.Generator(where.device).manual_seed(config.seed)
    teacher = served.to(where.device).to(memory_format=torch.channels_last).eval()
    network = copy.deepcopy(teacher)  # in evaluation mode, too: with dropout it could not say the same as before
    decay = max(0.0, 1 - 1 / (config.averaging * config.steps))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = OneCycleLR(optimizer, config.learning_rate, config.steps, pct_start=0.15)
    learned, weights = samples.glyphs.to(where.device), samples.weights.to(where.device)
    wanted = targets.of_labels(learned.labels, served.architecture.classes, config.no_character_weight)
    shown = min(round(config.most_of_a_batch * config.batch_size), -(-config.views * len(samples) // config.steps))
    how, kept = Augmentation().scaled(config.strength), config.batch_size - shown
    before = data.epoch(generator).glyphs
    for _ in track(range(config.steps), "learning", config.steps):
        while len(before) < kept:
            before = torch.cat([before, data.epoch(generator).glyphs])
        chosen = torch.multinomial(weights, shown, replacement=True, generator=generator)
        batch, before = torch.cat([before[:kept], learned.glyphs[chosen]]), before[kept:]
        glyphs = augment(batch, how, generator).contiguous(memory_format=torch.channels_last)
        with torch.autocast(where.device.type, torch.bfloat16, enabled=where.bfloat16):
            logits, cases = network.heads(glyphs)
            with torch.no_grad():
                said = torch.cat(teacher.heads(glyphs[:kept]), dim=1)
        says = torch.cat([logits[:kept], cases[:kept]], dim=1)
        missed = F.cross_entropy(logits[kept:].float(), wanted[chosen], reduction="sum") / config.batch_size
        loss = missed + config.keeping_weight * F.mse_loss(says.float(), said.float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
    result = average.module
    assert isinstance(result, LargerCNN)
    return result.cpu().eval()
