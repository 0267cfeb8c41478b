"""One run over many pictures, into a file or onto the standard output.

While it writes a file OUT, OUT.plan says what there is to read and OUT.part is the journal. OUT itself comes last, at
once and whole; then these two go. An end of whatever kind, at whatever time, leaves what the next run goes on with.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Final

from app.cli import outputs
from app.cli.answering import CannotAnswer, Engine, What
from app.cli.journal import BROKEN, Journal
from app.cli.outputs import Format
from app.cli.plan import Plan
from app.cli.progress import Progress

_LISTED: Final = 20
"""Broken pictures that are named at the end; all stand in the output."""


class OtherRun(RuntimeError):
    """What is there already is of another run; the message says what to do."""


@dataclass
class Outcome:
    """`listed`: the first of the broken, and why; `before`: pictures that an earlier run has answered."""

    answered: int = 0
    broken: int = 0
    before: int = 0
    passed_over: int = 0
    version: str = ""
    listed: list[tuple[str, str]] = field(default_factory=list)

    def count(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.answered += 1
            if BROKEN in line and "error" in (row := json.loads(line)):
                self.broken += 1
                self.list(row["file"], row["error"])
            elif not self.version:
                self.version = json.loads(line)["model"]["version"]

    def list(self, name: str, reason: str) -> None:
        """A broken one by its name, as long as there are not too many."""
        if self.lists_more:
            self.listed.append((name, reason))

    @property
    def lists_more(self) -> bool:
        return len(self.listed) < _LISTED


@dataclass(frozen=True)
class Run:
    """`started`: makes the engine that answers so many pictures."""

    what: What
    sources: Sequence[str]
    format: Format
    started: Callable[[int], Engine]
    asked: dict[str, Any]
    column: str | None = None
    quiet: bool = False

    def to_file(self, target: Path, outcome: Outcome) -> None:
        """Write a file, or go on writing it.

        Raises:
            OtherRun, CannotAnswer, journal.InUse, plan.NothingToRead, archives.BrokenArchive, tables.NoTable, OSError
        """
        plan_file, part = _beside(target, "plan"), _beside(target, "part")
        if target.exists() and not part.exists():
            if not plan_file.exists():
                raise OtherRun(f"{target} is there already. To have it written anew: --anew")
            outcome.answered = outcome.before = Plan.found(plan_file).count
            plan_file.unlink()  # all that was left to do
            return
        with Journal(part) as journal:
            if plan_file.exists():
                plan = self._known(plan_file)
                outcome.count(journal.lines())
                outcome.before = outcome.answered
            else:
                journal.clear()
                _clear_away(plan_file)
                plan = Plan.made(plan_file, self.sources, self.asked, self.column)
            outcome.passed_over = plan.passed_over
            for some in self._answers(plan, outcome):
                journal.write(some)
            journal.sync()
            self._finish(journal, target)
        plan_file.unlink()

    def to_standard_output(self, outcome: Outcome) -> None:
        """Raises as `to_file` does."""
        with TemporaryDirectory() as folder:
            plan = Plan.made(Path(folder, "plan"), self.sources, self.asked, self.column)
            outcome.passed_over = plan.passed_over
            lines = (line for some in self._answers(plan, outcome) for line in some)
            assert isinstance(sys.stdout, io.TextIOWrapper)
            sys.stdout.reconfigure(errors="surrogateescape")  # a file's name may be any bytes
            outputs.write_text(lines, sys.stdout, self.what, self.format)

    def _known(self, plan_file: Path) -> Plan:
        plan = Plan.found(plan_file)
        if plan.asked != self.asked:
            raise OtherRun(f"{plan_file} is of a run that was asked for something else. To begin anew: --anew")
        return plan

    def _answers(self, plan: Plan, outcome: Outcome) -> Iterator[list[bytes]]:
        """Those that are not there yet, counted."""
        left = plan.count - outcome.answered
        if not left:
            return
        engine = self.started(left)
        try:
            if outcome.version not in ("", engine.answerer.version):
                raise OtherRun(
                    f"It was begun with the model {outcome.version}, and this is {engine.answerer.version}. "
                    "To begin anew: --anew"
                )
            progress = Progress(plan.count, outcome.answered, quiet=self.quiet)
            try:
                for lines in engine.answers(plan.items(outcome.answered)):
                    yield lines
                    outcome.count(lines)
                    progress.advance(len(lines))
            finally:
                progress.end()
        finally:
            engine.close()
        if outcome.answered != plan.count:
            raise CannotAnswer("There is less to read than there was when the run was begun. To begin anew: --anew")

    def _finish(self, journal: Journal, target: Path) -> None:
        """The journal becomes the file that was asked for."""
        if self.format == "jsonl":
            journal.file.replace(target)
            return
        whole = _beside(target, "whole")
        if self.format == "parquet":
            outputs.write_parquet(journal.lines(), whole, self.what)
        else:
            with whole.open("w", newline="", errors="surrogateescape") as text:
                outputs.write_text(journal.lines(), text, self.what, self.format)
        whole.replace(target)
        journal.file.unlink()


def begin_anew(target: Path) -> None:
    """Forget what earlier runs have left."""
    for file in (_beside(target, "plan"), _beside(target, "part"), target):
        file.unlink(missing_ok=True)


def _clear_away(plan_file: Path) -> None:
    """What was left of a plan by a run that was killed while it made it."""
    for folder in plan_file.parent.glob(f".{escape(plan_file.name)}.*"):
        rmtree(folder, ignore_errors=True)


def _beside(target: Path, name: str) -> Path:
    return target.with_name(f"{target.name}.{name}")
