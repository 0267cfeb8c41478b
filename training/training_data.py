"""What a network learns from: a main set, parts of other sets in each epoch, and sets to validate with."""

from dataclasses import dataclass

import torch

from training.datasets import GlyphSet


@dataclass(frozen=True)
class TrainingData:
    """`extras` are the sets of which an epoch takes a random part: set and share of the main set's size, by name."""

    train: GlyphSet
    extras: dict[str, tuple[GlyphSet, float]]
    validation: dict[str, GlyphSet]

    def to(self, device: torch.device) -> "TrainingData":
        return TrainingData(
            self.train.to(device),
            {name: (part.to(device), share) for name, (part, share) in self.extras.items()},
            {name: part.to(device) for name, part in self.validation.items()},
        )

    def epoch(self, generator: torch.Generator) -> GlyphSet:
        """All of the main set and a random part of each extra set, shuffled."""
        parts = [self.train]
        for source, share in self.extras.values():
            chosen = torch.randperm(len(source), generator=generator, device=source.labels.device)
            parts.append(source[chosen[: round(len(self.train) * share)]])
        joined = GlyphSet.joined(parts)
        return joined[torch.randperm(len(joined), generator=generator, device=joined.labels.device)]
