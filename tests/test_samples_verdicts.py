"""What people said of the answers, by day and version: of SQLite and of PostgreSQL alike, and over HTTP."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from app.samples.store import Store
from app.samples.verdicts import OTHER_VERSIONS, Said, by_day
from tests.support.api import serving
from tests.support.samples import PNG, post, sample
from tests.test_api_process import figures
from tests.test_samples_store import address, store  # noqa: F401  # fixtures

LATE = datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC)


def test_by_day_and_version(store: Store) -> None:  # noqa: F811
    said: list[dict[str, Any]] = [
        {"label": "7", "answer": "7", "time": LATE},
        {"label": "1", "answer": "7", "time": LATE},
        {"label": "", "answer": "7", "time": LATE + timedelta(seconds=2)},
        {"label": None, "answer": "7", "time": LATE},
        {"label": "7", "answer": None, "time": LATE},
        {"label": "7", "answer": "7", "time": LATE - timedelta(days=2)},
        {"label": "7", "answer": "7", "time": LATE, "model": None},
    ]
    for one in said:
        store.keep(sample(**{"model": "1"} | one))
    assert by_day(store, LATE - timedelta(days=1)) == [
        Said("digits", date(2026, 11, 2), "", 1, 0, 0),
        Said("digits", date(2026, 11, 2), "1", 1, 1, 0),
        Said("digits", date(2026, 11, 3), "1", 0, 0, 1),
    ]


def test_versions_that_nobody_knows_are_told_apart_up_to_a_number(store: Store) -> None:  # noqa: F811
    several, once = [f"several-{number}" for number in range(OTHER_VERSIONS)], ["served", "a", "b", "c"]
    for model in [*several, *several, *once]:
        store.keep(sample(label="7", answer="7", time=LATE, model=model))
    found = {one.version: one.right for one in by_day(store, LATE, {"served"})}
    assert found == dict.fromkeys(several, 2) | {"served": 1, "": 3}


def test_they_are_told_with_the_drift_and_among_the_metrics(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "samples.sqlite3", log_level="error") as server:
        served = server.predict(PNG).json()["model"]["version"]
        for label in ("5", "7", ""):
            assert post(server, label=label, answer="5", model=served).ok
        assert post(server, answer="5", model=served).ok
        told = requests.get(server.url + "/health/drift", timeout=30).json()["alphabets"][0]["verdicts"]
        (today,) = told
        assert (today["version"], today["right"], today["wrong"], today["no_character"]) == (served, 1, 1, 1)
        found = figures(server)
        said = [found["digits_verdicts_total", "digits", one, served] for one in ("right", "wrong", "no_character")]
        assert said == [1, 1, 1]


def test_a_version_that_was_never_served_is_none_among_the_metrics(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "samples.sqlite3", log_level="error") as server:
        for number in range(3):
            assert post(server, label="5", answer="5", model=f"a stranger's {number}").ok
        said = {name: value for name, value in figures(server).items() if name[0] == "digits_verdicts_total"}
        assert said == {("digits_verdicts_total", "digits", "right", ""): 3}
