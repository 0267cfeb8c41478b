"""How the networks that stand beside an alphabet's own learn: of candidates, of rows and of crops."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.devices import Device
from training.progress import console, track

Network = TypeVar("Network", bound=nn.Module)
Wanted = TypeVar("Wanted")

_STEEPEST = 5.0
"""Norm of a step's gradients: longer ones are cut to it."""

_TOLD_EVERY = 500
"""Steps after which the loss so far is told."""


class Course(Protocol):
    """Hyper-parameters, which each network has more of."""

    @property
    def epochs(self) -> int: ...

    @property
    def learning_rate(self) -> float:
        """The highest."""

    @property
    def warm_up(self) -> float:
        """The share of the steps in which the learning rate rises."""

    @property
    def weight_decay(self) -> float: ...

    @property
    def averaging(self) -> float:
        """Decay of the moving average of the weights."""


def learned(
    network: Network,
    course: Course,
    where: Device,
    steps: int,
    batches: Callable[[], Iterable[tuple[torch.Tensor, Wanted]]],
    loss_of: Callable[[torch.Tensor, Wanted], torch.Tensor],
) -> Network:
    """The moving average of a network's weights while it learns, on the CPU, not learning any more.

    Args:
        steps: of an epoch.
        batches: of an epoch, anew each time: what the network is shown, on its device, and what it should say.
        loss_of: what the network says of a batch, in float32, and what it should.
    """
    network = network.to(memory_format=torch.channels_last).to(where.device).train()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(course.averaging), use_buffers=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=course.learning_rate, weight_decay=course.weight_decay)
    schedule = OneCycleLR(optimizer, course.learning_rate, steps * course.epochs, pct_start=course.warm_up)
    for epoch in range(1, course.epochs + 1):
        start, losses = time.perf_counter(), list[float]()
        for shown, wanted in track(batches(), f"epoch {epoch}", steps):
            with torch.autocast(where.device.type, torch.bfloat16, enabled=where.bfloat16):
                said = network(shown.contiguous(memory_format=torch.channels_last))
            loss = loss_of(said.float(), wanted)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), _STEEPEST)
            optimizer.step()
            schedule.step()
            average.update_parameters(network)
            losses.append(loss.item())
            if len(losses) % _TOLD_EVERY == 0:
                recent = sum(losses[-_TOLD_EVERY:]) / _TOLD_EVERY
                console.print(f"step {len(losses)} of {steps}: loss {recent:.4f}")
        console.print(f"epoch {epoch}: loss {sum(losses) / steps:.4f}, {time.perf_counter() - start:.0f} s")
    network.load_state_dict(average.module.state_dict())
    return network.cpu().eval()


def chunks(count: int, size: int) -> Iterable[torch.Tensor]:
    """Places of as many as make whole batches, at random."""
    return torch.randperm(count)[: count // size * size].split(size)
