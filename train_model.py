"""Train LargerCNN on handwritten characters and write the model that the app serves.

    python train_model.py                        # downloads MNIST, trains, writes to runs/digits
    python train_model.py --data DIR --install   # uses files already there; then serves the new model
    python train_model.py --resume               # goes on where an interrupted run stopped
    python train_model.py --teachers runs/*/mnist_larger_cnn.pth   # learns from earlier networks, too
    python train_model.py --refine --epochs 14   # goes on from the model that is served
    python train_model.py --search 30            # tries 30 settings and tells which are best
    python train_model.py --alphabet greek --pictures DIR   # learns your own, from a folder for each label

The story: pictures become glyphs by the code that also serves requests; a network learns them, warped and damaged
at random, beside pictures that are no character, of which it is taught to be unsure; validation data, never the test
set, chooses the temperature of its confidence and the threshold of being sure; the test set is scored once.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from training import datasets, metrics, own_alphabet, package, targets, tracking
from training.alphabets import Alphabet
from training.augmentation import Augmentation, augment, squeeze
from training.calibration import calibrate
from training.datasets import NO_CASE, GlyphSet
from training.devices import PRECISIONS, Device
from training.networks import Architecture, LargerCNN, logits_of
from training.progress import console, track
from training.training_data import TrainingData
from training.weights import network_of

SEARCH_EPOCHS = 4
REFINING_RATE = 4e-4
"""Learning rate of a training that goes on from the served model."""

EachEpoch = Callable[[dict[str, float]], None]
"""Is given each epoch's row of the history: its loss, its accuracy on each validation set, its seconds."""


@dataclass(frozen=True)
class Config:
    """Every hyper-parameter. The same object goes to W&B and into the model's record.

    Those that `suggested` varies come from the search in app/models/<alphabet>/search.json; its model card says how.
    """

    alphabet: str = "digits"
    """Which characters to tell apart: a module of training/alphabets, or one's own."""
    seed: int = 1
    epochs: int = 24
    batch_size: int = 256
    learning_rate: float = 1.2e-3
    weight_decay: float = 0.012
    warm_up: float = 0.15
    """Share of the run in which the learning rate rises; it then falls along a cosine to nearly nothing."""
    dropout: float = 0.2
    kernels: tuple[int, ...] = (5, 3, 3)
    """Sides of the convolutions' kernels."""
    poolings: int = 3
    """How many of the convolutions, from the first, are followed by pooling."""
    averaging: float = 0.998
    """Decay of the moving average of the weights, which is the model that is kept."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    squeezed: float = 0.0
    """Share of glyphs that are made narrower, wider or more slanting, after a teacher has seen them."""
    final_strength: float = 0.4
    """Augmentation falls to this share of its strength over the last third of the run."""
    fold: int = 0
    """The part of a small set that is left out for cross-validation, from 1; 0: none."""
    validation: int = 5000
    """Training pictures of the main set, such as MNIST, set aside for every choice."""
    least_per_epoch: int = 1000
    """Pictures of the main set in an epoch, of one's own alphabet: fewer are repeated."""
    drawings_per_sample: int = 6
    """How often each character of the pen-stroke set is drawn, with another brush, size and place each time; half as
    often, it is drawn in a few pixels."""
    drawings_per_epoch: float = 0.35
    """Drawings in an epoch, as a share of the pictures of the main set; the next three likewise."""
    damaged_per_epoch: float = 0.35
    small_per_epoch: float = 0.2
    no_characters_per_epoch: float = 0.12
    no_character_weight: float = 0.5
    """Weight of learning to be unsure of what is no character (outlier exposure)."""
    teachers: tuple[str, ...] = ()
    """SHA-256 of the weights of trained networks from which this one learns too (knowledge distillation)."""
    distillation_weight: float = 0.7
    """Weight of what a teacher says of a picture; its label has the rest."""
    refined: str = ""
    """Version of the served model, if a training began with its weights and had it as its teacher."""
    kept_of_refined: float = 0.25
    """Share that its weights have then of those that are kept, so that little of what it knows is lost (Wortsman et al.
    2022, arXiv:2109.01903)."""
    case_weight: float = 0.5
    """Of what is learned about upper and lower case, in an alphabet that has both."""
    unsure_share: float = 0.015
    """Share of real validation characters that may be called unsure; the threshold follows from it."""

    def strength_at(self, epoch: int) -> float:
        """Of augmentation, as a share; epochs count from 1."""
        last_third = max(0.0, 3 * epoch / self.epochs - 2)
        return 1 - (1 - self.final_strength) * last_third

    def suggested(self, trial: Any) -> "Config":
        """These settings with those that a search varies as an Optuna trial has them."""
        augmentation = self.augmentation.scaled(trial.suggest_float("strength", 0.5, 1.5))
        return dataclasses.replace(
            self,
            learning_rate=trial.suggest_float("learning_rate", 5e-4, 1.5e-2, log=True),
            weight_decay=trial.suggest_float("weight_decay", 3e-3, 0.3, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            augmentation=augmentation,
            final_strength=trial.suggest_float("final_strength", 0.1, 1.0),
        )

    @property
    def searched(self) -> dict[str, float]:
        """What `suggested` varies, as it stands here."""
        names = ("learning_rate", "weight_decay", "dropout", "final_strength")
        return {"strength": 1.0} | {name: getattr(self, name) for name in names}


class Training:
    """A network with all that changes while it learns; saved after each epoch, so that a run can be resumed."""

    def __init__(
        self,
        config: Config,
        alphabet: Alphabet,
        where: Device,
        data: TrainingData,
        teachers: Sequence[LargerCNN] = (),
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.where = config, where
        self.teachers = [one.to(memory_format=torch.channels_last).to(where.device).eval() for one in teachers]
        self.classes, self.cases = len(alphabet.labels), len(alphabet.cases)
        network = LargerCNN(Architecture(self.classes, config.kernels, config.poolings, self.cases, config.dropout))
        if config.refined:
            network.load_state_dict(self.teachers[0].state_dict())
        self.network = network.to(memory_format=torch.channels_last).to(where.device)
        self.average = AveragedModel(self.network, avg_fn=self._averaged, use_buffers=True)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        steps = len(self._batches(len(data.epoch(torch.Generator().manual_seed(0)))))
        self.schedule = OneCycleLR(
            self.optimizer, config.learning_rate, steps * config.epochs, pct_start=config.warm_up
        )
        self.generator = torch.Generator(where.device).manual_seed(config.seed)
        self.history: list[dict[str, float]] = []

    @property
    def result(self) -> LargerCNN:
        """The network that is kept: the moving average of the one that learns."""
        network = self.average.module
        assert isinstance(network, LargerCNN)
        return network

    def blend(self) -> None:
        """Give the weights of the network that is refined their share of the result."""
        own, before = self.result.state_dict(), self.teachers[0].state_dict()
        for name in (name for name in own if own[name].is_floating_point()):
            own[name].lerp_(before[name], self.config.kept_of_refined)

    def _averaged(self, old: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        """Moving average that forgets its first values quickly, so that short runs profit too."""
        decay = min(self.config.averaging, (1 + int(count)) / (10 + int(count)))
        return old.lerp(new, 1 - decay) if old.is_floating_point() else new  # batch norm counts batches, too

    def _batches(self, count: int) -> list[int]:
        """Where each batch of an epoch starts; a rest that fills none is left out."""
        return list(range(0, count - self.config.batch_size + 1, self.config.batch_size)) or [0]

    def run_epoch(self, data: TrainingData, what: str, strength: float) -> float:
        """One pass; returns the mean loss."""
        self.network.train()
        config, epoch = self.config, data.epoch(self.generator)
        how = config.augmentation.scaled(strength)
        total = torch.zeros((), device=self.where.device)
        batches = self._batches(len(epoch))
        for number, start in enumerate(track(batches, what, len(batches))):
            batch = epoch[start : start + config.batch_size]
            seen = augment(batch.glyphs, how, self.generator).contiguous(memory_format=torch.channels_last)
            glyphs = squeeze(seen, config.squeezed, self.generator).contiguous(memory_format=torch.channels_last)
            wanted = targets.of_labels(batch.labels, self.classes, config.no_character_weight)
            wanted_cases = targets.of_cases(batch.cases, self.cases)
            with torch.autocast(self.where.device.type, torch.bfloat16, enabled=self.where.bfloat16):
                logits, cases = self.network.heads(glyphs)
                if self.teachers:  # one for each batch, in turn: over an epoch that is their mean
                    with torch.no_grad():
                        said, said_cases = self.teachers[number % len(self.teachers)].heads(seen)
                    wanted = targets.distilled(said, wanted, config.distillation_weight)
                    wanted_cases = targets.distilled(said_cases, wanted_cases, config.distillation_weight)
            loss = F.cross_entropy(logits.float(), wanted)
            if (cased := batch.cases != NO_CASE).any():
                loss = loss + config.case_weight * F.cross_entropy(cases[cased].float(), wanted_cases[cased])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(self.network)
            total += loss.detach()
        return float(total) / len(batches)

    def save(self, file: Path) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer", "schedule")}
        state |= {"history": self.history, "config": dataclasses.asdict(self.config)}
        state |= {"generator": self.generator.get_state(), "torch": torch.get_rng_state()}
        state["bfloat16"] = self.where.bfloat16  # chosen by a timing, which may choose otherwise next time
        part = file.with_suffix(".part")
        torch.save(state, part)
        part.replace(file)  # an interruption never leaves half a checkpoint

    def load(self, file: Path) -> None:
        state = torch.load(file, map_location=self.where.device, weights_only=True)
        if state["config"] != dataclasses.asdict(self.config):
            raise SystemExit(f"{file} was made with other settings. Use the same ones, or leave --resume away.")
        for name in ("network", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.where = dataclasses.replace(self.where, bfloat16=state["bfloat16"])
        self.history = state["history"]
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())


def fit(training: Training, data: TrainingData, each_epoch: EachEpoch) -> None:
    """Train all epochs that are left."""
    config = training.config
    data = data.to(training.where.device)
    for epoch in range(len(training.history) + 1, config.epochs + 1):
        start = time.perf_counter()
        row: dict[str, float] = {"epoch": epoch}
        row["loss"] = training.run_epoch(data, f"epoch {epoch}", config.strength_at(epoch))
        row |= validate(training.average, data.validation)
        row["seconds"] = time.perf_counter() - start
        training.history.append(row)
        each_epoch(row)


def validate(network: torch.nn.Module, sets: dict[str, GlyphSet]) -> dict[str, float]:
    """Accuracy on each set, and the mean of their losses: each set counts alike, however large."""
    row, losses = {}, []
    for name, part in sets.items():
        logits, labels = logits_of(network, part.glyphs), part.labels.cpu().numpy()
        row[f"accuracy {name}"] = metrics.accuracy(logits, labels)
        losses.append(metrics.cross_entropy(logits, labels))
    return row | {"validation loss": float(np.mean(losses))}


def train(args: argparse.Namespace, config: Config, alphabet: Alphabet, served: LargerCNN | None) -> None:
    """From data to a model that may be served; `served`: the network that it is to begin with and to learn from."""
    where = Device.choose(args.precision)
    teachers = [served] if served else load_teachers(args.teachers)
    taught_by = f", refines {config.refined}" if config.refined else f", teachers: {len(teachers)}" if teachers else ""
    console.print(f"{alphabet.title}: LargerCNN on {where}, seed {config.seed}{taught_by}; writing to {args.output}")
    data = alphabet.load_training(args.data, config, args.limit)
    training = Training(config, alphabet, where, data, teachers)
    checkpoint = args.output / "checkpoint.pt"
    if args.resume and checkpoint.is_file():
        training.load(checkpoint)
        console.print(f"Resumed after epoch {len(training.history)}.")
    tracker = start_tracker(args, args.output)(name=args.output.name, config=dataclasses.asdict(config))
    print_heading(data.validation)
    fit(training, data, partial(keep_epoch, training, checkpoint, tracker))
    if config.refined:
        training.blend()

    record: dict[str, Any] = {
        "alphabet": alphabet.name,
        "version": package.new_version(),
        "title": alphabet.title,
        "labels": alphabet.labels,
        "names": alphabet.names,
        "cases": alphabet.cases,
        "cased": alphabet.cased,
        "origin": alphabet.origin,
        **calibrate(training.average, data.validation, alphabet, config.unsure_share),
        "config": dataclasses.asdict(config),
        "history": training.history,
        "training_seconds": round(sum(row["seconds"] for row in training.history)),
        "device": str(where),
    }
    model_file, record = package.write(training.result, alphabet, record, args.data, args.output, data.validation)
    tracker.pictures(sorted((args.output / "pictures").glob("*.png")))
    tracker.finish(record, model_file)

    accuracy = 100 * record["figures"][alphabet.test_name]["accuracy"]
    minutes = record["training_seconds"] / 60
    console.print(f"{alphabet.test_name}: {accuracy:.2f}% ({record['precision']}), {minutes:.1f} minutes of training.")
    if args.install:
        package.install(model_file, config.alphabet)
        console.print("Installed: the app serves this model.")
    if args.accuracy_floor is not None and accuracy < args.accuracy_floor:
        sys.exit(f"The test accuracy of {accuracy:.2f}% is below the floor of {args.accuracy_floor}%.")


def load_teachers(files: Sequence[Path]) -> list[LargerCNN]:
    try:
        return [LargerCNN.load(file) for file in files]
    except ValueError as error:
        sys.exit(f"--teachers: {error}.")


def load_served(alphabet: Alphabet) -> tuple[str, LargerCNN]:
    """The version of the served model, and its network."""
    file = package.installed(alphabet.name) / MODEL_FILE
    try:
        record, network = Recognizer(file).record, network_of(file)
    except UnusableModel as error:
        sys.exit(f"--refine: {error}")
    if record.labels != list(alphabet.labels):
        sys.exit(f"--refine: The served model tells other labels apart: {' '.join(record.labels)}")
    return record.version, network


def start_tracker(args: argparse.Namespace, folder: Path, group: str | None = None) -> Callable[..., tracking.Tracker]:
    """A function of a run's `name` and `config`; it can be sent to another process."""
    return partial(tracking.start, not args.no_track, folder=folder, project=args.project, group=group)


def print_heading(names: Iterable[str]) -> None:
    """Above the lines that `keep_epoch` prints; the names are of the validation sets."""
    console.print("epoch     loss  " + "".join(f"{name + ' %':>12}" for name in names) + "   seconds")


def keep_epoch(training: Training, checkpoint: Path, tracker: tracking.Tracker, row: dict[str, float]) -> None:
    """Save, track and print what an epoch came to."""
    training.save(checkpoint)
    tracker.log({key: value for key, value in row.items() if key != "epoch"}, step=int(row["epoch"]))
    print_epoch(row)


def print_epoch(row: dict[str, float]) -> None:
    cells = "".join(f"{100 * value:12.2f}" for key, value in row.items() if key.startswith("accuracy "))
    console.print(f"{row['epoch']:5}{row['loss']:9.4f}  {cells}{row['seconds']:10.0f}")


def search_settings(args: argparse.Namespace, config: Config, alphabet: Alphabet) -> None:
    """Try short trainings with other settings, and record which did best."""
    from training import search  # Optuna takes a second to import, and only searches need it

    folder = args.output / "search"
    folder.mkdir(parents=True, exist_ok=True)
    data_file = folder / "data.pt"
    torch.save(alphabet.load_training(args.data, config, args.limit), data_file)
    objective = search.ShortTraining(
        config,
        partial(train_anew, alphabet),
        data_file,
        start_tracker(args, folder, group=f"search-{args.output.name}"),
    )
    conditions = {"alphabet": config.alphabet, "epochs": config.epochs, "limit": args.limit, "seed": config.seed}
    search.run(objective, args.search, config.searched, conditions, folder)
    data_file.unlink()
    if args.install:
        search.install(folder, package.installed(config.alphabet))


def train_anew(alphabet: Alphabet, config: Config, where: Device, data: TrainingData, each_epoch: EachEpoch) -> None:
    """One trial of a search."""
    fit(Training(config, alphabet, where, data), data, each_epoch)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train LargerCNN on handwritten characters.")
    add = parser.add_argument
    own = own_alphabet.add_options(parser)
    own.add_argument("--title", default="", help="the alphabet's name as people read it (NAME, capitalised)")
    add(
        "--data",
        type=Path,
        default=Path("data"),
        help="folder with the data sets; MNIST is downloaded if missing; not needed with --pictures (%(default)s)",
    )
    add("--output", type=Path, help="where everything is written (runs/ALPHABET)")
    add(
        "--install",
        action="store_true",
        help="copy what was made to where the app serves it from (of a search, its record)",
    )
    add("--resume", action="store_true", help="go on from the last whole epoch of an interrupted run")
    add("--accuracy-floor", type=float, metavar="PERCENT", help="exit with 1 if the test accuracy is lower")
    add(
        "--epochs",
        type=int,
        help=f"passes over the data ({Config.epochs}; {SEARCH_EPOCHS} for each trial of a search)",
    )
    add(
        "--teachers",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="weights of earlier runs (mnist_larger_cnn.pth): learn from what they say, beside the labels",
    )
    add("--refine", action="store_true", help="begin with the served model and learn from what it says, too")
    add(
        "--kernels",
        type=int,
        nargs=3,
        default=Config.kernels,
        choices=(3, 5, 7),
        help=f"sides of the convolutions' kernels ({' '.join(map(str, Config.kernels))})",
    )
    add(
        "--poolings",
        type=int,
        default=Config.poolings,
        choices=(2, 3),
        help="how many of the convolutions, from the first, are pooled (%(default)s)",
    )
    add("--search", type=int, metavar="N", help="instead of training, try settings until N trials are finished")
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of convolutions and products; auto is the faster one here, by a short trial (%(default)s)",
    )
    add("--seed", type=int, default=Config.seed, help="fixes weights, order and augmentation (%(default)s)")
    add("--fold", type=int, default=0, metavar="N", help="learn nothing of this part: for cross-validation")
    add("--limit", type=int, metavar="N", help="use only the first N training pictures of each set: a quick trial")
    add("--no-track", action="store_true", help="do not log to Weights & Biases")
    add("--project", default="digit-recognition-app", help="W&B project (%(default)s)")
    return parser


def main() -> None:
    usage = parser()
    args = usage.parse_args()
    if args.search and args.teachers:
        usage.error("--teachers is for a training, not for a search")
    if args.refine and (args.teachers or args.search):
        usage.error("--refine has a teacher of its own, and is for a training")
    for file in args.teachers:
        if not file.is_file():
            usage.error(f"--teachers: there is no file {file}")
    try:
        alphabet = own_alphabet.chosen(args, args.alphabet, args.title, args.fold)
    except ValueError as error:
        usage.error(str(error))
    args.output = args.output or Path("runs") / args.alphabet
    args.output.mkdir(parents=True, exist_ok=True)
    epochs = args.epochs or (SEARCH_EPOCHS if args.search else Config.epochs)
    version, served = load_served(alphabet) if args.refine else ("", None)
    config = Config(
        alphabet=args.alphabet,
        seed=args.seed,
        epochs=epochs,
        learning_rate=REFINING_RATE if served else Config.learning_rate,
        augmentation=alphabet.augmentation,
        squeezed=alphabet.squeezed if served else 0.0,
        fold=args.fold,
        kernels=served.architecture.kernels if served else tuple(args.kernels),
        poolings=served.architecture.poolings if served else args.poolings,
        refined=version,
        teachers=tuple(datasets.sha256(file) for file in args.teachers),
    )
    try:
        if args.search:
            search_settings(args, config, alphabet)
        else:
            train(args, config, alphabet, served)
    except KeyboardInterrupt:
        again = "The same command" if args.search else "The same command with --resume"
        sys.exit(f"Interrupted. {again} goes on.")


if __name__ == "__main__":
    main()
