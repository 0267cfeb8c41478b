"""Augmentation of glyphs, a whole batch at a time on whatever device holds it."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Augmentation:
    """How far glyphs are changed. Angles in degrees, lengths in pixels of a 28x28 glyph, the rest are ratios."""

    rotation: float = 8.0
    shear: float = 0.12
    scale: float = 0.08
    translation: float = 1.0
    elastic: float = 0.8
    """Standard deviation of a smooth random displacement."""
    stroke: float = 0.4
    """How far strokes grow or shrink: 1 is a full 3x3 dilation or erosion."""
    damage: float = 0.1
    """Share of glyphs that get one kind of damage; see `damage`."""

    def scaled(self, strength: float) -> "Augmentation":
        return Augmentation(**{name: value * strength for name, value in vars(self).items()})


_ASPECT = 0.25
"""Standard deviation of the logarithm of the ratio by which glyphs are made wider; most of them are made narrower."""
_SLANT = 0.25
"""Standard deviation of the slant that is added, as a ratio."""


def augment(glyphs: torch.Tensor, how: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """Warp, thicken or thin, and damage glyphs at random.

    Args:
        glyphs: (batch, 1, 28, 28) in [0, 1].
        generator: on the glyphs' device.

    Returns:
        New glyphs of the same shape and range.
    """
    glyphs = warp(glyphs, how, generator)
    glyphs = _change_strokes(glyphs, how.stroke, generator)
    return damage(glyphs, how.damage, generator)


def squeeze(glyphs: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Make a share of the glyphs, (batch, 1, 28, 28), as narrow, as wide or as slanting as few people write."""
    if not share:
        return glyphs
    chosen = _uniform(len(glyphs), like=glyphs, generator=generator) < share
    wider = torch.exp(_ASPECT * _normal(len(glyphs), like=glyphs, generator=generator) - _ASPECT / 2)
    slant = _SLANT * _normal(len(glyphs), like=glyphs, generator=generator)
    smaller = wider.clamp(min=1)  # what is wider still has to fit
    rows = torch.zeros(len(glyphs), 2, 3, device=glyphs.device)
    rows[:, 0, 0], rows[:, 0, 1], rows[:, 1, 1] = smaller / wider, slant * smaller / wider, smaller
    squeezed = F.grid_sample(glyphs, F.affine_grid(rows, list(glyphs.shape), align_corners=False), align_corners=False)
    return torch.where(chosen[:, None, None, None], squeezed, glyphs)


def _normal(*shape: int, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, device=like.device, generator=generator)


def _uniform(*shape: int, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, device=like.device, generator=generator)


def warp(glyphs: torch.Tensor, how: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """One resampling for rotation, shear, scale, translation and elastic distortion.

    Of glyphs, or of larger pictures: lengths are then in their pixels.
    """
    batch, _, height, width = glyphs.shape
    angle = torch.deg2rad(how.rotation * _normal(batch, like=glyphs, generator=generator))
    shear = how.shear * _normal(batch, like=glyphs, generator=generator)
    stretch = torch.exp(how.scale * _normal(2, batch, like=glyphs, generator=generator))
    shift = 2 / width * how.translation * _normal(2, batch, like=glyphs, generator=generator)
    cos, sin = torch.cos(angle), torch.sin(angle)
    rows = (
        torch.stack([stretch[0] * cos, stretch[0] * (shear * cos - sin), shift[0]], dim=1),
        torch.stack([stretch[1] * sin, stretch[1] * (shear * sin + cos), shift[1]], dim=1),
    )
    grid = F.affine_grid(torch.stack(rows, dim=1), list(glyphs.shape), align_corners=False)
    coarse = _normal(batch, 2, 6, 6, like=glyphs, generator=generator) * (2 / width * how.elastic)
    displacement = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)
    return F.grid_sample(glyphs, grid + displacement.permute(0, 2, 3, 1), align_corners=False)


def _change_strokes(glyphs: torch.Tensor, most: float, generator: torch.Generator) -> torch.Tensor:
    amount = most * (2 * _uniform(len(glyphs), 1, 1, 1, like=glyphs, generator=generator) - 1)
    thicker = F.max_pool2d(glyphs, 3, stride=1, padding=1)
    thinner = -F.max_pool2d(-glyphs, 3, stride=1, padding=1)
    return glyphs + amount.clamp(min=0) * (thicker - glyphs) + (-amount).clamp(min=0) * (thinner - glyphs)


def damage(glyphs: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Give a share of the glyphs one of these: noise, haze, a stray line, a gap, stripes, blur, only their outline."""
    kinds = (_salt, _grain, _haze, _line, _gap, _stripes, _blur, _outline)
    draw = _uniform(len(glyphs), like=glyphs, generator=generator) / max(share, 1e-9) * len(kinds)
    damaged = glyphs.clone()
    for number, kind in enumerate(kinds):
        chosen = (draw >= number) & (draw < number + 1)
        if chosen.any():
            damaged[chosen] = kind(glyphs[chosen], generator)
    return damaged.clamp(0, 1)


def _salt(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    amount = 0.2 * _uniform(len(glyphs), 1, 1, 1, like=glyphs, generator=generator)
    hit = _uniform(*glyphs.shape, like=glyphs, generator=generator) < amount
    return torch.where(hit, (_uniform(*glyphs.shape, like=glyphs, generator=generator) < 0.5).float(), glyphs)


def _grain(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    amount = 0.35 * _uniform(len(glyphs), 1, 1, 1, like=glyphs, generator=generator)
    return glyphs + amount * _normal(*glyphs.shape, like=glyphs, generator=generator)


def _haze(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    coarse = _uniform(len(glyphs), 1, 4, 4, like=glyphs, generator=generator)
    haze = F.interpolate(coarse, size=glyphs.shape[-2:], mode="bicubic", align_corners=True).clamp(0, 1)
    amount = 0.75 * _uniform(len(glyphs), 1, 1, 1, like=glyphs, generator=generator)
    return glyphs * (1 - amount) + amount * haze


def _line(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A stroke across the picture at any angle; straight, wavy or zigzag; solid or dotted."""
    batch, _, height, width = glyphs.shape
    ys, xs = torch.meshgrid(
        torch.arange(height, device=glyphs.device), torch.arange(width, device=glyphs.device), indexing="ij"
    )
    angle = torch.pi * _uniform(batch, 1, 1, 1, like=glyphs, generator=generator)
    offset = 7.0 * _normal(batch, 1, 1, 1, like=glyphs, generator=generator)
    half = 0.4 + 0.8 * _uniform(batch, 1, 1, 1, like=glyphs, generator=generator)
    x, y = xs - width / 2, ys - height / 2
    along = y * torch.cos(angle) - x * torch.sin(angle)
    phase = 7.0 * _uniform(batch, 1, 1, 1, like=glyphs, generator=generator)
    swing = torch.sin(phase + along * (0.3 + 0.9 * _uniform(batch, 1, 1, 1, like=glyphs, generator=generator)))
    zigzag = _uniform(batch, 1, 1, 1, like=glyphs, generator=generator) < 0.5
    swing = torch.where(zigzag, 2 / torch.pi * torch.asin(swing.clamp(-1, 1)), swing)
    waves = 3.5 * _uniform(batch, 1, 1, 1, like=glyphs, generator=generator) * swing
    across = (x * torch.cos(angle) + y * torch.sin(angle) - offset - waves).abs()
    dotted = _uniform(batch, 1, 1, 1, like=glyphs, generator=generator) < 0.5
    solid = (half + 0.5 - across).clamp(0, 1)
    return torch.maximum(glyphs, torch.where(dotted & (torch.remainder(along, 4) < 2), 0.0, solid))


def _gap(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A spot that is rubbed out."""
    batch, _, height, width = glyphs.shape
    y = torch.arange(height, device=glyphs.device).view(1, 1, -1, 1)
    x = torch.arange(width, device=glyphs.device).view(1, 1, 1, -1)
    centre = 4 + 20 * _uniform(2, batch, 1, 1, 1, like=glyphs, generator=generator)
    half = 1 + 2.0 * _uniform(2, batch, 1, 1, 1, like=glyphs, generator=generator)
    spot = ((x - centre[0]).abs() < half[0]) & ((y - centre[1]).abs() < half[1])
    return torch.where(spot, 0.0, glyphs)


def _stripes(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Ink and paper change places outside of a vertical or horizontal band around the middle."""
    batch, _, height, width = glyphs.shape
    upright = (_uniform(batch, 1, 1, 1, like=glyphs, generator=generator) < 0.7).expand_as(glyphs)
    y = torch.arange(height, device=glyphs.device).view(1, 1, -1, 1)
    x = torch.arange(width, device=glyphs.device).view(1, 1, 1, -1)
    place = torch.where(upright, x, y)
    first, last = 3 + 7 * _uniform(2, batch, 1, 1, 1, like=glyphs, generator=generator)
    return torch.where((place < first) | (place >= width - last), 1 - glyphs, glyphs)


def _blur(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    amount = _uniform(len(glyphs), 1, 1, 1, like=glyphs, generator=generator)
    blurred = F.avg_pool2d(F.avg_pool2d(glyphs, 3, stride=1, padding=1), 3, stride=1, padding=1)
    mixed = glyphs + amount * (blurred - glyphs)
    return mixed / mixed.amax(dim=(1, 2, 3), keepdim=True).clamp(min=0.2)


def _outline(glyphs: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    strokes = (glyphs > 0.5).float()
    return F.max_pool2d(strokes, 3, stride=1, padding=1) - strokes
