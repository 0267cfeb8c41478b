"""Two tasks of the app share one PostgreSQL and one folder of models, as behind a load balancer."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from app import settings
from app.models import __main__ as command
from tests.support.api import Server, serving
from tests.support.models import install
from tests.support.pictures import drawn, encoded
from tests.support.postgres import Postgres
from tests.support.samples import wait_until

ADMIN = {"X-API-Key": "an-admins-secret"}
FIVE = encoded(drawn(5))


@pytest.fixture
def two(postgres: Postgres, tmp_path: Path) -> Iterator[list[Server]]:
    """Each with an outbox and models of its own, and both version 1."""
    install(tmp_path / "own", "digits", version="1")
    (tmp_path / "shared").mkdir()
    shared = {
        "models_dir": tmp_path / "own",
        "models_bucket": tmp_path / "shared",
        "models_bucket_seconds": 0.2,
        "samples_database": postgres.new_database(),
        "admin_keys": ADMIN["X-API-Key"],
    }
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        yield [
            stack.enter_context(serving(folder, **shared, samples_outbox=folder / "outbox.sqlite3"))
            for folder in folders
        ]


@pytest.fixture
def models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """`python -m app.models` with the shared folder."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["app.models", *arguments, "--bucket", str(tmp_path / "shared")])
        command.main()
        return capsys.readouterr().out

    monkeypatch.setenv("DIGITS_MODELS_DIR", str(tmp_path / "own"))
    settings.load.cache_clear()
    yield run
    settings.load.cache_clear()


def listed(server: Server) -> list[dict[str, object]]:
    answer = requests.get(server.url + "/samples/", params={"label": "5"}, headers=ADMIN, timeout=10)
    samples: list[dict[str, object]] = answer.json()["samples"]
    return samples


def versions(servers: list[Server]) -> list[str]:
    return [server.predict(FIVE).json()["model"]["version"] for server in servers]


def test_what_one_is_told_the_other_knows(two: list[Server], models: Callable[..., str], tmp_path: Path) -> None:
    one, other = two
    kept = requests.post(
        one.url + "/samples/", data={"label": "5", "source": "test"}, files={"file": FIVE}, timeout=10
    ).json()["id"]
    wait_until(lambda: [sample["id"] for sample in listed(other)] == [kept])
    requests.patch(f"{other.url}/samples/{kept}", json={"label": "6"}, headers=ADMIN, timeout=10).raise_for_status()
    assert listed(one) == []

    assert versions(two) == ["1", "1"]
    models("keep", str(install(tmp_path / "trained", "digits", version="2").parent))
    assert "2 is in place" in models("use", "2")
    wait_until(lambda: versions(two) == ["2", "2"])
    models("back")
    wait_until(lambda: versions(two) == ["1", "1"])
