"""Samples over HTTP: kept with consent, once, corrected, and taken back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from app.client.client import Client
from app.client.errors import Busy, Refused
from app.client.retries import NEVER
from app.samples.sample import MOST_BYTES, Sample, hashed
from app.samples.store import Store, opened
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded
from tests.support.samples import ANOTHER, PNG, VISITOR, delete_mine, holds, post, reasons


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[Server]:
    with serving(folder, samples_database=folder / "kept.sqlite3") as server:
        yield server


@pytest.fixture(scope="module")
def store(api: Server, folder: Path) -> Store:
    return opened(str(folder / "kept.sqlite3"))


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_all_that_is_said_is_kept(api: Server, store: Store) -> None:
    before = datetime.now(UTC)
    said: dict[str, Any] = {"label": "5", "answer": "6", "confidence": "0.61", "model": "2026.1-ab", "source": "canvas"}
    answer = post(api, visitor=VISITOR, id="all", alphabet="digits", **said)
    assert answer.status_code == 201
    assert answer.json() == {"id": "all", "request_id": answer.headers["X-Request-ID"]}
    kept = store.sample("all")
    assert before < kept.time < datetime.now(UTC)
    assert kept == Sample(
        id="all",
        picture=PNG,
        alphabet="digits",
        label="5",
        answer="6",
        confidence=0.61,
        model="2026.1-ab",
        source="canvas",
        visitor=hashed(VISITOR),
        time=kept.time,
    )


def test_a_picture_is_enough(api: Server, store: Store) -> None:
    kept = store.sample(post(api).json()["id"])
    assert (kept.label, kept.answer, kept.confidence, kept.model, kept.visitor) == (None,) * 5
    assert (kept.alphabet, kept.source, kept.reviewed) == ("digits", "api", False)


def test_empty_fields_say_nothing_but_for_the_label(api: Server, store: Store) -> None:
    answer = post(api, id="", alphabet="", answer="", confidence="", model="", source="")
    kept = store.sample(answer.json()["id"])
    assert (kept.label, kept.answer, kept.confidence, kept.model, kept.source) == (None, None, None, None, "api")


def test_to_send_it_again_does_no_harm(api: Server, store: Store) -> None:
    before = store.count()
    for _ in range(3):
        assert post(api, visitor=VISITOR, id="again", label="5").status_code == 201
    assert store.count() == before + 1


def test_a_verdict_may_be_changed_and_is_not_lost_by_saying_nothing(api: Server, store: Store) -> None:
    for said, label in (("3", "3"), ("5", "5"), (None, "5"), ("", "")):
        assert post(api, visitor=VISITOR, id="changed", label=said).status_code == 201
        assert store.sample("changed").label == label


def test_what_an_admin_has_reviewed_stays(api: Server, store: Store) -> None:
    post(api, id="reviewed", label="3")
    store.relabel("reviewed", "5")
    assert post(api, id="reviewed", label="3").status_code == 201
    assert (store.sample("reviewed").label, store.sample("reviewed").reviewed) == ("5", True)


def test_an_id_belongs_to_one_picture_of_one_visitor(api: Server) -> None:
    post(api, visitor=VISITOR, id="own")
    assert refusal(post(api, visitor=ANOTHER, id="own")) == (409, "sample_differs")
    assert refusal(post(api, id="own")) == (409, "sample_differs")
    assert refusal(post(api, encoded(drawn(6)), visitor=VISITOR, id="own")) == (409, "sample_differs")


def test_a_blank_picture_is_kept_as_no_character(api: Server, store: Store) -> None:
    blank = encoded(drawn(5).point(lambda _: 255))
    assert refusal(post(api, blank)) == (400, "blank_image")
    assert refusal(post(api, blank, label="5")) == (400, "blank_image")
    assert post(api, blank, id="blank", label="").status_code == 201
    assert store.sample("blank").label == ""


def test_a_label_is_one_of_the_alphabets(api: Server) -> None:
    answer = post(api, label="A")
    assert refusal(answer) == (422, "unknown_label")
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in answer.json()["error"]
    assert refusal(post(api, label="5", alphabet="elvish")) == (404, "unknown_alphabet")
    assert post(api, label="五", alphabet="chinese").status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "two words"),
        ("id", "x" * 65),
        ("id", "mine"),
        ("id", "export"),
        ("confidence", "1.5"),
        ("confidence", "nan"),
        ("confidence", "sure"),
        ("answer", "x" * 65),
        ("answer", "\0"),
        ("model", "a\nb"),
        ("source", "x" * 33),
        ("source", "From Mars"),
    ],
)
def test_what_makes_no_sense_is_named(api: Server, field: str, value: str) -> None:
    fields: dict[str, Any] = {field: value}
    answer = post(api, **fields)
    assert refusal(answer) == (422, "invalid_parameter")
    assert f"{field}: " in answer.json()["error"]


def test_a_picture_that_is_too_large_to_be_kept_is_refused(api: Server) -> None:
    """What comes after the picture in its file is of no account to who reads it."""
    assert post(api, PNG.ljust(MOST_BYTES, b"x")).status_code == 201
    larger = post(api, PNG.ljust(MOST_BYTES + 1, b"x"))
    assert refusal(larger) == (413, "too_large")
    assert "4,000,000 bytes" in larger.json()["error"]


def test_a_token_that_can_be_guessed_is_none(api: Server) -> None:
    assert refusal(post(api, visitor="short")) == (422, "invalid_parameter")
    assert requests.delete(api.url + "/samples/mine", timeout=9).json()["code"] == "invalid_parameter"


def test_deleted_is_deleted(api: Server, store: Store, folder: Path) -> None:
    """Also from the database's files; and it does not come back."""
    visitor, picture = "somebody-who-will-go", encoded(drawn(8))
    for number in range(3):
        post(api, picture, visitor=visitor, id=f"gone-{number}", label="8")
    assert holds(folder, [picture[100:]])
    before = store.count()
    assert delete_mine(api, visitor) == 3
    assert store.count() == before - 3
    assert not holds(folder, [picture[100:]])
    assert refusal(post(api, picture, visitor=visitor, id="gone-0")) == (410, "sample_deleted")
    assert post(api, picture, visitor=visitor).status_code == 201  # somebody who has agreed anew
    assert delete_mine(api, visitor) == 1
    assert delete_mine(api, visitor) == 0


def test_the_token_is_kept_nowhere(api: Server, folder: Path) -> None:
    post(api, visitor=VISITOR)
    assert not holds(folder, [VISITOR.encode()])


def test_the_client_speaks_it(api: Server, store: Store) -> None:
    with Client(api.url, visitor="the-client-s-own-token") as client:
        id = client.sample(PNG, label="5", answer="5", confidence=0.9, model="1", source="upload")
        assert (store.sample(id).label, store.sample(id).source) == ("5", "upload")
        assert client.sample(PNG, id=id, label="3") == id
        with pytest.raises(Refused) as refused:
            client.sample(PNG, label="A")
        assert refused.value.code == "unknown_label"
        assert client.delete_mine() == 1


def test_without_a_database_there_are_no_samples(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert refusal(post(server)) == (404, "no_samples")
        answer = requests.delete(server.url + "/samples/mine", headers={"X-Visitor": VISITOR}, timeout=9)
        assert refusal(answer) == (404, "no_samples")


def test_where_nothing_can_be_kept_it_says_so_and_predicts(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "missing" / "kept.sqlite3") as server:
        answer = post(server)
        assert refusal(answer) == (503, "samples_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        with pytest.raises(Busy):
            Client(server.url, retries=NEVER).sample(PNG)
        assert server.predict(PNG).json()["label"] == "5"
        assert (
            'digits_samples_total{outcome="unavailable"} 2.0' in requests.get(server.url + "/metrics", timeout=9).text
        )
        assert reasons(server, "Samples are not kept.") == ["OperationalError: unable to open database file"]
        (tmp_path / "missing").mkdir()
        assert post(server).status_code == 201


def test_a_full_file_refuses_samples_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path, samples_database=tmp_path / "kept.sqlite3", samples_megabytes=1) as server:
        noisy = encoded(drawn(5).resize((900, 900)), "BMP")
        first = [post(server, noisy, visitor=VISITOR).status_code for _ in range(3)]
        assert first[0] == 201
        assert first[-1] == 503
        assert server.predict(PNG).ok
        assert delete_mine(server, VISITOR) == first.count(201)
        assert post(server).status_code == 201
