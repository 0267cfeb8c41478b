"""The network in all its shapes, and what is read back from a file of weights."""

from pathlib import Path

import pytest
import torch

from training.networks import LargerCNN


@pytest.mark.parametrize("kernels", [(5, 3, 3), (3, 5, 7)])
@pytest.mark.parametrize("poolings", [2, 3])
def test_weights_tell_their_network(kernels: tuple[int, ...], poolings: int, tmp_path: Path) -> None:
    network = LargerCNN(15, kernels=kernels, poolings=poolings).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    glyphs = torch.rand(3, 1, 28, 28)
    again = LargerCNN.load(tmp_path / "weights.pth").eval()
    assert network(glyphs).shape == (3, 15)
    assert torch.equal(again(glyphs), network(glyphs))


@pytest.mark.parametrize("content", [b"", b"no weights", {"layer": torch.zeros(1)}, [1]])
def test_other_files_are_named(content: object, tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(ValueError, match=r"other\.pth does not hold the weights"):
        LargerCNN.load(file)
