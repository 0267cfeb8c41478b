"""Learn from samples: `python -m training.retrain --samples FOLDER|ZIP|URL --data DIR --install`.

Goes on from the model that is served, with what it has learned from before and the samples of which somebody has said
what they are. Then both models are asked about every test set, and about samples of people from whom nothing was
learned: see `training.challenge`. Only a model that is better on these and worse on nothing is installed; another is
kept aside with the reason.
"""

import argparse
import dataclasses
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from app import settings
from app.client.client import Client
from app.client.errors import ApiError
from app.models.shelf import WEIGHTS_FILE, Shelf
from app.reading.middle import MIDDLE_FILE
from app.reading.reader import LINES_FILE
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from app.samples.export import BrokenExport, Manifest, open_export, record_of, write
from app.samples.sample import Sample
from training import challenge, corrections, datasets, export, line_sets, own_alphabet, package
from training.alphabets import Alphabet
from training.calibration import calibrate
from training.challenge import Verdict
from training.corrections import SPLITS, Corrections
from training.devices import Device
from training.fine_tuning import Config, fine_tuned
from training.networks import LargerCNN
from training.progress import console
from training.training_data import TrainingData
from training.weights import WEIGHTS_KEY, network_of

FEWEST = 5
"""Held-out samples: of fewer, nothing can be said that is not chance."""

NUMBERS = ("numbers", "MNIST numbers", "touching numbers")
"""Sets of whole numbers by which a model of digits is judged, too, since it has a say in reading them."""


ADMIN_KEYS = f"{settings.PREFIX}ADMIN_KEYS"
"""The environment variable whose first key an API is asked with."""


class TooFew(RuntimeError):
    """There is not enough to learn from or to judge by; the message says of what."""


def samples_of(source: str) -> tuple[Manifest, list[Sample]]:
    """An export, or what an API that runs has. Raises BrokenExport, ApiError."""
    if not source.startswith(("http://", "https://")):
        manifest, samples = open_export(Path(source))
        return manifest, list(samples)
    key = settings.first_key(ADMIN_KEYS)
    with tempfile.TemporaryDirectory() as folder, Client(source, key or None) as client:
        write(client.export(), Path(folder) / "samples")
        return samples_of(str(Path(folder) / "samples"))


def sides(samples: list[Sample], split: str) -> tuple[list[Sample], list[Sample]]:
    """Samples to learn from and to judge by. Raises TooFew."""
    learned, held_out = corrections.split(samples, SPLITS[split])
    if len(held_out) < FEWEST or not learned:
        other = " Samples of one person can be divided by --split drawing." if split == "visitor" else ""
        raise TooFew(
            f"There are {len(samples)} samples of which somebody has said what they are: {len(learned)} to learn from "
            f"and {len(held_out)} of other people to judge by, of which {FEWEST} are needed.{other}"
        )
    return learned, held_out


def written(
    network: LargerCNN,
    champion: Recognizer,
    alphabet: Alphabet,
    data: TrainingData,
    taught: Corrections,
    config: Config,
    told: Mapping[str, Any],
    folder: Path,
) -> Path:
    """The model file of a network that has learned from samples, with its weights and its record beside it."""
    package.write_weights(network, folder)
    weights = datasets.sha256(folder / WEIGHTS_FILE)
    record = champion.record.model_dump(exclude={"gate", "reference"}) | {
        "version": package.new_version(weights),
        WEIGHTS_KEY: weights,
        **calibrate(network, data.validation, alphabet, config.unsure_share),
        **package.reading(alphabet),
        **told,
    }
    float_file, int8_file = package.export_both(network, record, data.validation, folder)
    judges = data.validation | {"samples": taught.glyphs}  # also for what rounding may leave of so few steps
    chosen, figures = package.choose_precision(float_file, int8_file, judges)
    del figures["samples"]  # these have been learned from
    record |= {"precision": chosen.stem.removeprefix("model-"), "figures": {"validation": figures}}
    export.describe(chosen, record)
    model_file = chosen.replace(folder / MODEL_FILE)
    for left in {float_file, int8_file} - {chosen}:
        left.unlink()
    package.write_record(record, folder)
    return model_file


def verdict(
    champion_file: Path, model_file: Path, alphabet: Alphabet, held_out: list[Sample], data: Path, count: int | None
) -> Verdict:
    """What is to be said of a challenger, from at most `count` pictures of each set."""
    threads = os.cpu_count() or 1
    if (middle := champion_file.with_name(MIDDLE_FILE)).exists():
        shutil.copyfile(middle, model_file.with_name(MIDDLE_FILE))  # it would serve beside the challenger, too
    champion, challenger = (Recognizer(file, threads) for file in (champion_file, model_file))
    sets = [one.first(count) for one in alphabet.load_evaluation(data)]
    lines = champion_file.with_name(LINES_FILE)
    with ProcessPoolExecutor(threads) as pool:
        found = challenge.judged(champion, challenger, alphabet, sets, held_out, pool)
        if not lines.exists() or not (data / datasets.STROKES_FILE).is_file():
            return found
        numbers = [one for one in line_sets.of_data(data) if one.name in NUMBERS]
        read = [
            challenge.numbers_judged(champion, challenger, lines, one, min(count or one.count, one.count), pool)
            for one in numbers
        ]
    return dataclasses.replace(found, sets=[*found.sets, *read])


def challenged(
    champion_file: Path,
    manifest: Manifest,
    everything: list[Sample],
    args: argparse.Namespace,
    alphabet: Alphabet,
    config: Config,
    learned: Callable[[Path], None] = lambda model_file: None,
) -> Verdict:
    """From samples to a challenger in `args.output`, and what is to be said of it.

    `learned` is given the model file once it is written, before it is judged, which takes longer. Where one lies there
    that was made of just the same and not judged, it is judged now.

    Raises TooFew, UnusableModel.
    """
    begun = time.perf_counter()
    champion = Recognizer(champion_file)
    if list(alphabet.labels) != champion.labels:
        raise UnusableModel(f"The model that is served tells {', '.join(champion.labels)} apart, this alphabet others.")
    samples = corrections.usable(everything, alphabet)
    taught_by, held_out = sides(samples, args.split)
    where = Device.choose()
    console.print(
        f"{alphabet.title}: {len(taught_by)} samples to learn from and {len(held_out)} to judge by, of the data "
        f"{manifest['version']}; from {champion.record.version}, on {where}; writing to {args.output}"
    )
    told = {
        "parents": [champion.record.version],
        "retraining": dataclasses.asdict(config),
        "samples": record_of(manifest),
        "split": args.split,
        "limit": args.limit,
        **package.provenance(alphabet, args.data),
    }
    model_file = args.output / MODEL_FILE
    if _made_of(model_file, told):
        console.print("It has been learned from before; to be judged is left.")
    else:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            taught = corrections.corrections(taught_by, alphabet, pool)
        data = alphabet.load_training(args.data, config, args.limit)
        network = fine_tuned(network_of(champion_file), data, taught, config, where)
        model_file = written(network, champion, alphabet, data, taught, config, told, args.output)
        learned(model_file)
    found = verdict(champion_file, model_file, alphabet, held_out, args.data, args.count or None)
    package.keep_figures(model_file, found.figures(), found.reference, gate=found.told())
    console.print(found.table())
    console.print(f"{Recognizer(model_file).record.version}, after {(time.perf_counter() - begun) / 60:.1f} minutes.")
    for objection in found.objections:
        console.print(f"Refused: {objection}.")
    return found


def _made_of(model_file: Path, told: Mapping[str, Any]) -> bool:
    """Whether there is a model that was made of this, and has not been judged."""
    try:
        record = Recognizer(model_file).record.model_dump()
    except UnusableModel:
        return False
    return "gate" not in record and told == {name: record.get(name) for name in told}


def retrain(args: argparse.Namespace, alphabet: Alphabet, config: Config) -> bool:
    """From samples to a model that may be served; whether it may. Raises TooFew, BrokenExport, ApiError,
    UnusableModel.
    """
    champion_file = package.installed(alphabet.name) / MODEL_FILE
    found = challenged(champion_file, *samples_of(args.samples), args, alphabet, config)
    if args.install:
        shelf = Shelf(package.MODELS, alphabet.name)
        name = (shelf.put_aside if found.objections else shelf.put)(args.output)
        console.print(f"{name} is kept aside." if found.objections else f"{name} is installed: the app serves it.")
    return not found.objections


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a retraining takes, beside its alphabet and where it writes."""
    add = parser.add_argument
    add(
        "--samples",
        required=True,
        metavar="SOURCE",
        help="an export, a folder or .zip; or the address of an API, with an admin key in DIGITS_ADMIN_KEYS",
    )
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add(
        "--split",
        choices=SPLITS,
        default="visitor",
        help="what is on one side alone, of what is learned from and what is judged by (%(default)s)",
    )
    add("--seed", type=int, default=Config.seed, help="fixes order and augmentation (%(default)s)")
    add("--steps", type=int, default=Config.steps, metavar="N", help="batches to learn from (%(default)s)")
    add(
        "--limit",
        type=int,
        default=12_000,
        metavar="N",
        help="use only the first N pictures of each set that it has learned from before (%(default)s)",
    )
    add(
        "--count",
        type=int,
        default=1000,
        metavar="N",
        help="judge by the first N pictures of each test set alone; 0: by all, of which photographs take their time "
        "(%(default)s)",
    )


def config_of(args: argparse.Namespace) -> Config:
    return dataclasses.replace(Config(), seed=args.seed, steps=args.steps)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.retrain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own_alphabet.add_options(parser)
    add_options(parser)
    parser.add_argument("--output", type=Path, help="where everything is written (runs/ALPHABET-retrained)")
    parser.add_argument("--install", action="store_true", help="serve what comes out, if nothing speaks against it")
    return parser


def main() -> None:
    usage = parser()
    args = usage.parse_args()
    try:
        alphabet = own_alphabet.chosen(args, args.alphabet)
    except ValueError as error:
        usage.error(str(error))
    args.output = args.output or Path("runs") / f"{args.alphabet}-retrained"
    args.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        accepted = retrain(args, alphabet, config_of(args))
    except (TooFew, BrokenExport, ApiError, UnusableModel) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted. Nothing was installed.")
    if not accepted:
        sys.exit("The retrained model does not take the place of the one that is served.")


if __name__ == "__main__":
    main()
