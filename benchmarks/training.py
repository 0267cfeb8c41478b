"""How soon training is good: seconds to an accuracy on MNIST's test set, against the plain way to train.

    python -m benchmarks.training --data DIR [--seeds 5] [--target 99.28] [--epochs 2] [--compile]

Ours is `train_model.py`'s recipe in `--epochs` epochs, on all its data; the peer is what tutorials do and the replaced
app did: the same three convolutions and three connected layers without normalisation, torchvision's MNIST through a
DataLoader, batches of 64, Adam at 0.001 in float32, no augmentation. Both run on the same device.
The clock stands still while accuracy is measured; nothing is chosen by it. 99.28% is what the replaced app quotes.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from train_model import Config, Training
from training.alphabets.digits import ALPHABET
from training.datasets import GlyphSet
from training.devices import Device
from training.progress import console

HERE = Path(__file__).parent


def ours(config: Config, where: Device, data: Any, test: GlyphSet, compiled: bool) -> Iterator[tuple[float, float]]:
    """Seconds of training so far and accuracy, after each epoch."""
    training = Training(config, ALPHABET, where, data)
    if compiled:
        training.network.compile(mode="reduce-overhead")  # CUDA graphs; the first epoch pays for compiling
    data, seconds = data.to(where.device), 0.0
    for epoch in range(1, config.epochs + 1):
        start = time.perf_counter()
        training.run_epoch(data, f"seed {config.seed}, epoch {epoch}", config.strength_at(epoch))
        _wait(where)
        seconds += time.perf_counter() - start
        yield seconds, _accuracy(training.average, test.glyphs, test.labels, where)


def plain(seed: int, epochs: int, where: Device, data: Path) -> Iterator[tuple[float, float]]:
    """As `ours`, of the peer."""
    torch.manual_seed(seed)
    network = _plain_network().to(where.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loader = DataLoader(MNIST(str(data), train=True, transform=ToTensor()), batch_size=64, shuffle=True)
    test = MNIST(str(data), train=False)
    pictures, seconds = test.data.unsqueeze(1).float() / 255, 0.0
    for _ in range(epochs):
        network.train()
        start = time.perf_counter()
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images.to(where.device)), labels.to(where.device)).backward()
            optimizer.step()
        _wait(where)
        seconds += time.perf_counter() - start
        yield seconds, _accuracy(network, pictures, test.targets, where)


def _plain_network() -> nn.Module:
    sides = ((1, 64), (64, 128), (128, 256))
    convolutions = [(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for a, b in sides]
    connected = (nn.Linear(256 * 9, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 256), nn.ReLU())
    return nn.Sequential(
        *(layer for block in convolutions for layer in block), nn.Flatten(), *connected, nn.Linear(256, 10)
    )


def _wait(where: Device) -> None:
    if where.device.type == "cuda":
        torch.cuda.synchronize(where.device)


@torch.no_grad()
def _accuracy(network: nn.Module, pictures: torch.Tensor, labels: torch.Tensor, where: Device) -> float:
    network.eval()
    answers = torch.cat([network(batch.to(where.device)).argmax(1).cpu() for batch in pictures.split(1000)])
    return 100 * float((answers == labels).float().mean())


def race(name: str, seed: int, epochs: Iterator[tuple[float, float]], target: float) -> dict[str, Any]:
    """Train to the end; when the target was first met, if it was."""
    course = []
    for seconds, accuracy in epochs:
        course.append({"seconds": round(seconds, 2), "accuracy": round(accuracy, 2)})
        console.print(f"{name}, seed {seed}: {accuracy:.2f}% after {seconds:.1f} s")
    reached = next((step["seconds"] for step in course if step["accuracy"] >= target), None)
    return {"name": name, "seed": seed, "seconds_to_target": reached, "course": course}


def table(record: dict[str, Any]) -> str:
    lines = ["| recipe | seeds | seconds to target | all epochs | accuracy at the end |", "|---|--:|--:|--:|--:|"]
    for name in dict.fromkeys(run["name"] for run in record["runs"]):
        runs = [run for run in record["runs"] if run["name"] == name]
        reached = [run["seconds_to_target"] for run in runs if run["seconds_to_target"] is not None]
        to_target = (
            f"{statistics.mean(reached):.1f}" if len(reached) == len(runs) else f"{len(reached)} of {len(runs)} did"
        )
        ends = [run["course"][-1] for run in runs]
        seconds = statistics.mean(end["seconds"] for end in ends)
        accuracy = statistics.mean(end["accuracy"] for end in ends)
        epochs = len(runs[0]["course"])
        lines.append(f"| {name}, {epochs} epochs | {len(runs)} | {to_target} | {seconds:.1f} s | {accuracy:.2f}% |")
    lines += ["", f"Target {record['target']}% on MNIST's test set. {record['device']}; torch {record['torch']}.", ""]
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--seeds", type=int, default=5, help="runs of each recipe (%(default)s)")
    add("--target", type=float, default=99.28, help="accuracy in percent (%(default)s)")
    add(
        "--epochs", type=int, default=2, help=f"epochs of our recipe; the whole of it has {Config.epochs} (%(default)s)"
    )
    add("--plain-epochs", type=int, default=5, help="epochs of the peer, 0 to leave it out (%(default)s)")
    add("--compile", action="store_true", help="compile our network with torch.compile, CUDA graphs included")
    add("--limit", type=int, metavar="N", help="use only the first N training pictures of each of our sets")
    add("--output", type=Path, default=HERE, help="where training.json and training.md are written (%(default)s)")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    where = Device.choose()
    console.print(f"Training on {where}")
    data = ALPHABET.load_training(options.data, Config(), options.limit)
    test = ALPHABET.load_test(options.data)
    runs = []
    for seed in range(1, options.seeds + 1):
        config = Config(seed=seed, epochs=options.epochs)
        runs.append(race("this recipe", seed, ours(config, where, data, test, options.compile), options.target))
        if options.plain_epochs:
            peer = plain(seed, options.plain_epochs, where, options.data)
            runs.append(race("plain recipe", seed, peer, options.target))
    record = {
        "target": options.target,
        "device": f"{where}, {where.threads} threads, {platform.machine()}",
        "torch": torch.__version__,
        "compiled": options.compile,
        "runs": runs,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    (options.output / "training.md").write_text(table(record))
    console.print(table(record))


if __name__ == "__main__":
    main()
