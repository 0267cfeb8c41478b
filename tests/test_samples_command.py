"""`python -m app.samples`: what whoever runs the app does with samples."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from app import settings
from app.samples.__main__ import main
from app.samples.export import open_export, record_of
from app.samples.sample import hashed
from app.samples.store import Outcome, Store, opened
from tests.support.api import serving
from tests.support.postgres import Postgres
from tests.support.samples import VISITOR, clear, holds, sample

SAMPLES = [
    sample(id="one", label="5", answer="5", confidence=0.9, visitor=hashed(VISITOR)),
    sample(id="two", label="6", answer="5", confidence=0.4, source="upload", visitor=hashed(VISITOR)),
    sample(id="three", label="", answer="8", confidence=0.6),
    sample(id="four", time=datetime.now(UTC) - timedelta(days=100)),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("command") / "samples.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    store = opened(str(file))
    clear(store)
    store.take(SAMPLES)
    yield store
    store.database.close()


class Done(NamedTuple):
    status: int
    output: str
    complaints: str


class Command:
    """The command, run in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, database: object, *arguments: object, **environment: str) -> Done:
        for name, value in ({"DIGITS_SAMPLES_DATABASE": str(database)} | environment).items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(sys, "argv", ["app.samples", *map(str, arguments)])
        settings.load.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, *self._capsys.readouterr())

    def said(self, database: object, *arguments: object, **environment: str) -> str:
        """What it prints where all is well."""
        done = self(database, *arguments, **environment)
        assert done.status == 0, done.complaints
        return done.output


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    yield Command(monkeypatch, capsys)
    settings.load.cache_clear()


def test_list(run: Command, store: Store, file: Path) -> None:
    store.relabel("two", "5")
    head, *lines = run.said(file, "list", "--order", "doubtful").splitlines()
    assert head.split() == ["id", "time", "alphabet", "label", "answer", "confidence", "source"]
    assert [line.split()[0] for line in lines] == ["two", "three", "one", "four"]
    assert "5 ✓" in lines[0]
    assert "no character" in lines[1]
    assert "90.0%" in lines[2]
    assert [line.split()[0] for line in run.said(file, "list", "--verdict", "right", "--limit", "1").splitlines()] == [
        "id",
        "two",
        "There",
    ]
    assert "one" not in run.said(file, "list", "--reviewed")


def test_stats(run: Command, store: Store, file: Path) -> None:
    lines = run.said(file, "stats").splitlines()
    assert lines[-1].startswith("4 samples, 0.0 MB of pictures, from ")
    assert len(lines) == 6


def test_there_and_back(run: Command, store: Store, file: Path, tmp_path: Path) -> None:
    manifest_version = run.said(file, "export", tmp_path / "set.zip").split()[-1].removesuffix(".")
    assert open_export(tmp_path / "set.zip").manifest["version"] == manifest_version
    assert run.said(file, "import", tmp_path / "set.zip").endswith(": 4 repeated.\n")
    other = tmp_path / "other.sqlite3"
    assert run.said(other, "import", tmp_path / "set.zip") == f"Version {manifest_version}: 4 kept.\n"
    assert list(opened(str(other)).each()) == sorted(SAMPLES, key=lambda one: one.time)
    assert ": 1 samples" in run.said(file, "export", tmp_path / "some", "--label", "5")


def test_relabel(run: Command, store: Store, file: Path) -> None:
    assert run.said(file, "relabel", "two", "5") == "two is 5.\n"
    assert (store.sample("two").label, store.sample("two").reviewed) == ("5", True)
    wrong = run(file, "relabel", "two", "A")
    assert (wrong.status, wrong.output) == (1, "")
    assert "no label 'A'. It has: 0, 1, 2" in wrong.complaints
    assert run(file, "relabel", "nowhere", "5").complaints == "There is no sample with this id.\n"


@pytest.mark.parametrize(
    ("which", "gone"),
    [
        (["--id", "one", "three"], {"one", "three"}),
        (["--visitor", VISITOR], {"one", "two"}),
        (["--visitor", hashed(VISITOR)], {"one", "two"}),
        (["--older-than", "99"], {"four"}),
    ],
)
def test_delete_prints_a_receipt(run: Command, store: Store, file: Path, which: list[str], gone: set[str]) -> None:
    receipt = json.loads(run.said(file, "delete", *which))
    assert (receipt["deleted"], set(receipt["ids"])) == (len(gone), gone)
    assert receipt["ids_sha256"] == sorted(map(hashed, gone))
    assert {one.id for one in store.each()} == {one.id for one in SAMPLES} - gone


def test_tending_drops_old_marks_of_the_forgotten(
    run: Command, store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.nice", lambda _: 0)  # which would hold for all tests after this one
    late = sample(visitor=hashed("long ago"), time=datetime.now(UTC) - timedelta(days=41))
    store.forget(hashed("long ago"), late.time + timedelta(days=1))
    assert store.keep(late) is Outcome.DELETED
    assert run(file, "tend", DIGITS_SAMPLES_DAYS="0") == (0, "", "")
    assert store.keep(late) is Outcome.KEPT


def test_verify_proves_that_a_model_has_not_learned_from_what_was_deleted(
    run: Command, store: Store, file: Path, tmp_path: Path
) -> None:
    run.said(file, "export", tmp_path / "before")
    receipt = tmp_path / "receipt.json"
    receipt.write_text(run.said(file, "delete", "--id", "two"))
    run.said(file, "export", tmp_path / "after")
    records = {}
    for name in ("before", "after"):
        records[name] = tmp_path / f"{name}.json"
        records[name].write_text(json.dumps({"samples": record_of(open_export(tmp_path / name).manifest)}))

    clean = run.said(file, "verify", tmp_path / "after", "--model", records["after"])
    assert clean.count("3 samples, and none that was deleted.") == 2
    held = run(file, "verify", tmp_path / "before", "--model", records["before"])
    assert held.status == 1
    assert held.complaints.count(f"holds a deleted sample: the SHA-256 of its id is {hashed('two')}.") == 2
    without_database = ["--model", records["after"], "--receipt", receipt]
    assert "none that was deleted" in run.said("", "verify", *without_database)
    assert run("", "verify", "--model", records["before"], "--receipt", receipt).status == 1


def test_verify_finds_what_was_changed(run: Command, store: Store, file: Path, tmp_path: Path) -> None:
    assert run.said(file, "verify") == "4 samples, 0 of them with a changed picture.\n"
    run.said(file, "export", tmp_path / "set")
    (tmp_path / "set" / "pictures" / "one.png").write_bytes(b"")
    changed = run(file, "verify", tmp_path / "set")
    assert (changed.status, changed.complaints) == (1, "The picture of the sample one was changed.\n")


def test_an_export_from_a_running_api(run: Command, store: Store, file: Path, tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=file, admin_keys="an-admin, another") as server:
        taken = ["export", tmp_path / "set", "--url", server.url]
        refused = run("", *taken, DIGITS_ADMIN_KEYS="")
        assert refused.complaints == (
            f"DIGITS_ADMIN_KEYS has no admin's key, without which {server.url} does not give samples away.\n"
        )
        part = run("", *taken, "--label", "7", DIGITS_ADMIN_KEYS="another")
        assert "--url goes without" in part.complaints
        assert not (tmp_path / "set").exists()
        run.said("", *taken, "--admin-key-from-env", "A_KEY", A_KEY="another")
    assert {one.id for one in open_export(tmp_path / "set").samples} == {one.id for one in SAMPLES}


def test_what_waits_in_the_outbox_is_seen(run: Command, postgres: Postgres, tmp_path: Path) -> None:
    address, outbox = postgres.new_database(), tmp_path / "outbox.sqlite3"
    opened(str(outbox)).take(SAMPLES)
    assert run.said(address, "stats", DIGITS_SAMPLES_OUTBOX=str(outbox)).splitlines()[-1].startswith("4 samples")
    assert json.loads(run.said(address, "delete", "--id", "one", DIGITS_SAMPLES_OUTBOX=str(outbox)))["deleted"] == 1
    assert opened(address).count() == 3
    assert not holds(tmp_path, [SAMPLES[0].picture[60:160]])


def test_where_nothing_can_be_exported_it_says_so(
    run: Command, store: Store, file: Path, tmp_path: Path, packages_of_the_image: None
) -> None:
    done = run(file, "export", tmp_path / "set")
    assert done.complaints == (
        "pyarrow is not installed here; the image leaves it out. Take samples from its API: export --url.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_is_one_sentence(run: Command) -> None:
    assert run("", "list").complaints == "DIGITS_SAMPLES_DATABASE is empty: no samples are kept.\n"
    away = run("postgresql://digits@127.0.0.1:1/none", "list")
    assert (away.status, away.output) == (1, "")
    assert len(away.complaints.splitlines()) == 1
