"""How good a model is on a set too small to spare a part of it: `python -m training.cross_validation --data DIR`.

Trains a network for each fold, without that part of the pictures, and asks it about them: each picture is judged once,
by a network that has never seen it. What they come to stands for the network that learns from all, which has more to
learn from. The same command goes on where it was interrupted.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from app.reading.recognizer import MODEL_FILE, Recognizer
from training import alphabets, recipe
from training.answers import Answers, ask
from training.evaluate import accuracies_of, table_of
from training.package import installed, keep_figures
from training.progress import console


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.cross_validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folded = [name for name in alphabets.NAMES if alphabets.named(name).folds]
    add = parser.add_argument
    add("--alphabet", choices=folded, default=folded[0], help="(%(default)s)")
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--runs", type=Path, default=Path("runs"), help="where each training has a folder (%(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="train this many networks side by side (%(default)s)")
    add("--epochs", type=int, metavar="N", help="of each training (train_model.py's own)")
    add("--write", action="store_true", help="write the figures into the record of the served model")
    return parser.parse_args()


def steps(args: argparse.Namespace) -> list[recipe.Step]:
    options = ["--alphabet", args.alphabet, "--no-track", *(["--epochs", str(args.epochs)] if args.epochs else [])]
    return [
        recipe.training(args.data, args.runs / f"{args.alphabet}-fold-{fold}", *options, "--fold", str(fold))
        for fold in range(1, alphabets.named(args.alphabet).folds + 1)
    ]


def judged(args: argparse.Namespace, trained: list[recipe.Step]) -> dict[str, Answers]:
    """What each fold's network says of the pictures that it has not seen, put together."""
    answers: dict[str, list[Answers]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for fold, step in enumerate(trained, 1):
            recognizer = Recognizer(step.output / MODEL_FILE, threads=os.cpu_count() or 1)
            for one in alphabets.named(args.alphabet, fold).load_evaluation(args.data):
                answers.setdefault(one.name, []).append(ask(recognizer, one, pool))
    return {f"{name}, {len(trained)} folds": Answers.joined(parts) for name, parts in answers.items()}


def main() -> None:
    args = arguments()
    trained = steps(args)
    recipe.carry_out(([step for step in trained if not step.weights.is_file()], args.jobs))
    figures = accuracies_of(judged(args, trained))
    console.print(table_of(figures, alphabets.named(args.alphabet).targets))
    if args.write:
        keep_figures(installed(args.alphabet) / MODEL_FILE, figures)


if __name__ == "__main__":
    main()
