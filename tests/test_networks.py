"""The network in all its shapes, and what is read back from a file of weights."""

from pathlib import Path

import pytest
import torch

from training.networks import Architecture, LargerCNN


@pytest.mark.parametrize("kernels", [(5, 3, 3), (3, 5, 7)])
@pytest.mark.parametrize("poolings", [2, 3])
def test_a_file_rebuilds_its_network(kernels: tuple[int, ...], poolings: int, tmp_path: Path) -> None:
    network = LargerCNN(Architecture(15, kernels, poolings, dropout=0.3)).eval()
    network.save(tmp_path / "weights.pth")
    glyphs = torch.rand(3, 1, 28, 28)
    again = LargerCNN.load(tmp_path / "weights.pth").eval()
    assert again.architecture == network.architecture
    assert network(glyphs).shape == (3, 15)
    assert torch.equal(again(glyphs), network(glyphs))


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    network = LargerCNN(Architecture(poolings=3))
    described = {"classes": 10, "kernels": (5, 3, 3), "poolings": 2, "dropout": 0.2}
    torch.save({"architecture": described, "weights": network.state_dict()}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth does not hold the weights"):
        LargerCNN.load(tmp_path / "other.pth")


@pytest.mark.parametrize("content", [b"", b"no weights", {"layer": torch.zeros(1)}, [1]])
def test_other_files_are_named(content: object, tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(ValueError, match=r"other\.pth does not hold the weights"):
        LargerCNN.load(file)
