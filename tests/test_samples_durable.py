"""Samples outlast kill -9, a full disk and the years that a setting gives them; and cost an idle server nothing."""

import resource
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from app.api.samples import Figures
from app.samples import keeper
from app.samples.database import Database
from app.samples.errors import Unavailable
from app.samples.store import opened
from app.settings import Settings
from tests.support.api import ROOT, Server, serving
from tests.support.pictures import drawn, encoded
from tests.support.postgres import Postgres
from tests.support.samples import PNG, post, reasons, sample, wait_until

PICTURES = [encoded(drawn(digit, side=100, extent=60, brush=6)) for digit in range(10)]


class Burst:
    """Many who send samples at once, until the server is gone."""

    def __init__(self, server: Server) -> None:
        self.acknowledged: list[str] = []
        self._server = server
        self._senders = [threading.Thread(target=self._send, args=(name,)) for name in "abcdefgh"]
        for sender in self._senders:
            sender.start()

    def wait_for(self, samples: int) -> None:
        wait_until(lambda: len(self.acknowledged) >= samples)

    def end(self) -> None:
        for sender in self._senders:
            sender.join()

    def _send(self, name: str) -> None:
        for number in range(10_000):
            id = f"{name}-{number}"
            try:
                answer = post(self._server, PICTURES[number % 10], id=id, label=str(number % 10))
            except requests.ConnectionError:
                return
            if answer.status_code == 201:
                self.acknowledged.append(id)


def whole(address: str) -> list[str]:
    """The ids of all samples in a database, each with the picture and the label that it was sent with."""
    store = opened(address)
    ids = []
    for one in store.each():
        digit = int(one.id.partition("-")[2]) % 10
        assert (one.picture, one.label) == (PICTURES[digit], str(digit))
        ids.append(one.id)
    store.database.close()
    return ids


def test_what_was_acknowledged_is_in_the_file_once_after_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "kept.sqlite3") as server:
        burst = Burst(server)
        burst.wait_for(60)
        server.process.kill()
        burst.end()
    kept = whole(str(tmp_path / "kept.sqlite3"))
    assert len(kept) == len(set(kept))
    assert set(burst.acknowledged) <= set(kept)


def test_what_was_acknowledged_is_in_the_server_once_after_both_were_killed(tmp_path: Path, postgres: Postgres) -> None:
    address = postgres.new_database()
    settings: dict[str, Any] = {"samples_database": address, "samples_outbox": tmp_path / "outbox.sqlite3"}
    try:
        with serving(tmp_path, **settings) as server:
            burst = Burst(server)
            burst.wait_for(40)
            postgres.stop()
            burst.wait_for(80)
            postgres.start()
            burst.wait_for(120)
            server.process.kill()
            burst.end()
    finally:
        if postgres.stopped:
            postgres.start()
    with serving(tmp_path, **settings):
        wait_until(lambda: opened(str(tmp_path / "outbox.sqlite3")).count() == 0)
    kept = whole(address)
    assert len(kept) == len(set(kept))
    assert set(burst.acknowledged) <= set(kept)


def test_several_processes_keep_samples_in_one_file(tmp_path: Path) -> None:
    """Also the same one at the same moment."""
    with (
        serving(tmp_path, samples_database=tmp_path / "kept.sqlite3", workers=2) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda n: post(server, PICTURES[n % 5], id=f"a-{n % 20}"), range(100)))
        assert [answer.status_code for answer in answers] == [201] * 100
        figures = requests.get(server.url + "/metrics", timeout=9).text
    assert 'digits_samples_total{outcome="kept"} 20.0' in figures
    assert 'digits_samples_total{outcome="repeated"} 80.0' in figures
    assert opened(str(tmp_path / "kept.sqlite3")).count() == 20


def test_a_disk_that_does_not_answer_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "MOST_WAITING", 3 * len(PNG))
    file = tmp_path / "kept.sqlite3"
    keeping = keeper.Keeper(Settings(samples_database=SecretStr(str(file))), Figures())
    with closing(keeping), closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        kept = [keeping.keep(sample()) for _ in range(5)]
        with pytest.raises(Unavailable, match="wait to be written"):
            kept[4].result(1)
        other.rollback()
        wait_until(lambda: all(one.done() for one in kept))
        assert keeping.keep(one := sample()).result(30) == one.id


def test_who_has_no_samples_costs_the_file_little_and_those_who_have_are_wiped_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiped: list[Database] = []
    monkeypatch.setattr(Database, "forget_pages", lambda database: wiped.append(database))
    settings = Settings(samples_database=SecretStr(str(tmp_path / "kept.sqlite3")))
    with closing(keeper.Keeper(settings, Figures())) as keeping:
        one = sample(visitor="v")
        assert keeping.keep(one).result(30) == one.id
        assert keeping.forget("nobody", one.time).result(30) == 0
        assert wiped == []
        assert keeping.forget("v", one.time).result(30) == 1
        assert len(wiped) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are Linux's")
def test_a_full_disk_refuses_samples_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "kept.sqlite3") as server:
        assert post(server).status_code == 201
        pid = server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (200_000, before[1]))  # stands for a full disk
        codes = [post(server, encoded(drawn(5), "BMP")).status_code for _ in range(6)]
        assert codes[-1] == 503
        assert server.predict(PNG).ok
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        assert post(server).status_code == 201
    assert opened(str(tmp_path / "kept.sqlite3")).count() == 2 + codes.count(201)


def test_a_server_tends_its_samples_at_the_start(tmp_path: Path) -> None:
    file = str(tmp_path / "kept.sqlite3")
    store = opened(file)
    new = sample(time=datetime.now(UTC))
    store.take([new, sample(time=datetime.now(UTC) - timedelta(days=31))])
    with serving(tmp_path, samples_database=file, samples_days=30) as server:
        assert reasons(server, "Samples are tended.") == [None]
    assert list(store.each()) == [new]


def test_a_server_makes_the_tables_at_the_start_and_starts_without_them(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "kept.sqlite3"):
        wait_until((tmp_path / "kept.sqlite3").exists)
    with serving(tmp_path, samples_database=tmp_path / "nowhere" / "kept.sqlite3") as server:
        assert reasons(server, "Samples are not tended.") == ["OperationalError: unable to open database file"]
        assert server.predict(PNG).ok


def test_an_idle_server_has_loaded_nothing_for_samples() -> None:
    program = """
import sys
from app import settings
from app.api.main import create_app
create_app(settings.load())
import app.ui.session
print(sorted({"sqlalchemy", "alembic", "mako", "psycopg", "pyarrow"} & set(sys.modules)))
"""
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert loaded.stdout == "[]\n", loaded.stderr
