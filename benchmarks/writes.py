"""How fast samples are taken on a task, and moved to PostgreSQL, and how often that waits for the network."""

import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.samples.keeper import Keeper
from app.samples.outbox import Outbox
from app.samples.sample import Sample
from app.samples.store import Store, opened
from app.settings import Settings
from benchmarks import drawings
from tests.support import postgres
from tests.support.samples import sample

COUNT, TIMES = 500, 3


class Unwatched:
    """Is told what becomes of samples, and forgets it."""

    def sample(self, outcome: str) -> None: ...

    def moved(self, samples: int, waiting: int) -> None: ...

    def away(self, reason: str) -> None: ...


def measure() -> dict[str, float]:
    """Samples a second, the best of some runs, and how often each that is moved waits for the database's answer."""
    samples = [sample(picture=picture, visitor="one") for picture in drawings.canvases() * (COUNT // 10)]
    with postgres.running() as server:
        taken, moved = list[float](), list[float]()
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "outbox.sqlite3")
                taken.append(COUNT / _take(samples, file))
                seconds, statements = _move(opened(str(file)), server.new_database())
                moved.append(COUNT / seconds)
    return {
        "taken": max(taken),
        "moved": max(moved),
        "round_trips": statements / COUNT,
    }


def _take(samples: list[Sample], file: Path) -> float:
    """Seconds until all that come at once are on the disk."""
    keeper = Keeper(Settings(samples_database=SecretStr(str(file))), Unwatched())
    keeper.keep(sample()).result()  # opens the file
    start = time.perf_counter()
    for done in [keeper.keep(one) for one in samples]:
        done.result()
    seconds = time.perf_counter() - start
    keeper.close()
    return seconds


def _move(local: Store, address: str) -> tuple[float, int]:
    """Seconds until all are in the database, and statements sent to it, with commits."""
    outbox = Outbox(local, Settings(samples_database=SecretStr(address)), Unwatched())
    outbox.remote()
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    engine: Engine = outbox.remote().database._engine
    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, counted)
    start = time.perf_counter()
    while outbox.move():
        pass
    seconds = time.perf_counter() - start
    outbox.remote().database.close()
    local.database.close()
    return seconds, count
