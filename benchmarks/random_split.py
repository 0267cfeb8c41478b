"""What a random split flatters: Chinese numerals, `python -m benchmarks.random_split --data DIR [--epochs 24]`.

Trains the same network twice on as many pictures: once nobody has written for both training and test, once pictures are
dealt out at random, as figures for this set mostly are made. Prints both test accuracies.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from train_model import Config, Training, fit, print_epoch, print_heading
from training import metrics
from training.alphabets import chinese
from training.alphabets.chinese import Written
from training.devices import Device
from training.networks import logits_of
from training.progress import console


def at_random(folder: Path) -> Written:
    """All pictures, each said to be of somebody else: a split by writer then is one by chance."""
    written = chinese.read(folder)
    return replace(written, writers=np.random.default_rng(0).permutation(written.writers))


def accuracy(folder: Path, config: Config, everything: Callable[[Path], Written]) -> str:
    data = chinese.load_training(folder, config, None, everything)
    training = Training(config, chinese.ALPHABET, Device.choose("auto"), data)
    print_heading(data.validation)
    fit(training, data, print_epoch)
    test = chinese.load_test(folder, everything)
    right = logits_of(training.average, test.glyphs).argmax(axis=1) == test.labels.numpy()
    share = metrics.share(right)
    return f"{share['accuracy']:.2%} ({100 * share['low']:.2f} to {share['high']:.2%}), {len(right)} pictures"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--epochs", type=int, default=Config.epochs, help="of each training (%(default)s)")
    args = parser.parse_args()
    config = Config(alphabet="chinese", epochs=args.epochs)
    for split, everything in (("by writer", chinese.read), ("at random", at_random)):
        console.print(f"{split}: {accuracy(args.data, config, everything)}")


if __name__ == "__main__":
    main()
