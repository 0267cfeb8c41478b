"""Whether a retrained model takes the place of the one that is served: both are asked about the very same pictures.

Of each set it counts which of the two alone is right, and asks how likely such counts are if neither is better (McNemar
1947, exact). The challenger has to be better on the samples that were held out, and worse on no other set than chance
explains, for as many sets as there are (Holm 1979).

`training.gate` judges models that were trained from the start, by their records alone: where they are trained, what the
live model answers to each picture is not at hand.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rich.table import Table
from scipy.stats import binomtest

from app.drift import Reference
from app.reading.glyphs import Glyph
from app.reading.lines import Page
from app.reading.reader import LineReader
from app.reading.recognizer import Recognizer
from app.samples.sample import Sample
from training import corrections, metrics
from training.alphabets import Alphabet
from training.answers import Answers
from training.datasets import NO_CHARACTER
from training.evaluation_sets import EvaluationSet, glyph_of_file
from training.line_sets import Numbers
from training.lines import page_of
from training.progress import track
from training.reference import reference_of, set_for

Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]

SIGNIFICANT: Final = 0.05
"""Less likely is not by chance."""

SAMPLES: Final = "held-out samples"


@dataclass(frozen=True)
class Contest:
    """What two models made of one set."""

    name: str
    champion: Bools
    """(n,), whether the one that is served is right,"""
    challenger: Bools
    """and the one that is to take its place."""

    @property
    def gained(self) -> int:
        return int((self.challenger & ~self.champion).sum())

    @property
    def lost(self) -> int:
        return int((self.champion & ~self.challenger).sum())

    @property
    def better_by_chance(self) -> float:
        """How likely so many or more of the pictures on which they differ are the challenger's, were they alike."""
        return _at_least(self.gained, self.gained + self.lost)

    @property
    def worse_by_chance(self) -> float:
        return _at_least(self.lost, self.gained + self.lost)


def _at_least(count: int, of: int) -> float:
    return float(binomtest(count, of, alternative="greater").pvalue) if of else 1.0


def holm(chances: Sequence[float]) -> list[float]:
    """Each one's, as if it were the only one that was asked for."""
    order = np.argsort(chances, kind="stable")
    adjusted = np.zeros(len(chances))
    most = 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, (len(chances) - rank) * chances[place]))
        adjusted[place] = most
    return adjusted.tolist()


@dataclass(frozen=True)
class Verdict:
    samples: Contest
    sets: list[Contest]
    reference: Reference | None = None
    """What later answers of the challenger are held against."""

    @property
    def worse(self) -> list[float]:
        """Of each set, how likely it is by chance that the challenger is so much worse, for as many sets."""
        return holm([contest.worse_by_chance for contest in self.sets])

    @property
    def objections(self) -> list[str]:
        """What speaks against the challenger; nothing if it may serve."""
        found = []
        if self.samples.better_by_chance >= SIGNIFICANT:
            found.append(
                f"not better on {SAMPLES} beyond chance: of {len(self.samples.champion)}, it alone is right on "
                f"{self.samples.gained}, the served one alone on {self.samples.lost}"
            )
        for contest, chance in zip(self.sets, self.worse, strict=True):
            if chance < SIGNIFICANT:
                found.append(f"worse on {contest.name}: {contest.lost} lost, {contest.gained} gained")
        return found

    def told(self) -> dict[str, Any]:
        """For the model's record."""
        rows = [(self.samples, self.samples.better_by_chance), *zip(self.sets, self.worse, strict=True)]
        return {
            "objections": self.objections,
            "sets": {
                contest.name: {
                    "count": len(contest.champion),
                    "champion": float(contest.champion.mean()) if len(contest.champion) else None,
                    "challenger": float(contest.challenger.mean()) if len(contest.challenger) else None,
                    "gained": contest.gained,
                    "lost": contest.lost,
                    "better_by_chance" if contest is self.samples else "worse_by_chance": chance,
                }
                for contest, chance in rows
            },
        }

    def figures(self) -> dict[str, Any]:
        """The challenger's accuracy on each set that is no samples, as records keep it."""
        return {
            contest.name: metrics.share(contest.challenger) for contest in self.sets if contest.name != "no character"
        }

    def table(self) -> Table:
        table = Table("set", "pictures", "served %", "new %", "gained", "lost", "by chance", box=None)
        for column in table.columns[1:]:
            column.justify = "right"
        better = self.samples.better_by_chance < SIGNIFICANT
        table.add_row(
            *_cells(self.samples), f"better: {self.samples.better_by_chance:.3f}", style="green" if better else "red"
        )
        for contest, chance in zip(self.sets, self.worse, strict=True):
            table.add_row(*_cells(contest), f"worse: {chance:.3f}", style="red" if chance < SIGNIFICANT else None)
        return table


def _cells(contest: Contest) -> Iterator[str]:
    yield contest.name
    yield str(len(contest.champion))
    for right in (contest.champion, contest.challenger):
        yield f"{100 * right.mean():.2f}" if len(right) else ""
    yield f"+{contest.gained}"
    yield f"-{contest.lost}"


def right_of(answers: Answers, sure_from: float) -> Bools:
    """(n,), whether each is read right; what is no character is, where nothing sure is said of it."""
    return np.where(answers.labels == NO_CHARACTER, answers.confidence < sure_from, answers.right)


def judged(
    champion: Recognizer,
    challenger: Recognizer,
    alphabet: Alphabet,
    sets: Sequence[EvaluationSet],
    held_out: Sequence[Sample],
    pool: ProcessPoolExecutor,
) -> Verdict:
    """Ask both models about all sets and samples. Pictures are read once: both see the same glyphs."""

    def contest(name: str, labels: Labels, glyphs: Sequence[Glyph | None]) -> tuple[Contest, Answers]:
        """And what the challenger answers."""
        both = [Answers.of(one, labels, glyphs) for one in (champion, challenger)]
        sure_from = champion.record.sure_from, challenger.record.sure_from
        return Contest(name, *map(right_of, both, sure_from)), both[1]

    cleaning = challenger.record.cleaning
    like_visitors = set_for([one.name for one in sets], alphabet.test_name)
    contests, reference = list[Contest](), None
    for one in sets:
        count = len(one.labels)
        work = pool.map(partial(glyph_of_file, one.file, cleaning), range(count), chunksize=max(8, count // 32))
        held, answers = contest(one.name, one.labels, list(track(work, one.name, count)))
        contests.append(held)
        if one.name == like_visitors:
            reference = reference_of(answers.probabilities, challenger.labels, one.name)
    labels, glyphs = corrections.labels_of(held_out, alphabet), corrections.read(held_out, cleaning, pool)
    return Verdict(contest(SAMPLES, labels, glyphs)[0], contests, reference)


def numbers_judged(
    champion: Recognizer, challenger: Recognizer, lines: Path, numbers: Numbers, count: int, pool: ProcessPoolExecutor
) -> Contest:
    """The same of whole numbers, each with the reader of lines that is there; right if every character is."""
    readers = [LineReader(one, lines, threads=os.cpu_count() or 1) for one in (champion, challenger)]
    asked = list(track(pool.map(partial(page_of, numbers), range(count), chunksize=8), numbers.name, count))
    rights = [np.array([_reads(reader, page) == text for text, page in asked]) for reader in readers]
    return Contest(numbers.name, *rights)


def _reads(reader: LineReader, page: Page | None) -> str | None:
    return reader.read([page])[0].text if page else None
