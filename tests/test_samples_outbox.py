"""Samples reach PostgreSQL once each, whatever dies on the way, and nobody waits for it who wants a prediction."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr
from sqlalchemy import text

from app.samples import outbox
from app.samples.errors import NoRoom
from app.samples.outbox import Outbox
from app.samples.sample import hashed, now
from app.samples.store import Outcome, Store, opened
from app.settings import Settings
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.samples import ANOTHER, PNG, VISITOR, delete_mine, holds, post, reasons, sample, wait_until


class Watched:
    """What the outbox has told."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, int]] = []
        self.reasons: list[str] = []

    def sample(self, outcome: str) -> None: ...

    def moved(self, samples: int, waiting: int) -> None:
        self.moves.append((samples, waiting))

    def away(self, reason: str) -> None:
        self.reasons.append(reason)


@pytest.fixture
def address(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def remote(address: str) -> Iterator[Store]:
    store = opened(address)
    yield store
    store.database.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Store]:
    store = opened(str(tmp_path / "outbox.sqlite3"))
    yield store
    store.database.close()


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def moving(local: Store, address: str, watched: Watched) -> Outbox:
    """An outbox without its thread."""
    return Outbox(local, Settings(samples_database=SecretStr(address)), watched)


def metric(server: Server, name: str) -> float:
    lines = requests.get(server.url + "/metrics", timeout=9).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_all_are_moved_in_batches_and_leave_nothing_here(
    moving: Outbox,
    watched: Watched,
    local: Store,
    remote: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.samples.selection.chosen.__defaults__", (3, 10_000))
    samples = [sample(label="5", visitor=hashed("v"), picture=encoded(drawn(n))) for n in range(7)]
    local.take(samples)
    while moving.move():
        pass
    assert list(remote.each()) == samples
    assert local.count() == 0
    assert [count for count, _ in watched.moves] == [3, 3, 1]
    assert not holds(tmp_path, [one.picture[60:160] for one in samples])


def test_what_is_moved_twice_is_there_once_and_as_it_was_left_there(
    moving: Outbox, local: Store, remote: Store
) -> None:
    """All ends between the two transactions; before the next attempt a label is said, reviewed, a sample deleted."""
    said, reviewed, deleted, plain = samples = [sample(label="5") for _ in range(4)]
    local.take(samples)
    rows, forgotten = moving.batch()
    outbox.written(remote, rows, forgotten)
    remote.keep(replace(said, label="6", time=said.time + timedelta(seconds=60)))
    remote.relabel(reviewed.id, "7")
    remote.delete(deleted.id)
    assert moving.move() == 4
    assert moving.move() == 0
    assert {one.id: one.label for one in remote.each()} == {said.id: "6", reviewed.id: "7", plain.id: "5"}


def test_a_label_that_is_said_while_its_sample_is_moved_is_moved_next(
    moving: Outbox, local: Store, remote: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sample(label="5")
    local.keep(one)
    written = outbox.written

    def slowly(*arguments: object) -> object:
        outcomes = written(*arguments)  # type: ignore[arg-type]
        local.keep(replace(one, label="6", time=one.time + timedelta(seconds=1)))
        return outcomes

    monkeypatch.setattr(outbox, "written", slowly)
    moving.move()
    assert (remote.sample(one.id).label, local.count()) == ("5", 1)
    monkeypatch.undo()
    moving.move()
    assert (remote.sample(one.id).label, local.count()) == ("6", 0)


def test_one_that_the_database_cannot_take_stays_and_the_others_go(moving: Outbox, local: Store, remote: Store) -> None:
    good, bad, another = sample(), sample(answer="\0"), sample()
    local.take([good, bad, another])
    while moving.move():
        pass
    assert {one.id for one in remote.each()} == {good.id, another.id}
    assert [one.id for one in local.each()] == [bad.id]


def test_a_missing_table_keeps_them_here_until_it_is_back(moving: Outbox, local: Store, remote: Store) -> None:
    one = sample()
    local.keep(one)
    with remote.database.writing() as connection:
        connection.execute(text("ALTER TABLE samples RENAME TO elsewhere"))
    with pytest.raises(Exception, match="samples"):
        moving.move()
    assert local.count() == 1
    with remote.database.writing() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO samples"))
    moving.move()
    assert list(remote.each()) == [one]


def test_a_forgotten_visitor_is_forgotten_there_too(moving: Outbox, local: Store, remote: Store) -> None:
    there, waiting = sample(visitor=hashed("v")), sample(visitor=hashed("v"))
    remote.keep(there)
    local.keep(waiting)
    local.forget(hashed("v"), waiting.time)
    moving.move()
    assert remote.count() == 0
    assert remote.keep(waiting).value == "deleted"


def test_a_full_database_takes_none_until_something_is_deleted(
    local: Store, remote: Store, address: str, watched: Watched
) -> None:
    """An empty one takes more than a megabyte by itself, so that here samples are counted from the first on."""
    moving = Outbox(local, Settings(samples_database=SecretStr(address), samples_megabytes=1), watched)
    large, waiting, mine = sample(picture=bytes(1_000_000)), sample(), sample(visitor=hashed("v"))
    remote.keep(mine)
    local.keep(large)
    assert moving.move() == 1
    local.keep(waiting)
    local.forget(hashed("v"), now())
    with pytest.raises(NoRoom):
        moving.move()
    assert moving.refused([sample(id="another"), large]) == {"another": Outcome.NO_ROOM, large.id: Outcome.NO_ROOM}
    assert [one.id for one in remote.each()] == [large.id], "who wants to be forgotten is"
    remote.delete(large.id)
    while moving.move():
        pass
    assert list(remote.each()) == [waiting]


def test_a_sample_that_waits_for_long_is_told_of_once_a_minute(
    local: Store, watched: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FIRST_PAUSE", 0.01)
    away = SecretStr(f"postgresql://digits@127.0.0.1:{free_port()}/digits")
    waiting = Outbox(local, Settings(samples_database=away), watched)
    waiting.start()
    local.keep(sample(time=now()))
    waiting.wake()
    wait_until(lambda: len(watched.reasons) > 3)
    assert outbox.LATE_MESSAGE not in caplog.messages
    local.keep(sample(time=now() - timedelta(minutes=11)))
    told = len(watched.reasons)
    wait_until(lambda: len(watched.reasons) > told + 3)
    waiting.close()
    assert caplog.messages.count(outbox.LATE_MESSAGE) == 1


def test_what_waits_at_the_end_goes_along(moving: Outbox, local: Store, remote: Store) -> None:
    """Where a server's disk ends with it, as on Fargate, nothing comes after it that would move the rest."""
    moving.start()
    local.keep(sample())
    moving.close()
    assert (local.count(), remote.count()) == (0, 1)


def serving_with(folder: Path, address: str, **settings: object) -> AbstractContextManager[Server]:
    return serving(folder, samples_database=address, samples_outbox=folder / "outbox.sqlite3", **settings)


def test_over_http_it_is_as_with_a_file(tmp_path: Path, address: str, remote: Store) -> None:
    with serving_with(tmp_path, address, admin_keys="an-admin") as server:
        assert post(server, visitor=VISITOR, id="one", label="3").status_code == 201
        wait_until(lambda: remote.count() == 1)
        assert post(server, visitor=VISITOR, id="one", label="5").status_code == 201
        wait_until(lambda: remote.sample("one").label == "5")
        assert post(server, visitor=ANOTHER, id="one").json()["code"] == "sample_differs"
        listed = requests.get(server.url + "/samples/", headers={"X-API-Key": "an-admin"}, timeout=9).json()["samples"]
        assert [one["id"] for one in listed] == ["one"]
        assert delete_mine(server, VISITOR) == 1
        assert remote.count() == 0
        assert post(server, visitor=VISITOR, id="one").json()["code"] == "sample_deleted"
        wait_until(lambda: metric(server, "digits_samples_moved_total") == 2)
        assert metric(server, "digits_samples_database_away") == 0


def test_while_the_database_is_away_predictions_go_on_and_samples_wait(tmp_path: Path, postgres: Postgres) -> None:
    address = postgres.new_database()
    postgres.stop()
    try:
        with serving_with(tmp_path, address, samples_megabytes=1, admin_keys="an-admin") as server:
            assert post(server, visitor=VISITOR, id="own").status_code == 201
            assert post(server, id="other").status_code == 201
            assert server.predict(PNG).json()["label"] == "5"
            listed = requests.get(server.url + "/samples/", headers={"X-API-Key": "an-admin"}, timeout=30)
            assert (listed.status_code, listed.json()["code"]) == (503, "samples_unavailable")
            assert delete_mine(server, VISITOR) == 1
            wait_until(lambda: metric(server, "digits_samples_database_away") == 1)
            large = encoded(drawn(5).resize((900, 900)), "BMP")
            codes = [post(server, large).status_code for _ in range(3)]
            assert codes[-1] == 503
            assert server.predict(PNG).ok
            assert len(reasons(server, "The samples' database is away; samples wait in the outbox.")) == 1
            assert len(reasons(server, "Samples are not kept.")) == 1
            postgres.start()
            remote = opened(address)
            wait_until(lambda: remote.count() == 1 + codes.count(201))
            assert {"other"} < {one.id for one in remote.each()}
            assert post(server, visitor=VISITOR, id="own").json()["code"] == "sample_deleted"
            wait_until(lambda: metric(server, "digits_samples_waiting") == 0)
            assert metric(server, "digits_samples_database_away") == 0
    finally:
        if postgres.stopped:
            postgres.start()


def test_a_locked_file_delays_samples_alone(tmp_path: Path) -> None:
    file = tmp_path / "kept.sqlite3"
    with serving(tmp_path, samples_database=file) as server, closing(sqlite3.connect(file)) as other:
        assert post(server).status_code == 201
        other.execute("BEGIN IMMEDIATE")
        answers: list[requests.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(post(server)))
        waiting.start()
        predicted = 0
        while waiting.is_alive():
            assert server.predict(PNG).ok
            predicted += 1
        assert predicted > 10
        assert answers[0].json()["code"] == "samples_unavailable"
        other.rollback()
        assert post(server).status_code == 201
        assert reasons(server, "Samples are not kept.") == ["OperationalError: database is locked"]
