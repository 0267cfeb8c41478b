"""Does a change of the code that finds the ink do good? `python -m training.evaluate --reading`, before and after it.

Each set is one thing that makes reading hard. What is counted beside right answers is what harms most, a wrong answer
that is sure, and what was refused as blank.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.table import Table

from app.reading.recognizer import Recognizer
from training import reading_sets
from training.answers import Answers, ask
from training.datasets import NO_CHARACTER
from training.evaluation_sets import of_digits
from training.progress import console

PICTURES = 500
"""Of each set, unless `--count` says otherwise; of real pictures, all."""

REFUSED = "-"


@dataclass(frozen=True)
class Outcomes:
    """Of one set, by picture: what was right to answer, what was answered (`REFUSED`: nothing), and whether surely.

    Where there is no character, it is right to refuse or not to be sure.
    """

    expected: list[str]
    answered: list[str]
    sure: list[bool]

    @classmethod
    def of(cls, given: Answers, labels: list[str], sure_from: float) -> "Outcomes":
        best = given.probabilities.argmax(axis=1).tolist()
        read = (given.probabilities.max(axis=1) > 0).tolist()
        return cls(
            [REFUSED if label == NO_CHARACTER else labels[label] for label in given.labels],
            [labels[answer] if known else REFUSED for answer, known in zip(best, read, strict=True)],
            (given.confidence >= sure_from).tolist(),
        )

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        rows = zip(self.expected, self.answered, self.sure, strict=True)
        return np.array([said == label or (label == REFUSED and not sure) for label, said, sure in rows])

    @property
    def sure_and_wrong(self) -> npt.NDArray[np.bool_]:
        return ~self.right & np.array(self.sure)

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        return np.array([said == REFUSED for said in self.answered])


def run(recognizer: Recognizer, args: argparse.Namespace) -> None:
    """Score everything, as `training.evaluate` was asked to."""
    count = args.count or PICTURES
    sets = [one.first(count) for one in (*of_digits(args.data), *reading_sets.made(args.data))]
    sets += [one.first(args.count) for one in reading_sets.real(args.real)]
    found = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for one in sets:
            if not args.only or args.only in one.name:
                given = ask(recognizer, one, pool)
                found[one.name] = Outcomes.of(given, recognizer.labels, recognizer.record.sure_from)
    before = {}
    if args.against:
        before = {name: Outcomes(**kept) for name, kept in json.loads(args.against.read_text()).items()}
    console.print(table_of(found, before))
    if args.save:
        args.save.write_text(json.dumps({name: vars(outcomes) for name, outcomes in found.items()}))


def table_of(found: dict[str, Outcomes], before: dict[str, Outcomes]) -> Table:
    """A row for each set; with what was before, how many pictures became right and how many wrong."""
    table = Table("set", "pictures", "right %", "sure and wrong %", "refused %", box=None)
    if before:
        table.add_column("before %")
        table.add_column("now right")
        table.add_column("now wrong")
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for name, now in found.items():
        shares = (now.right.mean(), now.sure_and_wrong.mean(), now.refused.mean())
        cells = [str(len(now.expected)), *(f"{100 * share:.2f}" for share in shares)]
        style = None
        then = before.get(name)
        if then is not None and then.expected == now.expected:
            gained, lost = int((now.right & ~then.right).sum()), int((then.right & ~now.right).sum())
            cells += [f"{100 * then.right.mean():.2f}", str(gained), str(lost)]
            style = "green" if gained > lost else "yellow" if lost > gained else None
        table.add_row(name, *cells, style=style)
    return table
