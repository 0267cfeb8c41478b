"""Train LargerCNN on handwritten digits and write the model that the app serves.

    python train_model.py                        # downloads MNIST, trains, writes to runs/digits
    python train_model.py --data DIR --install   # uses files already there; then serves the new model
    python train_model.py --resume               # goes on where an interrupted run stopped

The story: pictures become glyphs by the code that also serves requests; a network learns them, warped and damaged
at random, beside pictures that are no digit, of which it is taught to be unsure; validation data, never the test
set, chooses the temperature of its confidence and the threshold of being sure; the test set is scored once.
"""

import argparse
import copy
import dataclasses
import json
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from app.recognizer import Recognizer
from training import datasets, devices, evaluation, export, pictures, tracking
from training.augmentation import Augmentation, augment
from training.datasets import NO_CHARACTER, GlyphSet
from training.networks import LargerCNN
from training.progress import console, track

LABELS = [str(digit) for digit in range(10)]
MODELS = Path(__file__).parent / "app" / "models"


@dataclass(frozen=True)
class Config:
    """Every hyper-parameter. The same object goes to W&B and into the model's record."""

    seed: int = 1
    epochs: int = 16
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: float = 0.15
    """Share of the run in which the learning rate rises; it then falls along a cosine to nearly nothing."""
    dropout: float = 0.3
    averaging: float = 0.998
    """Decay of the moving average of the weights, which is the model that is kept."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    final_strength: float = 0.5
    """Augmentation falls to this share of its strength over the last third of the run."""
    validation: int = 5000
    """MNIST training pictures set aside for every choice; the settling epochs then train on them too."""
    settling_epochs: int = 1
    drawings_per_sample: int = 6
    """How often each character of the pen-stroke set is drawn, with another brush, size and place each time."""
    drawings_per_epoch: float = 0.35
    """Drawings in an epoch, as a share of the MNIST pictures in it; the next two likewise."""
    damaged_per_epoch: float = 0.3
    no_digits_per_epoch: float = 0.12
    no_digit_weight: float = 0.5
    """Weight of learning to be unsure of what is no digit (outlier exposure, Hendrycks et al. 2019)."""
    unsure_share: float = 0.015
    """Share of real validation digits that may be called unsure; the threshold follows from it."""


@dataclass(frozen=True)
class Data:
    """`extras` are the sets of which an epoch takes a random part: set and share of the MNIST pictures, by name."""

    train: GlyphSet
    extras: dict[str, tuple[GlyphSet, float]]
    validation: dict[str, GlyphSet]

    def to(self, device: torch.device) -> "Data":
        return Data(
            self.train.to(device),
            {name: (part.to(device), share) for name, (part, share) in self.extras.items()},
            {name: part.to(device) for name, part in self.validation.items()},
        )


def load_data(folder: Path, config: Config, limit: int | None) -> Data:
    images, labels = datasets.mnist_pictures(folder, train=True)
    images, labels = images[:limit], labels[:limit]
    everything = datasets.from_pictures("MNIST", images, labels)
    held_out = min(config.validation, len(everything) // 6)
    train, validation = everything[held_out:], {"MNIST": everything[:held_out]}
    half = slice(held_out, None, 2)
    extras = {"damaged": (datasets.damaged(images[half], labels[half], config.seed), config.damaged_per_epoch)}
    strokes = datasets.pen_strokes(folder)
    if strokes is None:
        console.print(f"No {datasets.STROKES_FILE} in the data folder: training without pen-stroke drawings.")
    else:
        drawings = datasets.drawings(strokes[0], config.drawings_per_sample, config.seed, limit)
        extras["drawings"] = (drawings, config.drawings_per_epoch)
        validation["drawings"] = datasets.drawings(strokes[1], 1, seed=0, limit=limit)
    count = max(64, 2 * round(len(train) * config.no_digits_per_epoch))
    no_digits = datasets.no_characters(folder, train, count, config.seed)
    return Data(train, extras | {"no digits": (no_digits, config.no_digits_per_epoch)}, validation)


def epoch_of(data: Data, generator: torch.Generator) -> GlyphSet:
    """All MNIST pictures and a random part of each extra set, shuffled."""
    parts = [data.train]
    for source, share in data.extras.values():
        chosen = torch.randperm(len(source), generator=generator, device=source.labels.device)
        parts.append(source[chosen[: round(len(data.train) * share)]])
    joined = GlyphSet.joined(parts)
    return joined[torch.randperm(len(joined), generator=generator, device=joined.labels.device)]


def loss_of(logits: torch.Tensor, labels: torch.Tensor, no_digit_weight: float) -> torch.Tensor:
    """Cross-entropy; a picture that is no digit should look equally much like every label."""
    log_shares = F.log_softmax(logits.float(), dim=1)
    is_digit = labels != NO_CHARACTER
    right = log_shares.gather(1, labels.clamp(min=0).unsqueeze(1)).squeeze(1)
    return -torch.where(is_digit, right, no_digit_weight * log_shares.mean(dim=1)).mean()


@torch.no_grad()
def logits_of(network: torch.nn.Module, glyphs: torch.Tensor) -> np.ndarray[Any, Any]:
    network.eval()
    return torch.cat([network(batch).float() for batch in glyphs.split(1000)]).cpu().numpy()


class Training:
    """A network with all that changes while it learns; saved after each epoch, so that a run can be resumed."""

    def __init__(self, config: Config, where: devices.Device, steps: int) -> None:
        torch.manual_seed(config.seed)
        self.config, self.where = config, where
        self.network = LargerCNN(len(LABELS), config.dropout).to(memory_format=torch.channels_last).to(where.device)
        self.average = AveragedModel(self.network, avg_fn=self._averaged, use_buffers=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.schedule = OneCycleLR(self.optimizer, config.learning_rate, steps, pct_start=config.warm_up)
        self.generator = torch.Generator(where.device).manual_seed(config.seed)
        self.history: list[dict[str, float]] = []
        self.choices: dict[str, float] = {}
        self.commit = git_commit()

    def _averaged(self, old: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        """Moving average that forgets its first values quickly, so that short runs profit too."""
        decay = min(self.config.averaging, (1 + int(count)) / (10 + int(count)))
        return old.lerp(new, 1 - decay) if old.is_floating_point() else new  # batch norm counts batches, too

    def run_epoch(self, data: Data, what: str, strength: float) -> float:
        """One pass; returns the mean loss."""
        self.network.train()
        config, epoch = self.config, epoch_of(data, self.generator)
        how = config.augmentation.scaled(strength)
        total = torch.zeros((), device=self.where.device)
        batches = list(range(0, len(epoch) - config.batch_size + 1, config.batch_size)) or [0]
        for start in track(batches, what, len(batches)):
            batch = epoch[start : start + config.batch_size]
            glyphs = augment(batch.glyphs, how, self.generator).contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.where.device.type, torch.bfloat16, enabled=self.where.bfloat16):
                logits = self.network(glyphs)
            loss = loss_of(logits, batch.labels, config.no_digit_weight)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            if self.schedule.last_epoch < self.schedule.total_steps - 1:  # settling stays at the lowest rate
                self.schedule.step()
            self.average.update_parameters(self.network)
            total += loss.detach()
        return float(total) / len(batches)

    def save(self, file: Path) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer", "schedule")}
        state |= {"history": self.history, "choices": self.choices, "config": dataclasses.asdict(self.config)}
        state |= {"generator": self.generator.get_state(), "torch": torch.get_rng_state()}
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)  # an interruption never leaves half a checkpoint

    def load(self, file: Path) -> None:
        state = torch.load(file, map_location=self.where.device, weights_only=True)
        if state["config"] != dataclasses.asdict(self.config):
            raise SystemExit(f"{file} was made with other settings. Use the same ones, or leave --resume away.")
        for name in ("network", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.history, self.choices = state["history"], state["choices"]
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())


def choose(network: torch.nn.Module, data: Data, config: Config) -> dict[str, float]:
    """The temperature and the threshold, from validation data alone."""
    logits = {name: logits_of(network, part.glyphs) for name, part in data.validation.items()}
    labels = {name: part.labels.cpu().numpy() for name, part in data.validation.items()}
    temperature = evaluation.temperature(logits["MNIST"], labels["MNIST"])
    confidences = [evaluation.softmax(part / temperature).max(axis=1) for part in logits.values()]
    # Each set alone must stay within the share: people draw on canvases and send scans in proportions unknown.
    return {
        "temperature": temperature,
        "sure_from": float(min(np.quantile(part, config.unsure_share) for part in confidences)),
    }


def fit(training: Training, data: Data, checkpoint: Path, tracker: tracking.Tracker) -> None:
    """Train all epochs that are left, choose, settle."""
    config = training.config
    data = data.to(training.where.device)
    whole = dataclasses.replace(data, train=GlyphSet.joined([data.train, data.validation["MNIST"]]))
    names = list(data.validation)
    console.print("epoch     loss  " + "".join(f"{name + ' %':>12}" for name in names) + "   seconds")
    for epoch in range(len(training.history) + 1, config.epochs + config.settling_epochs + 1):
        start, settling = time.perf_counter(), epoch > config.epochs
        last_third = max(0.0, 3 * min(1.0, epoch / config.epochs) - 2)
        strength = 1 - (1 - config.final_strength) * last_third
        row: dict[str, float] = {"epoch": epoch}
        row["loss"] = training.run_epoch(whole if settling else data, f"epoch {epoch}", strength)
        for name, part in data.validation.items():
            if not (settling and name == "MNIST"):  # it is trained on now
                logits = logits_of(training.average, part.glyphs)
                row[f"accuracy {name}"] = evaluation.accuracy(logits, part.labels.cpu().numpy())
        row["seconds"] = time.perf_counter() - start
        training.history.append(row)
        if epoch == config.epochs:
            training.choices = choose(training.average, data, config)
        training.save(checkpoint)
        tracker.log({key: value for key, value in row.items() if key != "epoch"}, step=epoch)
        cells = [f"{100 * row[key]:.2f}" if (key := f"accuracy {name}") in row else "-" for name in names]
        console.print(f"{epoch:5}{row['loss']:9.4f}  " + "".join(f"{c:>12}" for c in cells) + f"{row['seconds']:10.0f}")


def write(
    training: Training, data: Data, folder: Path, data_folder: Path, seconds: float
) -> tuple[Path, dict[str, Any]]:
    """The weights, the model file, its record and the pictures; scores the test set, once."""
    network = copy.deepcopy(training.average.module).cpu().float().eval()
    torch.save(network.state_dict(), folder / "mnist_larger_cnn.pth")
    float_file = export.to_onnx(network, training.choices["temperature"], folder / "digits-float32.onnx")
    small_file = export.quantize(float_file, folder / "digits-int8.onnx", data.train.glyphs[:1024].cpu().numpy())

    record: dict[str, Any] = {
        "alphabet": "digits",
        "version": f"{datetime.now(UTC):%Y.%m.%d}-{training.commit[:7]}",
        "labels": LABELS,
        **training.choices,
        "config": dataclasses.asdict(training.config),
        "history": training.history,
        "training_seconds": round(seconds),
        "device": str(training.where),
        "git_commit": training.commit,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "torchvision", "onnx", "onnxruntime", "numpy", "pillow")},
        "data_sha256": datasets.checksums(
            [*(data_folder / "MNIST" / "raw").glob("*-ubyte"), *data_folder.glob("*.npz")]
        ),
    }
    for file in (float_file, small_file):
        export.describe(file, record)
    shipped, validation = pick(float_file, small_file, data)
    record["precision"] = shipped.stem.removeprefix("digits-")

    test = datasets.from_pictures("MNIST test", *datasets.mnist_pictures(data_folder, train=False))
    glyphs, labels = test.glyphs.numpy(), test.labels.numpy()
    probabilities = Recognizer(shipped).probabilities(glyphs)
    record["figures"] = {
        "validation": validation,
        "MNIST test": {"accuracy": evaluation.accuracy(probabilities, labels), "count": len(labels)},
    }
    export.describe(shipped, record)
    model_file = Path(shutil.copyfile(shipped, folder / "digits.onnx"))
    (folder / "digits.json").write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    images = folder / "pictures"
    pictures.curves(training.history, images / "curves.png")
    pictures.confusion(probabilities, labels, LABELS, images / "confusion.png")
    pictures.sheet(glyphs[:60], probabilities[:60], labels[:60], LABELS, images / "predictions.png")
    pictures.worst(glyphs, probabilities, labels, LABELS, images / "worst.png")
    return model_file, record


def pick(float_file: Path, small_file: Path, data: Data) -> tuple[Path, dict[str, Any]]:
    """The int8 file where it is as good on validation data, to within one picture in a thousand; its figures."""

    def figures(file: Path) -> dict[str, Any]:
        recognizer, result = Recognizer(file), {}
        for name, part in data.validation.items():
            shares = recognizer.probabilities(part.glyphs.cpu().numpy())
            result[name] = {"accuracy": evaluation.accuracy(shares, part.labels.cpu().numpy()), "count": len(part)}
        return result

    exact, small = figures(float_file), figures(small_file)
    as_good = all(small[name]["accuracy"] >= exact[name]["accuracy"] - 0.001 for name in exact)
    return (small_file, small) if as_good else (float_file, exact)


def git_commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return answer.stdout.strip() or "unknown"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train LargerCNN on handwritten digits.")
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        default=Path("data"),
        help="folder with the data sets; MNIST is downloaded if missing (%(default)s)",
    )
    add("--output", type=Path, default=Path("runs/digits"), help="where everything is written (%(default)s)")
    add(
        "--install",
        action="store_true",
        help="copy model, record and pictures to app/models: the app then serves them",
    )
    add("--resume", action="store_true", help="go on from the last whole epoch of an interrupted run")
    add("--accuracy-floor", type=float, metavar="PERCENT", help="exit with 1 if the test accuracy is lower")
    add("--epochs", type=int, default=Config.epochs, help="passes over the data (%(default)s)")
    add("--seed", type=int, default=Config.seed, help="fixes weights, order and augmentation (%(default)s)")
    add("--limit", type=int, metavar="N", help="use only the first N training pictures of each set: a quick trial")
    add("--no-track", action="store_true", help="do not log to Weights & Biases")
    add("--project", default="digit-recognition-app", help="W&B project (%(default)s)")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    config = Config(seed=args.seed, epochs=args.epochs)
    where = devices.choose()
    args.output.mkdir(parents=True, exist_ok=True)
    console.print(f"LargerCNN on {where}, seed {config.seed}; writing to {args.output}")
    data = load_data(args.data, config, args.limit)
    batches = epoch_of(data, torch.Generator().manual_seed(0))
    training = Training(config, where, steps=max(1, len(batches) // config.batch_size) * config.epochs)
    checkpoint = args.output / "checkpoint.pt"
    if args.resume and checkpoint.is_file():
        training.load(checkpoint)
        console.print(f"Resumed after epoch {len(training.history)}.")

    tracker = tracking.start(
        not args.no_track,
        name=args.output.name,
        config=dataclasses.asdict(config),
        folder=args.output,
        project=args.project,
    )
    fit(training, data, checkpoint, tracker)
    seconds = sum(row["seconds"] for row in training.history)
    model_file, record = write(training, data, args.output, args.data, seconds)
    tracker.pictures(sorted((args.output / "pictures").glob("*.png")))
    tracker.finish(model_file, record)

    accuracy = 100 * record["figures"]["MNIST test"]["accuracy"]
    console.print(f"MNIST test: {accuracy:.2f}% ({record['precision']}), {seconds / 60:.1f} minutes of training.")
    if args.install:
        shutil.copyfile(model_file, MODELS / "digits.onnx")
        shutil.copyfile(args.output / "digits.json", MODELS / "digits.json")
        shutil.copytree(args.output / "pictures", MODELS / "pictures", dirs_exist_ok=True)
        console.print("Installed: the app serves this model from its next start.")
    if args.accuracy_floor is not None and accuracy < args.accuracy_floor:
        sys.exit(f"The test accuracy of {accuracy:.2f}% is below the floor of {args.accuracy_floor}%.")


if __name__ == "__main__":
    main()
