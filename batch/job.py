"""A folder of shards answered by a Ray cluster: a shard of answers for each, and only those that are not there yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyarrow import compute, parquet

from app.cli import tables
from app.cli.answering import CannotAnswer, Question
from app.cli.local import Local
from app.cli.progress import Progress
from app.cli.run import OtherRun, Outcome
from batch import cluster, shards
from batch.reader import Work
from batch.shards import Label


@dataclass(frozen=True)
class Job:
    """`jobs`: cores that read at once; as many as the cluster has, if not given."""

    source: str
    output: str
    question: Question
    column: str | None = None
    jobs: int | None = None
    quiet: bool = False
    anew: bool = False

    def run(self, outcome: Outcome) -> None:
        """Answer what is not answered yet.

        Raises:
            OtherRun, CannotAnswer, plan.NothingToRead, tables.NoTable, OSError
        """
        sources = shards.sources(self.source)
        shards.refuse_to_read_and_write([self.source], self.output)
        if self.anew:
            shards.remove_all(self.output)
        shards.make_folder(self.output)
        works = self._works(sources)
        there = self._there(works)
        outcome.before = outcome.answered = _rows(there)
        if left := [work for work in works if work.target not in there]:
            try:
                self._answer(left, outcome.before)
            finally:
                there = self._there(works)
                outcome.answered = _rows(there)
        shards.clear_away(self.output)
        for address, label in there.items():
            outcome.broken += label.broken
            if label.broken and outcome.lists_more:
                for row in _broken(address):
                    outcome.list(row["file"], row["error"])

    def _works(self, sources: list[str]) -> list[Work]:
        engine = Local(self.question, 1)
        engine.close()
        asked = {
            "what": self.question.what,
            "alphabet": self.question.alphabet,
            "version": engine.answerer.version,
            "column": self.column,
        }
        rows = shards.at_once(lambda source: tables.rows(source, self.column), sources)
        return [
            Work(
                source,
                shards.beside(self.output, source.rpartition("/")[2]),
                self.column,
                asked | {"source": source, "rows": count},
            )
            for source, count in zip(sources, rows, strict=True)
        ]

    def _there(self, works: list[Work]) -> dict[str, Label]:
        """The shards of answers that are there, by their addresses. Raises OtherRun."""
        asked = {work.target: work.asked for work in works}
        found = [shards.beside(self.output, name) for name in shards.names(self.output)]
        labels = dict(zip(found, shards.labels(found), strict=True))
        there = {target: label for target, label in labels.items() if label and label.asked == asked.get(target)}
        if other := sorted(labels.keys() - there.keys()):
            raise OtherRun(
                f"{other[0]} is of other shards, of another model or of a run that was asked for something else. "
                "To begin anew: --anew"
            )
        return there

    def _answer(self, works: list[Work], before: int) -> None:
        """Raises CannotAnswer."""
        with cluster.joined(len(works), self.quiet):
            progress = Progress(before + sum(work.asked["rows"] for work in works), before, quiet=self.quiet)
            failed = list(cluster.failures(works, self.question, self.jobs, progress, self.quiet))
        if failed:
            shown = "".join(f"\n  {reason}" for reason in failed)
            raise CannotAnswer(f"These shards could not be answered; the same command tries them again:{shown}")


def _rows(labels: dict[str, Label]) -> int:
    return sum(label.rows for label in labels.values())


def _broken(address: str) -> Iterable[dict[str, Any]]:
    system, path = tables.located(address)
    has_error = compute.field("error").is_valid()
    rows: list[dict[str, Any]] = parquet.read_table(
        path, columns=["file", "error"], filters=has_error, filesystem=system
    ).to_pylist()
    return rows
