"""Judge a model by everything it is meant to be good at: `python -m training.evaluate --data DIR`.

Prints one table, writes its figures into the model's record and draws pictures of where the model fails. Each
picture is encoded to a file first and read back by the code that serves requests; with `--api URL`, by a running API.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from app.reading.recognizer import MODEL_FILE, ModelRecord, Recognizer, UnusableModel
from training import line_report, metrics, own_alphabet, pictures, reading_report, remote, sweeps
from training.alphabets import Alphabet
from training.answers import Answers, ask, ask_api
from training.datasets import NO_CHARACTER
from training.evaluation_sets import EvaluationSet
from training.package import installed, keep_figures
from training.progress import console
from training.reference import reference_of, set_for


def accuracies_of(answers: dict[str, Answers]) -> dict[str, Any]:
    """The share that is right of each set of characters, and of its cases, if some can be told."""
    figures: dict[str, Any] = {}
    for name, given in answers.items():
        if (given.labels != NO_CHARACTER).all():
            figures[name] = metrics.share(given.right)
            if len(cases := given.case_right):
                figures[f"{name}, case"] = metrics.share(cases)
    return figures


def figures_of(answers: dict[str, Answers], sure_from: float, test_name: str) -> dict[str, Any]:
    """Everything the record keeps, by name of the set; confidence is judged by the usual test set."""
    figures = accuracies_of(answers)
    corrupted = [value for name, value in figures.items() if name.startswith("MNIST-C ")]
    if len(corrupted) > 1:
        mean = float(np.mean([value["accuracy"] for value in corrupted]))
        count = sum(value["count"] for value in corrupted)
        low, high = metrics.wilson(round(mean * count), count)
        figures["MNIST-C mean"] = {"accuracy": mean, "count": count, "low": low, "high": high}
        figures["MNIST-C mean"]["what"] = f"MNIST's test set with {len(corrupted)} corruptions"
    if (clean := answers.get(test_name)) is not None:
        figures["calibration"] = {
            "expected_calibration_error": metrics.calibration_error(clean.probabilities, clean.labels),
            "count": len(clean.labels),
            "what": "how far confidence is from the share that is right, on the usual test set",
        }
        if (none := answers.get("no character")) is not None:
            figures["out-of-distribution"] = {
                "what": "telling what is no character from characters, by confidence",
                "roc_area": metrics.roc_area(clean.confidence, none.confidence),
                "flagged": float((none.confidence < sure_from).mean()),
                "characters_flagged": float((clean.confidence < sure_from).mean()),
                "count": len(none.labels),
            }
    return figures


def spread(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation, over runs with different seeds, of each set's accuracy that all runs have."""
    result = {}
    for name in (name for name in runs[0] if all("accuracy" in run.get(name, {}) for run in runs)):
        values = [run[name]["accuracy"] for run in runs]
        result[name] = {"mean": float(np.mean(values)), "deviation": float(np.std(values, ddof=1)), "values": values}
    return result


def table_of(figures: dict[str, Any], targets: dict[str, float]) -> Table:
    table = Table("set", "pictures", "right %", "95% interval", "over seeds %", "target %", box=None)
    seeds = figures.get("seeds", {})
    for column in table.columns[1:]:
        column.justify = "right"
    for name, value in figures.items():
        if "accuracy" in value:
            target = targets.get(name)
            over = seeds.get(name)
            style = None if target is None else "green" if value["accuracy"] >= target else "yellow"
            table.add_row(
                name,
                str(value["count"]),
                f"{100 * value['accuracy']:.2f}",
                f"{100 * value['low']:.2f} - {100 * value['high']:.2f}",
                "" if over is None else f"{100 * over['mean']:.2f} ± {100 * over['deviation']:.2f}",
                "" if target is None else f"{100 * target:.2f}",
                style=style,
            )
    return table


def report(figures: dict[str, Any], alphabet: Alphabet) -> None:
    console.print(table_of(figures, alphabet.targets))
    if "calibration" in figures:
        error = 100 * figures["calibration"]["expected_calibration_error"]
        console.print(f"expected calibration error on {alphabet.test_name}, 15 bins: {error:.2f}% (target 0.50%)")
    if "out-of-distribution" in figures:
        value = figures["out-of-distribution"]
        console.print(
            f"no character against characters: area under the ROC {value['roc_area']:.4f} (target 0.97); "
            f"{100 * value['flagged']:.1f}% of what is no character is called not sure (target 80%), "
            f"and {100 * value['characters_flagged']:.1f}% of {alphabet.test_name} (at most 2%)"
        )


def draw(answers: dict[str, Answers], names: list[str], test_name: str, folder: Path) -> None:
    if (given := answers.get("drawings")) is not None:
        pictures.confusion(given.probabilities, given.labels, names, folder / "confusion-drawings.png")
        pictures.worst(given.glyphs, given.probabilities, given.labels, names, folder / "worst-drawings.png")
    if (clean := answers.get(test_name)) is not None:
        pictures.reliability(clean.probabilities, clean.labels, folder / "reliability.png")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    add = parser.add_argument
    own_alphabet.add_options(parser)
    add("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    add("--model", type=Path, help="the model file (the alphabet's, as installed)")
    add("--seeds", type=Path, nargs="+", metavar="FILE", help="models of other seeds, for a mean and a spread")
    add("--api", metavar="URL", help="ask the API that runs there and serves this model, such as http://localhost:8000")
    add("--only", metavar="TEXT", help="only the sets whose name contains this, such as MNIST-C or drawings")
    add("--count", type=int, metavar="N", help="only the first N pictures of each set")
    add("--output", type=Path, help="where pictures of the figures are drawn (beside the model)")
    add(
        "--write",
        action="store_true",
        help="write the figures into the model file and its record, and what later answers are held against",
    )
    reading = parser.add_argument_group("--reading: judge a change of the code that finds the ink")
    add = reading.add_argument
    add("--reading", action="store_true", help="score all that is hard to read, and binarisation as a baseline")
    add("--real", type=Path, nargs="+", default=[], metavar="ZIP", help="archives of real pictures to score, too")
    add("--save", type=Path, metavar="FILE", help="keep every picture's outcome in this file")
    add("--against", type=Path, metavar="FILE", help="compare with the outcomes that were kept before a change")
    add = parser.add_argument_group("--lines: judge how whole numbers are read").add_argument
    add("--lines", action="store_true", help="read numbers put together of digits by people and from sets never seen")
    args = parser.parse_args()
    args.model = args.model or installed(args.alphabet) / MODEL_FILE
    if not args.reading and (args.real or args.save or args.against):
        parser.error("--real, --save and --against need --reading")
    for file in [*args.real, *([args.against] if args.against else [])]:
        if not file.is_file():
            parser.error(f"there is no file {file}")
    return args


def alphabet_of(record: ModelRecord, args: argparse.Namespace) -> Alphabet:
    """What a model has learned, and has to be judged by; ends the program where the options say something else."""
    try:
        alphabet = own_alphabet.chosen(args, record.alphabet, fold=record.model_dump().get("config", {}).get("fold", 0))
    except ValueError as error:
        sys.exit(f"The model is of the alphabet {record.alphabet}: {error}.")
    if list(alphabet.labels) != record.labels:
        told, there = ", ".join(record.labels), ", ".join(alphabet.labels)
        sys.exit(f"The model tells {told} apart, and the pictures are of {there}: it can be judged by its own alone.")
    return alphabet


def main() -> None:
    args = arguments()
    recognizer = Recognizer(args.model, threads=os.cpu_count() or 1)
    alphabet = alphabet_of(recognizer.record, args)
    drawn = args.output or args.model.parent / "pictures"
    if args.reading:
        reading_report.run(recognizer, args)
        return
    if args.lines:
        line_report.run(recognizer, args)
        return
    all_sets = alphabet.load_evaluation(args.data)
    sets = [one.first(args.count) for one in all_sets if not args.only or args.only in one.name]
    how: Callable[[EvaluationSet, ProcessPoolExecutor], Answers] = partial(ask, recognizer)
    if args.api:
        remote.check(args.api, recognizer.record)
        how = partial(ask_api, args.api, recognizer.record)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        answers = {one.name: how(one, pool) for one in sets}
    figures = figures_of(answers, recognizer.record.sure_from, alphabet.test_name)
    for one in sets:
        if one.what and one.name in figures:
            figures[one.name]["what"] = one.what
    if args.seeds:
        others = [Recognizer(file, threads=os.cpu_count() or 1) for file in args.seeds]
        runs = []
        for other in others:
            same = {name: given.by(other) for name, given in answers.items()}
            runs.append(figures_of(same, other.record.sure_from, alphabet.test_name))
        figures["seeds"] = spread([figures, *runs])
    report(figures, alphabet)
    if not args.only and not args.count:
        draw(answers, recognizer.labels, alphabet.test_name, drawn)
        if alphabet.load_strokes and (strokes := alphabet.load_strokes(args.data)):
            sweeps.draw_all(recognizer, strokes, drawn)
    if args.write:
        reference = None
        if (given := answers.get(name := set_for([one.name for one in all_sets], alphabet.test_name))) is not None:
            reference = reference_of(given.probabilities, recognizer.labels, name)
        keep_figures(args.model, figures, reference)


if __name__ == "__main__":
    try:
        main()
    except (remote.NoAnswer, UnusableModel) as error:
        sys.exit(str(error))
