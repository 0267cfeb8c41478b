"""What corrections are worth: `python -m benchmarks.corrections --data DIR`.

Simulated people write sevens with a hook and zeros with a slash, which the served model often takes for something else.
They send their drawings to a real API, and say of each what it is. The model learns from some of these samples, the
most doubtful first or in random order, and is asked about drawings of the same style by other people, and about MNIST's
test set. How it learns was chosen by neither, but by MNIST digits held out of training and by a third group of people.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.client.client import Client
from app.client.models import Answer
from app.reading.recognizer import MODEL_FILE, Recognizer
from app.samples.sample import Sample
from benchmarks.hooked import SEVEN, ZERO, Hand, drawing
from benchmarks.processes import running
from training import alphabets, corrections, metrics, package, retrain
from training.datasets import GlyphSet
from training.devices import Device
from training.evaluation_sets import png
from training.fine_tuning import Config, fine_tuned
from training.progress import console, track
from training.weights import network_of

HERE = Path(__file__).parent
PICTURE = HERE.parent / "images" / "corrections.png"

PORT: Final = 8031
KEY: Final = "a-benchmarks-admin"

WRITERS, STRANGERS = range(20), range(200, 240)
"""Those who correct, and those by whose drawings the model is judged. How to learn was chosen by those
from 100 to 139.
"""

EACH, OF_STRANGERS = 20, 10
"""Drawings of each of them."""

COUNTS: Final = (10, 30, 100)

WRONG: Final = 10
"""Of the most corrections, in one more trial."""

MISTAKEN: Final = {"7": "2", "0": "8"}
"""What somebody says by mistake."""

DOUBTFUL, RANDOM, MISLED = "most doubtful first", "in random order", f"random, {WRONG} of them wrong"


def drawings(people: Sequence[int], each: int) -> list[tuple[int, str, bytes]]:
    """Person, label and file; sevens and zeros in turn."""
    tasks = [(person, (SEVEN, ZERO)[number % 2], 1000 * person + number) for person in people for number in range(each)]
    return [(person, str(label), png(drawing(Hand.of(person), label, seed))) for person, label, seed in tasks]


@contextmanager
def api(folder: Path) -> Iterator[str]:
    """The address of one that keeps samples in a folder."""
    told = {"API_PORT": str(PORT), "SAMPLES_DATABASE": str(folder / "samples.sqlite3"), "ADMIN_KEYS": KEY}
    environment = {f"DIGITS_{name}": value for name, value in (told | {"RATE_PER_ADDRESS": "0"}).items()}
    with running([sys.executable, "-m", "app.api"], environment):
        address = f"http://127.0.0.1:{PORT}"
        with Client(address) as client:
            while not client.is_ready():
                time.sleep(0.2)
        yield address


def sent(address: str) -> list[Sample]:
    """What the API has kept after everybody has drawn, seen the answer, and said what it really is."""
    everything = drawings(WRITERS, EACH)
    clients = {person: Client(address, visitor=f"simulated-person-{person:03}") for person in WRITERS}
    for person, label, picture in track(everything, "drawing", len(everything)):
        answer = clients[person].predict(picture)
        assert isinstance(answer, Answer)
        known = {"answer": answer.label, "model": answer.model.version}
        clients[person].sample(picture, label=label, source="canvas", confidence=answer.confidence, **known)
    with Client(address, KEY) as admin:
        return list(admin.export())


def trials(samples: list[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """In which order, and the samples that are learned from."""
    doubtful = sorted(samples, key=lambda one: one.confidence or 0.0)
    shuffled = [samples[place] for place in np.random.default_rng(0).permutation(len(samples))]
    for count in COUNTS:
        yield DOUBTFUL, doubtful[:count]
        yield RANDOM, shuffled[:count]
    wrong = [dataclasses.replace(one, label=MISTAKEN[one.label or ""]) for one in shuffled[:WRONG]]
    yield MISLED, [*wrong, *shuffled[WRONG : COUNTS[-1]]]


def measured(recognizer: Recognizer, style: GlyphSet, mnist: GlyphSet) -> dict[str, Any]:
    def right(part: GlyphSet) -> float:
        return metrics.accuracy(recognizer.probabilities(part.glyphs.numpy()), part.labels.numpy())

    sevens, zeros = style[style.labels == SEVEN], style[style.labels == ZERO]
    return {"style": right(style), "sevens": right(sevens), "zeros": right(zeros), "mnist": right(mnist)}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corrections",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--limit", type=int, default=12_000, help="as training.retrain has it (%(default)s)")
    args = parser.parse_args()
    alphabet, config, where = alphabets.named("digits"), Config(), Device.choose()
    served = package.installed("digits") / MODEL_FILE
    champion = Recognizer(served)
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor() as pool:
        folder = Path(name)
        with api(folder) as address:
            samples = sent(address)
        console.print(f"{len(samples)} samples, {np.mean([one.answer == one.label for one in samples]):.1%} read right")
        strangers = [
            dataclasses.replace(samples[0], label=label, picture=file)
            for _, label, file in drawings(STRANGERS, OF_STRANGERS)
        ]
        style = corrections.corrections(strangers, alphabet, pool).glyphs
        mnist = alphabet.load_test(args.data)
        results = [{"order": "", "corrections": 0, **measured(champion, style, mnist)}]
        console.print(results[-1])
        data = alphabet.load_training(args.data, config, args.limit)
        for order, learned in trials(samples):
            taught = corrections.corrections(learned, alphabet, pool)
            network = fine_tuned(network_of(served), data, taught, config, where)
            file = retrain.written(network, champion, alphabet, data, taught, config, {}, folder)
            found = measured(Recognizer(file), style, mnist)
            results.append({"order": order, "corrections": len(learned), **found})
            console.print(results[-1])
    record = {"results": results, "people": len(WRITERS), "strangers": len(style), "config": dataclasses.asdict(config)}
    record |= {"model": champion.record.version, "device": str(where)}
    (HERE / "corrections.json").write_text(json.dumps(record, indent=2) + "\n")
    (HERE / "corrections.md").write_text(table(record))
    chart(record, PICTURE)
    console.print(table(record))


def table(record: dict[str, Any]) -> str:
    """Markdown; a row for each trial."""
    lines = ["| corrections | order | style right | sevens | zeros | MNIST test |", "|--:|---|--:|--:|--:|--:|"]
    for row in record["results"]:
        shares = " | ".join(f"{100 * row[name]:.2f}%" for name in ("style", "sevens", "zeros", "mnist"))
        lines.append(f"| {row['corrections']} | {row['order']} | {shares} |")
    lines += [
        "",
        f"{record['strangers']} drawings by people of whom nothing was learned; from {record['model']}, on "
        f"{record['device']}, {record['config']['steps']} steps, one seed.",
        "",
    ]
    return "\n".join(lines)


def chart(record: dict[str, Any], file: Path) -> None:
    """What is read right of the style and of MNIST, by the number of corrections."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = record["results"]
    places = {count: place for place, count in enumerate((0, *COUNTS))}
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", width_ratios=(3, 2))
    for axis, name in zip(axes, ("style", "mnist"), strict=True):
        for order, colour, mark in ((RANDOM, "#2563eb", "o-"), (DOUBTFUL, "#d97706", "s-"), (MISLED, "#dc2626", "x")):
            shown = [row for row in rows if row["order"] == order or (not row["order"] and order != MISLED)]
            axis.plot(
                [places[row["corrections"]] for row in shown],
                [100 * row[name] for row in shown],
                mark,
                color=colour,
                label=order,
            )
        axis.set_xticks(range(len(places)), [str(count) for count in places])
        axis.set_xlabel("corrections")
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#e5e7eb")
    before = 100 * rows[0]["mnist"]
    axes[1].axhspan(before - 0.05, before + 0.05, color="#e5e7eb", zorder=0)
    axes[1].set_ylim(before - 0.25, before + 0.15)
    axes[0].set_title("hooked sevens and slashed zeros by strangers, % right", fontsize=11, loc="left")
    axes[1].set_title("MNIST test, % right; grey: 0.05 either way", fontsize=11, loc="left")
    axes[0].legend(frameon=False, loc="lower right")
    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=160)
    plt.close(figure)


if __name__ == "__main__":
    main()
