"""What people have said is looked for once in a while, whoever asks how often."""

import asyncio
import threading
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from app.api.models import Models
from app.api.said import ANEW_AFTER, Said
from app.client.watching import Verdicts
from app.samples.errors import Unavailable
from app.samples.keeper import Keeper
from app.samples.sample import now
from app.samples.store import Store, opened
from app.settings import Settings
from tests.support.coroutines import run
from tests.support.samples import sample


class Asked:
    """In place of a keeper: its store, or why there is none."""

    def __init__(self, store: Store) -> None:
        self.times = 0
        self.away = False
        self._store = store
        self._one_at_a_time = threading.Lock()

    def store(self) -> Store:
        assert self._one_at_a_time.acquire(blocking=False)
        try:
            self.times += 1
            threading.Event().wait(0.05)  # in which others would come
            if self.away:
                raise Unavailable("away")
            return self._store
        finally:
            self._one_at_a_time.release()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keeper(tmp_path: Path) -> Asked:
    store = opened(str(tmp_path / "samples.sqlite3"))
    store.keep(sample(label="5", answer="5", model="1", time=now()))
    return Asked(store)


def said_of(keeper: Asked, folder: Path, clock: Clock) -> Said:
    settings = Settings(samples_database=SecretStr(str(folder / "samples.sqlite3")))
    models: Any = type("Served", (), {"known": {("digits", "1")}})
    return Said(cast("Keeper", keeper), settings, cast("Models", models), clock)


async def together(said: Said, count: int) -> list[dict[str, list[Verdicts]]]:
    return await asyncio.gather(*(said.lately() for _ in range(count)))


def test_many_who_ask_together_ask_once(keeper: Asked, tmp_path: Path) -> None:
    clock = Clock()

    async def asked() -> None:
        said = said_of(keeper, tmp_path, clock)
        for answer in await together(said, 5):
            assert [(one.version, one.right) for one in answer["digits"]] == [("1", 1)]
        clock.now += ANEW_AFTER - 1
        await said.lately()
        assert keeper.times == 1
        clock.now += 1
        await together(said, 5)
        assert keeper.times == 2

    run(asked())


def test_a_database_that_is_away_is_not_asked_more_often(keeper: Asked, tmp_path: Path) -> None:
    clock = Clock()

    async def asked() -> None:
        said = said_of(keeper, tmp_path, clock)
        keeper.away = True
        assert await together(said, 3) == [{}] * 3
        keeper.away = False
        assert await said.lately() == {}
        assert keeper.times == 1
        clock.now += ANEW_AFTER
        assert await said.lately()

    run(asked())
