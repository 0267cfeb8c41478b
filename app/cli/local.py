"""Answers by this machine: a process for each core, with one thread each, and their answers put in order again."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Final

from app.cli.answering import Answerer, CannotAnswer, Question, chunks, line_of
from app.cli.items import Item
from app.client.models import Failed

AHEAD: Final = 2
"""Lots of pictures that a process has at most: one in work and one to go on with."""

OUT_OF_ORDER: Final = 16
"""Lots for each process that may be done before the one that comes first: memory stays flat."""

_THREADS: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _Worker:
    """A process, and the lots that it has, by their numbers."""

    def __init__(self, question: Question) -> None:
        self.connection, theirs = Pipe()
        environment = os.environ | _THREADS | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "app.cli.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libtiff writes there what it thinks of every line
                env=environment,
                pass_fds=[theirs.fileno()],
            )
        self.lots: dict[int, list[Item]] = {}
        with suppress(OSError):
            self.connection.send(question)

    def greeting(self) -> Answerer:
        """What it says when it is ready. Raises CannotAnswer."""
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            raise CannotAnswer("A process that reads pictures ends before it is ready.") from None
        if isinstance(said, CannotAnswer):
            raise said
        answerer: Answerer = said
        return answerer

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


class Local:
    """So many processes, started at once. Raises CannotAnswer."""

    def __init__(self, question: Question, jobs: int) -> None:
        self._question = question
        self._workers = [_Worker(question) for _ in range(jobs)]
        try:
            *_, self.answerer = [worker.greeting() for worker in self._workers]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for worker in self._workers:
            worker.end()

    def answers(self, items: Iterable[Item]) -> Iterator[list[bytes]]:
        """A line for each picture, in order. Raises CannotAnswer."""
        lots = enumerate(chunks(items))
        done: dict[int, list[bytes]] = {}
        following, given, more = 0, 0, True
        while more or following < given:
            for worker in sorted(self._workers, key=lambda one: len(one.lots)):
                while more and len(worker.lots) < AHEAD and given < following + OUT_OF_ORDER * len(self._workers):
                    number, lot = next(lots, (-1, []))
                    more = bool(lot)
                    if more:
                        given = number + 1
                        self._give(worker, number, lot)
            if following < given:
                self._gather(done)
            while following in done:
                yield done.pop(following)
                following += 1

    @staticmethod
    def _give(worker: _Worker, number: int, lot: list[Item]) -> None:
        worker.lots[number] = lot
        with suppress(OSError):  # it has died; that is seen when it is asked for its answer
            worker.connection.send(lot)

    def _gather(self, done: dict[int, list[bytes]]) -> None:
        """Wait for at least one lot's answers."""
        busy: dict[Connection, int] = {one.connection: at for at, one in enumerate(self._workers) if one.lots}
        for ready in wait(list(busy)):
            assert isinstance(ready, Connection)
            worker = self._workers[busy[ready]]
            number = next(iter(worker.lots))
            try:
                done[number] = ready.recv()
            except (EOFError, OSError):
                done[number] = self._one_by_one(busy[ready], number)
            else:
                del worker.lots[number]

    def _one_by_one(self, at: int, number: int) -> list[bytes]:
        """The answers to a lot of which a process has died; whatever else it had goes to the one in its place."""
        others = self._workers[at].lots
        lot, lines = others.pop(number), list[bytes]()
        worker = self._replaced(at)
        for item in lot:
            try:
                worker.connection.send([item])
                lines += worker.connection.recv()
            except (EOFError, OSError):
                lines.append(line_of(item.name, _too_laborious().model_dump()))
                worker = self._replaced(at)
        for other, its_lot in others.items():
            self._give(worker, other, its_lot)
        return lines

    def _replaced(self, at: int) -> _Worker:
        """A new process in the place of a dead one. Raises CannotAnswer."""
        self._workers[at].end()
        worker = self._workers[at] = _Worker(self._question)
        worker.greeting()
        return worker


def _too_laborious() -> Failed:
    from app import answers  # and with it all that reads pictures, which this process seldom needs
    from app.reading.picture import TooLaborious

    return answers.failed(TooLaborious())
