"""What is done with samples in a database: the same in SQLite and in PostgreSQL."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text

from app.samples.database import Database, url_of
from app.samples.errors import Unavailable, UnknownSample
from app.samples.migration import FOLDER, HEAD, migrate
from app.samples.sample import hashed, now
from app.samples.selection import Filters
from app.samples.store import Outcome, Store, keep, opened
from app.samples.tables import FORGOTTEN, METADATA
from tests.support.api import ROOT
from tests.support.postgres import Postgres
from tests.support.samples import clear, sample


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return str(tmp_path_factory.mktemp("store") / "samples.sqlite3")
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    store = opened(address)
    clear(store)
    yield store
    store.database.close()


def test_a_sample_comes_back_as_it_was(store: Store) -> None:
    whole = sample(
        label="五",
        reviewed=True,
        answer="三",
        confidence=0.1 + 0.2,
        model="2026.1",
        visitor=hashed("v"),
        alphabet="chinese",
    )
    for one in (whole, sample(picture=bytes(range(256)))):
        assert store.keep(one) is Outcome.KEPT
        assert store.sample(one.id) == one


def test_to_keep_it_again_changes_nothing(store: Store) -> None:
    one = sample(label="5")
    outcomes = [store.keep(one) for _ in range(3)]
    assert outcomes == [Outcome.KEPT, Outcome.REPEATED, Outcome.REPEATED]
    assert store.sample(one.id) == one


def test_the_latest_label_counts_in_whatever_order_they_come(store: Store) -> None:
    one = sample(label="5")
    store.keep(one)
    later, between = (
        replace(one, label=label, time=one.time + timedelta(seconds=s)) for label, s in (("6", 9), ("7", 5))
    )
    assert store.keep(later) is Outcome.RELABELLED
    assert store.keep(between) is Outcome.REPEATED
    assert store.keep(one) is Outcome.REPEATED
    assert store.sample(one.id) == replace(one, label="6")


def test_an_id_is_of_one_picture_and_one_visitor(store: Store) -> None:
    one = sample(visitor=hashed("v"))
    store.keep(one)
    assert store.keep(replace(one, picture=b"another")) is Outcome.DIFFERS
    assert store.keep(replace(one, visitor=hashed("w"))) is Outcome.DIFFERS
    assert store.keep(replace(one, visitor=None)) is Outcome.DIFFERS


def test_a_deleted_sample_does_not_come_back(store: Store) -> None:
    one, other = sample(), sample()
    for each in (one, other):
        store.keep(each)
    assert store.delete(one.id).ids == (one.id,)
    assert store.keep(one) is Outcome.DELETED
    assert list(store.each()) == [other]
    assert store.deleted([hashed(one.id), hashed(other.id)]) == {hashed(one.id)}
    for nothing in (lambda: store.delete(one.id), lambda: store.relabel(one.id, "5"), lambda: store.sample(one.id)):
        with pytest.raises(UnknownSample):
            nothing()


def test_a_forgotten_visitors_samples_are_refused_that_come_late(store: Store) -> None:
    """As from the outbox of another machine; what is sent after that is somebody's who has agreed anew."""
    first, late, new, others = (sample(visitor=hashed(name)) for name in ("v", "v", "v", "w"))
    store.keep(first)
    store.keep(others)
    assert store.forget(hashed("v"), until=late.time).ids == (first.id,)
    assert store.keep(late) is Outcome.DELETED
    assert store.keep(new) is Outcome.KEPT
    assert {one.id for one in store.each()} == {new.id, others.id}
    assert store.forget(hashed("v"), until=first.time).ids == ()
    assert store.keep(late) is Outcome.DELETED


def test_what_is_too_old_is_deleted(store: Store) -> None:
    old, new = sample(), sample()
    store.take([old, new])
    assert store.delete_before(new.time).ids == (old.id,)
    assert list(store.each()) == [new]


def test_many_are_deleted_some_at_a_time_and_the_receipt_has_them_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that others can write between."""
    monkeypatch.setattr("app.samples.store.DELETED_TOGETHER", 2)
    mine = [sample(visitor=hashed("v")) for _ in range(5)]
    old = [sample() for _ in range(4)]
    store.take([*mine, *old])
    left = []
    writing = store.database.writing

    @contextmanager
    def noting() -> Iterator[Connection]:
        left.append(store.count())
        with writing() as connection:
            yield connection

    monkeypatch.setattr(store.database, "writing", noting)
    assert store.forget(hashed("v")).ids == tuple(one.id for one in mine)
    assert left == [9, 7, 5]
    assert store.delete_before(old[-1].time).ids == tuple(one.id for one in old[:-1])
    assert left[3:] == [4, 2]
    assert list(store.each()) == old[-1:]
    gone = {hashed(one.id) for one in [*mine, *old[:-1]]}
    assert store.deleted(gone) == gone


def test_a_visitor_stays_forgotten_for_as_long_as_something_may_wait_elsewhere(store: Store) -> None:
    for visitor, days in (("long ago", 31), ("lately", 29)):
        store.forget(hashed(visitor), now() - timedelta(days=days))
    store.drop_marks()
    with store.database.reading() as connection:
        assert connection.execute(select(FORGOTTEN.c.visitor)).scalars().all() == [hashed("lately")]


def test_each_in_order_of_time_and_then_of_the_ids_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.samples.selection.chosen.__defaults__", (2, 100))
    moment = sample().time
    same = [sample(id=id, time=moment, picture=bytes(60)) for id in ("B", "_", "a", "b-", "b1")]
    earlier = sample(time=moment - timedelta(microseconds=1))
    store.take(reversed([earlier, *same]))
    assert list(store.each()) == [earlier, *sorted(same, key=lambda one: one.id)]


@pytest.mark.parametrize("order", ["doubtful", "suspect", "newest"])
def test_pages_are_in_order_and_complete(store: Store, order: str) -> None:
    """Also where many samples have the same confidence, and numbers that no decimal tells exactly."""
    shares = [0.1 + 0.2, 0.3, 1 / 3, 0.3, 2 / 3, None, 0.3]
    kept = [sample(label=str(n % 2), answer="1", confidence=share) for n, share in enumerate(shares)]
    store.take(kept)
    found: list[str] = []
    after = None
    while True:
        page = store.page(Filters(), order, 2, after)
        found += [one.id for one in page.samples]
        if (after := page.next) is None:
            break
    told = {one.id: one for one in kept if order != "suspect" or one.confidence is not None}

    def key(id: str) -> tuple[object, str]:
        one = told[id]
        if order == "newest":
            return one.time, id
        unknown = one.confidence is None
        share = 2.0 if one.confidence is None else one.confidence
        return (share if order == "doubtful" or unknown or one.label == one.answer else 1 - share), id

    assert found == sorted(told, key=key, reverse=order == "newest")


def test_a_page_is_of_one_state_whatever_is_deleted_meanwhile(store: Store, address: str) -> None:
    kept = [sample() for _ in range(3)]
    store.take(kept)
    other = opened(address)
    with store.database.reading() as connection:
        assert len(connection.execute(text("SELECT id FROM samples")).all()) == 3
        other.delete(kept[1].id)
        assert len(connection.execute(text("SELECT id FROM samples")).all()) == 3
    assert store.count() == 2
    other.database.close()


def test_stats(store: Store) -> None:
    store.take([sample(label="5", answer="5"), sample(label="5", answer="6"), sample(answer="6"), sample(label="")])
    assert [(one.label, one.samples, one.right) for one in store.stats()] == [("", 1, 0), ("5", 2, 1), (None, 1, 0)]


def test_a_picture_that_was_changed_in_the_database_is_found(store: Store) -> None:
    one, other = sample(), sample()
    store.take([one, other])
    assert store.changed_pictures() == []
    with store.database.writing() as connection:
        connection.execute(text("UPDATE samples SET picture = :new WHERE id = :id"), {"new": b"x", "id": one.id})
    assert store.changed_pictures() == [one.id]


def test_of_a_transaction_that_fails_nothing_stays(store: Store) -> None:
    def fail() -> None:
        with store.database.writing() as connection:
            keep(connection, sample())
            connection.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(Unavailable, match="nowhere"):
        fail()
    assert store.count() == 0


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == HEAD
    assert ScriptDirectory(str(FOLDER)).get_current_head() == HEAD


def test_a_database_of_a_later_version_is_left_alone(store: Store, address: str) -> None:
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(Unavailable, match="schema 9999, which this version does not know"):
            migrate(Database(url_of(address)))
    finally:
        with store.database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_several_processes_start_together(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each finds the tables or makes them, and none fails."""
    address = str(tmp_path / "new.sqlite3")
    if kind == "postgres":
        address = request.getfixturevalue("postgres").new_database()
    program = """
import sys
from app.samples.store import opened
print("ready", flush=True)
sys.stdin.readline()
print(opened(sys.argv[1]).count())
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        output, complaints = process.communicate(timeout=60)
        assert (output, process.returncode) == ("0\n", 0), complaints
