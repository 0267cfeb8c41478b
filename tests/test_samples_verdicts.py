"""What people said of the answers, by day and version: of SQLite and of PostgreSQL alike, and over HTTP."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from app.samples.store import Store
from app.samples.verdicts import Said, by_day
from tests.support.api import serving
from tests.support.samples import post, sample
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


def test_they_are_told_with_the_drift_and_among_the_metrics(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "samples.sqlite3", log_level="error") as server:
        for label in ("5", "7", ""):
            assert post(server, label=label, answer="5", model="1").ok
        assert post(server, answer="5", model="1").ok
        told = requests.get(server.url + "/health/drift", timeout=30).json()["alphabets"][0]["verdicts"]
        (today,) = told
        assert (today["version"], today["right"], today["wrong"], today["no_character"]) == ("1", 1, 1, 1)
        found = figures(server)
        assert [found["digits_verdicts_total", "digits", one, "1"] for one in ("right", "wrong", "no_character")] == [
            1,
            1,
            1,
        ]
