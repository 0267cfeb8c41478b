"""The pictures of a training run and of an evaluation."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no screen needed

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from app.ui import fonts

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

fontManager.addfont(fonts.FILE)
plt.rcParams["font.family"] = ["DejaVu Sans", fonts.FAMILY]  # the second for what the first lacks
plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 110})


def save(figure: Any, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    return file


def curves(history: list[dict[str, float]], file: Path) -> Path:
    """Loss, and validation error on a logarithmic scale, by epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], color="#2563eb")
    left.set(title="training loss", xlabel="epoch")
    for key in sorted({key for row in history for key in row if key.startswith("accuracy")}):
        rows = [row for row in history if key in row]
        right.plot(
            [row["epoch"] for row in rows],
            [max(100 * (1 - row[key]), 0.01) for row in rows],
            label=key.removeprefix("accuracy "),
        )
    right.set(title="validation error, %", xlabel="epoch", yscale="log")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    right.yaxis.set_minor_formatter(NullFormatter())
    if right.lines:
        right.legend(frameon=False)
    return save(figure, file)


def confusion(probabilities: Floats, labels: Labels, names: list[str], file: Path) -> Path:
    """Counts of each label by each answer; mistakes in red, right answers in grey."""
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    size = max(4.5, 0.45 * len(names))
    figure, axes = plt.subplots(figsize=(size, size))
    mistakes = counts * (1 - np.eye(len(names), dtype=int))
    axes.imshow(mistakes, cmap="Reds", vmax=max(1, mistakes.max()))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = row != column and count > 0.6 * mistakes.max()
            colour = "white" if dark else "#9ca3af" if row == column else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xlabel="answer", ylabel="label", xticks=range(len(names)), yticks=range(len(names)))
    axes.set_xticklabels(names)
    axes.set_yticklabels(names)
    axes.spines[:].set_visible(False)
    return save(figure, file)


def sheet(
    glyphs: Floats, probabilities: Floats, labels: Labels, names: list[str], file: Path, columns: int = 10
) -> Path:
    """Glyphs with the answer and its confidence, wrong ones in red with the label. At most 60 are drawn."""
    shown = min(len(glyphs), 60)
    rows = max(1, -(-shown // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(columns * 0.95, rows * 1.25), squeeze=False)
    for i, cell in enumerate(axes.flat):
        cell.axis("off")
        if i < shown:
            answer = int(probabilities[i].argmax())
            wrong = answer != labels[i]
            text = f"{names[answer]}  {100 * probabilities[i].max():.0f}%"
            cell.imshow(1 - glyphs[i].reshape(28, 28), cmap="gray", vmin=0, vmax=1)
            cell.set_title(
                f"{text}\nis {names[labels[i]]}" if wrong else text, fontsize=7, color="#dc2626" if wrong else "black"
            )
    return save(figure, file)


def worst(glyphs: Floats, probabilities: Floats, labels: Labels, names: list[str], file: Path) -> Path:
    """The pictures whose label got the least probability, worst first."""
    order = np.argsort(probabilities[np.arange(len(labels)), labels])[:60]
    wrong = order[probabilities[order].argmax(axis=1) != labels[order]]
    chosen = wrong if len(wrong) else order[:10]
    return sheet(glyphs[chosen], probabilities[chosen], labels[chosen], names, file)


def texts(rows: list[tuple[str, list[tuple[Any, str, str]]]], columns: int, file: Path) -> Path:
    """Pictures of writing, a row for each set: what was read in red, and below it what stands there."""
    figure, axes = plt.subplots(max(1, len(rows)), columns, figsize=(columns * 2.0, len(rows) * 1.35), squeeze=False)
    for cell in axes.flat:
        cell.axis("off")
    for cells, (name, shown) in zip(axes, rows, strict=False):
        cells[0].text(-0.05, 0.5, name, transform=cells[0].transAxes, ha="right", va="center", fontsize=8, wrap=True)
        for cell, (picture, read, expected) in zip(cells, shown, strict=False):
            cell.imshow(picture)
            said = read.replace("\n", " / ") or "nothing"
            cell.set_title(f"{said}\nis {expected.replace(chr(10), ' / ')}", fontsize=7, color="#dc2626")
    return save(figure, file)


def reliability(probabilities: Floats, labels: Labels, file: Path, bins: int = 15) -> Path:
    """How often answers of each confidence are right, and how many there are."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    filled = [b for b in range(bins) if (index == b).any()]
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(4.5, 5), sharex=True, gridspec_kw={"height_ratios": [3, 1]}, layout="constrained"
    )
    top.plot([0, 1], [0, 1], color="#9ca3af", linestyle=":")
    top.plot([confidence[index == b].mean() for b in filled], [right[index == b].mean() for b in filled], "o-")
    top.set(ylabel="share right", title="reliability")
    bottom.bar([(b + 0.5) / bins for b in filled], [int((index == b).sum()) for b in filled], width=0.9 / bins)
    bottom.set(xlabel="confidence", ylabel="pictures", yscale="log", xlim=(0, 1))
    return save(figure, file)


def sweep(results: dict[str, tuple[list[float], list[float], list[float]]], file: Path) -> Path:
    """Accuracy against one quantity each: name -> values, shares right, half widths of the 95% intervals."""
    figure, axes = plt.subplots(1, len(results), figsize=(3.6 * len(results), 3), sharey=True, layout="constrained")
    for cell, (name, (values, shares, halves)) in zip(np.atleast_1d(axes), results.items(), strict=True):
        cell.errorbar(values, [100 * s for s in shares], [100 * h for h in halves], marker="o", capsize=2)
        cell.set(xlabel=name, ylim=(min(85, 100 * min(shares) - 2), 100.3))
        cell.grid(axis="y", alpha=0.3)
    np.atleast_1d(axes)[0].set_ylabel("right, %")
    return save(figure, file)
