"""What the API tells of its own answers: counted by model and version, over all processes, and held against the record."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from app.api import watch
from app.api.watch import LOOKS, LOOKS_EVERY, Watch
from app.drift import FEWEST, Reference
from app.reading.recognizer import ModelRecord, Prediction
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded
from tests.test_api_process import figures

PNG = encoded(drawn(5))
BATCH = 20


@pytest.fixture(scope="module", params=[1, 2])
def api(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api"), workers=request.param, log_level="error") as server:
        yield server


def told(api: Server, alphabet: str = "digits") -> Any:
    answer = requests.get(api.url + "/health/drift", timeout=9)
    assert answer.ok, answer.text
    (found,) = (one for one in answer.json()["alphabets"] if one["alphabet"] == alphabet)
    return found


def predict_many(api: Server, count: int, query: str = "") -> None:
    for _ in range(count // BATCH):
        files = [("files", ("x", PNG))] * BATCH
        assert requests.post(f"{api.url}/predict/batch/{query}", files=files, timeout=30).ok


def test_answers_are_counted_and_what_is_always_the_same_drifts(api: Server) -> None:
    before = told(api)
    assert before["expected"]["pictures"] == "drawings"
    assert before["answers"] == 0
    assert before["labels_drift"] is None
    assert before["warning"] is None
    assert api.predict(PNG).ok
    assert api.predict(PNG, "/predict/?trial=true").ok
    predict_many(api, FEWEST)
    predict_many(api, BATCH, "?trial=true")
    after = told(api)
    assert after["answers"] == FEWEST + 1
    assert after["labels"] == {"5": FEWEST + 1}
    assert sum(after["confidence"]) == FEWEST + 1
    assert after["versions"] == [{"version": after["version"], "answers": FEWEST + 1, "unsure": after["unsure"]}]
    assert after["labels_drift"]["drifts"]
    assert not after["confidence_drift"]["drifts"]
    assert "Some labels are answered far more" in after["warning"]
    assert told(api, "chinese")["answers"] == 0


def test_metrics_have_the_index(api: Server) -> None:
    found = figures(api)
    assert found["digits_drift", "digits", "labels"] > 1
    version = told(api)["version"]
    assert found["digits_answers_total", "digits", "5", version] == FEWEST + 1


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_answered_more_than_a_day_ago_is_forgotten() -> None:
    reference = Reference(pictures="t", count=100, labels={"7": 1.0}, confidence=(0,) * 9 + (1,))
    record = ModelRecord(
        alphabet="sevens", version="1", labels=["7"], sure_from=0.5, reading_version=1, reference=reference
    )
    clock = Clock()
    watching = Watch(clock)
    for _ in range(3):
        watch.count(record, Prediction("7", 0, 0.95, True, (0.95,)))
    watch.count(record, Prediction("7", 0, 0.25, False, (0.25,)))
    found = watching.watched(record, watch.counts(), [])
    assert found.since == datetime.fromtimestamp(clock.now, UTC)
    assert (found.answers, found.unsure, found.confidence) == (4, 1, [0, 0, 1, 0, 0, 0, 0, 0, 0, 3])
    for _ in range(LOOKS):
        clock.now += LOOKS_EVERY
        watching.look()
    watch.count(record, Prediction("7", 0, 0.95, True, (0.95,)))
    found = watching.watched(record, watch.counts(), [])
    assert (found.answers, found.unsure) == (1, 0)
    assert found.versions[0].answers == 5


def test_a_record_of_before_says_nothing_of_what_is_expected(tmp_path: Path) -> None:
    record = ModelRecord(alphabet="old", version="1", labels=["7"], sure_from=0.5, reading_version=1)
    found = Watch().watched(record, watch.counts(), [])
    assert found.expected is None
    assert found.warning is None
