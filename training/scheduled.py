"""Retrain what a bucket has served, unattended: `python -m training.scheduled --bucket s3://NAME --samples URL`.

Goes on from the model that is served by all who look there, learns from the samples, and keeps what comes out beside
it, with what speaks against it. It has nothing served: `python -m app.models use VERSION` does. Start it as often as
you like: one runs at a time; where nothing is new it says so and ends; what an interrupted one has learned lies in the
bucket, and the next goes on from there. No sample is ever left there.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

import torch

from app import settings
from app.client.errors import ApiError
from app.models.bucket import Bucket, BucketError, bucket_at, look_up
from app.models.releases import MODEL_BYTES, Releases, current, download
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from app.samples.export import BrokenExport
from training import alphabets, package, retrain
from training.alphabets import Alphabet
from training.fine_tuning import Config
from training.lock import Held, alone
from training.progress import console
from training.retrain import TooFew

SECONDS_TO_END = 5
"""After which it is told to end once more."""


def champion(bucket: Bucket, alphabet: str, folder: Path) -> Path:
    """The model file of what is served, in a new folder; of what came with this program, where nothing else is."""
    found = current(bucket)
    assert found is not None
    states, _ = found
    if alphabet not in states or not (release := states[alphabet].release):
        return package.installed(alphabet) / MODEL_FILE
    download(bucket, release, folder)
    return folder / MODEL_FILE


def checkpoint(alphabet: str) -> str:
    """The key of what has been learned and is not judged yet."""
    return f"training/{alphabet}.onnx"


def scheduled(args: argparse.Namespace, alphabet: Alphabet, config: Config, bucket: Bucket) -> None:
    """Raises TooFew, BrokenExport, ApiError, UnusableModel, BucketError."""
    champion_file = champion(bucket, alphabet.name, args.output / "champion" / alphabet.name)
    releases = Releases(bucket, alphabet.name, beside=champion_file.parent)
    manifest, samples = retrain.samples_of(args.samples)
    parent = Recognizer(champion_file).record.version
    for name in releases.kept:
        told = releases.record(name)
        if told.get("parents") == [parent] and told.get("samples", {}).get("version") == manifest["version"]:
            console.print(f"Nothing is new: {name} has learned from {parent} and the samples {manifest['version']}.")
            return
    args.output = args.output / "challenger"
    args.output.mkdir()
    left = look_up(bucket, checkpoint(alphabet.name), MODEL_BYTES)
    if left:
        (args.output / MODEL_FILE).write_bytes(left.data)

    def learned(model_file: Path) -> None:
        bucket.put(checkpoint(alphabet.name), model_file.read_bytes(), left.etag if left else None)

    found = retrain.challenged(champion_file, manifest, samples, args, alphabet, config, learned)
    name = releases.put_aside(args.output)
    console.print(
        f"{name} is kept aside." if found.objections else f"{name} is kept: python -m app.models use {name} serves it."
    )


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.scheduled", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--alphabet", choices=alphabets.NAMES, default="digits", help="(%(default)s)")
    retrain.add_options(parser)
    add(
        "--bucket",
        default=settings.load().models_bucket,
        metavar="ADDRESS",
        help="s3://NAME, or a folder (DIGITS_MODELS_BUCKET, now: %(default)s)",
    )
    add("--minutes", type=int, default=180, metavar="N", help="end after so many, unfinished (%(default)s)")
    return parser


def ended(_signum: int, _frame: FrameType | None) -> NoReturn:
    """As by an error, so that the lock is freed; at once, whatever the processes of a pool have still to do.

    And once more after some seconds: in a callback, such as an object's end, Python drops what is raised.
    """
    signal.alarm(SECONDS_TO_END)
    for process in multiprocessing.active_children():
        process.kill()
    sys.exit("It was told to end, or its time is over. What it has learned is kept; start it again to go on.")


def main() -> None:
    usage = parser()
    args = usage.parse_args()
    if not args.bucket:
        usage.error("--bucket, or DIGITS_MODELS_BUCKET, is needed: where the models lie that are served")
    if args.minutes < 1:
        usage.error("--minutes: at least 1")
    torch.set_num_threads(os.cpu_count() or 1)
    signal.signal(signal.SIGALRM, ended)
    signal.signal(signal.SIGTERM, ended)
    signal.alarm(60 * args.minutes)
    bucket = bucket_at(args.bucket)
    try:
        with alone(bucket, timedelta(minutes=args.minutes)), tempfile.TemporaryDirectory() as folder:
            args.output = Path(folder)
            scheduled(args, alphabets.named(args.alphabet), retrain.config_of(args), bucket)
    except (Held, TooFew) as nothing_to_do:
        console.print(str(nothing_to_do))
    except (BrokenExport, ApiError, UnusableModel, BucketError) as error:
        sys.exit(str(error))
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    main()
