"""Augmentation changes glyphs within their range, and by chance that a seed fixes."""

import torch

from tests.support.handwriting import mnist_digits
from training.augmentation import Augmentation, augment, damage, squeeze

GLYPHS = torch.from_numpy(mnist_digits()[0]).unsqueeze(1).float() / 255


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_shape_and_range() -> None:
    changed = augment(GLYPHS, Augmentation(), seeded(1))
    assert changed.shape == GLYPHS.shape
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_no_strength_changes_nothing() -> None:
    assert torch.allclose(augment(GLYPHS, Augmentation().scaled(0), seeded(1)), GLYPHS, atol=1e-5)


def test_a_seed_fixes_the_changes() -> None:
    assert torch.equal(augment(GLYPHS, Augmentation(), seeded(5)), augment(GLYPHS, Augmentation(), seeded(5)))
    assert not torch.equal(augment(GLYPHS, Augmentation(), seeded(5)), augment(GLYPHS, Augmentation(), seeded(6)))


def test_the_share_of_damaged_glyphs() -> None:
    touched = (damage(GLYPHS, 0.4, seeded(2)) != GLYPHS).flatten(1).any(dim=1).float().mean()
    assert 0.25 < touched < 0.5


def test_glyphs_become_narrow_wide_or_slanting() -> None:
    upright = torch.zeros(200, 1, 28, 28)
    upright[:, :, 4:24, 6:22] = 1
    squeezed = squeeze(upright, 0.5, seeded(1))
    same = (squeezed == upright).all(dim=(1, 2, 3))
    assert 70 < int(same.sum()) < 130
    widths, heights = (squeezed[~same].amax(dim=(1, side)).gt(0.5).sum(dim=1) for side in (2, 3))
    at_middle = squeezed[~same, 0, 14].gt(0.5).sum(dim=1)
    assert (at_middle < 15).float().mean() > (heights < 19).float().mean() > 0.1, "more of them narrow than wide"
    assert (widths > at_middle + 3).any(), "some slant"
    assert (heights[at_middle < 15] == 20).all(), "what is narrower is as high as it was"
    assert torch.equal(squeeze(upright, 0.0, seeded(1)), upright)
