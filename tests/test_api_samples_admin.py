"""What admins may do with samples over HTTP, and nobody else."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from app.client.client import Client
from app.client.errors import Incompatible, Refused, WrongKey
from app.samples.store import Store, opened
from tests.support.api import Server, serving
from tests.support.samples import PNG, clear, sample
from tests.support.scripted_api import scripted_api

KEY, ADMIN = "a-caller-s-key", "an-admin-s-key"

SAMPLES = [
    sample(id="sure-right", label="5", answer="5", confidence=0.99),
    sample(id="unsure-right", label="5", answer="5", confidence=0.4, reviewed=True),
    sample(id="unsure-wrong", label="6", answer="5", confidence=0.4, source="upload"),
    sample(id="sure-wrong", label="3", answer="5", confidence=0.98, visitor="ab" * 32),
    sample(id="no-character", label="", answer="5", confidence=0.7),
    sample(id="nobody-said", answer="5", confidence=0.5),
    sample(id="untold", label="5"),
    sample(id="of-chinese", label="五", answer="三", confidence=0.6, alphabet="chinese"),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    with serving(folder, samples_database=folder / "kept.sqlite3", api_keys=KEY, admin_keys=f"{ADMIN},x") as server:
        yield server


@pytest.fixture
def store(api: Server) -> Iterator[Store]:
    """With these samples, whatever was done to the former ones."""
    store = opened(str(api.output.parent / "kept.sqlite3"))
    clear(store)
    for one in SAMPLES:
        store.keep(one)
    yield store
    store.database.close()


@pytest.fixture
def admin(api: Server, store: Store) -> Iterator[Client]:
    with Client(api.url, ADMIN) as client:
        yield client


def ids(admin: Client, **filters: object) -> list[str]:
    return [one.id for one in admin.samples(**filters).samples]


CALLS = [("GET", "/samples/"), ("GET", "/samples/export"), ("PATCH", "/samples/x"), ("DELETE", "/samples/x")]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_only_for_those_who_have_an_admins_key(api: Server, method: str, path: str) -> None:
    for headers, code in (({}, "missing_key"), ({"X-API-Key": KEY}, "wrong_key"), ({"X-API-Key": "no"}, "wrong_key")):
        answer = requests.request(method, api.url + path, headers=headers, json={"label": "5"}, timeout=9)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
    allowed = requests.request(
        method, api.url + path, headers={"Authorization": f"Bearer {ADMIN}"}, json={"label": "5"}, timeout=9
    )
    assert allowed.status_code in (200, 404)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_admins_there_are_no_such_calls(server_without_admins: Server, method: str, path: str) -> None:
    answer = requests.request(method, server_without_admins.url + path, headers={"X-API-Key": KEY}, timeout=9)
    assert (answer.status_code, answer.json()["code"]) in [(404, "not_found"), (405, "method_not_allowed")]


@pytest.fixture(scope="module")
def server_without_admins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    with serving(folder, samples_database=folder / "kept.sqlite3", api_keys=KEY) as server:
        yield server


def test_a_path_names_all_its_methods(api: Server) -> None:
    for path, methods in (("/samples/", "GET, POST"), ("/samples/x", "DELETE, PATCH"), ("/openapi.json", "GET, HEAD")):
        answer = requests.put(api.url + path, headers={"X-API-Key": ADMIN}, timeout=9)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)


def test_the_document_tells_of_them_where_there_are_admins(api: Server, server_without_admins: Server) -> None:
    with_admins, without = (
        requests.get(server.url + "/openapi.json", timeout=9).json()["paths"] for server in (api, server_without_admins)
    )
    assert set(with_admins) - set(without) == {"/samples/export", "/samples/{id}"}
    assert set(with_admins["/samples/"]) == {"get", "post"}
    assert set(without["/samples/"]) == {"post"}


def test_a_sample_is_shown_with_its_picture_and_not_its_visitor(api: Server, store: Store) -> None:
    answer = requests.get(api.url + "/samples/", params={"label": "3"}, headers={"X-API-Key": ADMIN}, timeout=9).json()
    (shown,) = answer["samples"]
    assert shown == {
        "id": "sure-wrong",
        "alphabet": "digits",
        "label": "3",
        "reviewed": False,
        "answer": "5",
        "confidence": 0.98,
        "model": None,
        "source": "canvas",
        "time": SAMPLES[3].time.isoformat().replace("+00:00", "Z"),
        "picture": "data:image/png;base64," + base64.b64encode(PNG).decode(),
    }


def test_the_most_doubtful_first_and_those_of_unknown_confidence_last(admin: Client) -> None:
    assert ids(admin) == [
        "unsure-right",
        "unsure-wrong",
        "nobody-said",
        "of-chinese",
        "no-character",
        "sure-wrong",
        "sure-right",
        "untold",
    ]


def test_likely_errors_of_labels_first(admin: Client) -> None:
    assert ids(admin, order="suspect", alphabet="digits") == [
        "sure-wrong",
        "no-character",
        "unsure-right",
        "unsure-wrong",
        "sure-right",
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"alphabet": "chinese"}, {"of-chinese"}),
        ({"label": "6"}, {"unsure-wrong"}),
        ({"label": ""}, {"no-character"}),
        ({"answer": "三"}, {"of-chinese"}),
        ({"source": "upload"}, {"unsure-wrong"}),
        ({"reviewed": True}, {"unsure-right"}),
        ({"verdict": "none"}, {"nobody-said"}),
        ({"verdict": "right"}, {"sure-right", "unsure-right"}),
        ({"verdict": "wrong"}, {"sure-wrong", "unsure-wrong", "of-chinese"}),
        ({"verdict": "not_a_character"}, {"no-character"}),
        ({"before": SAMPLES[1].time}, {"sure-right"}),
        ({"label": "5", "answer": "5", "reviewed": False}, {"sure-right"}),
    ],
)
def test_filters(admin: Client, filters: dict[str, object], expected: set[str]) -> None:
    assert set(ids(admin, **filters)) == expected


@pytest.mark.parametrize("order", ["doubtful", "newest", "suspect"])
def test_pages_follow_each_other_without_gaps(admin: Client, store: Store, order: str) -> None:
    whole = ids(admin, order=order)
    found, after = [], None
    for _ in range(len(SAMPLES)):
        page = admin.samples(order=order, limit=2, after=after)
        found += [one.id for one in page.samples]
        after = page.next
        if after is None:
            break
    assert found == whole
    assert len(whole) >= 6


def test_a_page_of_large_pictures_is_shorter(store: Store) -> None:
    from app.samples.selection import Filters

    for number in range(3):
        store.keep(sample(id=f"large-{number}", picture=bytes(1000), source="large"))
    page = store.page(Filters(source="large"), most_bytes=2500)
    assert [one.id for one in page.samples] == ["large-2", "large-1"]
    page = store.page(Filters(source="large"), after=page.next, most_bytes=2500)
    assert ([one.id for one in page.samples], page.next) == (["large-0"], None)
    assert len(store.page(Filters(source="large"), most_bytes=10).samples) == 1


@pytest.mark.parametrize(
    "query",
    [
        "after=nonsense",
        "after=WzEsMV0%3D",
        "after=WzEsICIAIl0%3D",
        pytest.param(f"after={base64.b64encode(b'[' * 6000).decode()}", id="nested"),
        "order=none",
        "limit=0",
        "before=noon",
        "answer=5&answer=6",
    ],
)
def test_a_wrong_query_is_told(api: Server, store: Store, query: str) -> None:
    answer = requests.get(f"{api.url}/samples/?{query}", headers={"X-API-Key": ADMIN}, timeout=9)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


def test_relabelling(admin: Client, store: Store) -> None:
    assert admin.relabel("sure-wrong", "5").reviewed
    assert (store.sample("sure-wrong").label, store.sample("sure-wrong").reviewed) == ("5", True)
    for id, label, code in (("sure-wrong", "五", "unknown_label"), ("nowhere", "5", "unknown_sample")):
        with pytest.raises(Refused) as refused:
            admin.relabel(id, label)
        assert refused.value.code == code


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"label": 5}', b'{"label": "5", "mood": 1}'])
def test_a_body_that_says_no_label_is_told(api: Server, store: Store, body: bytes) -> None:
    headers = {"X-API-Key": ADMIN, "Content-Type": "application/json"}
    answer = requests.patch(api.url + "/samples/untold", data=body, headers=headers, timeout=9)
    broken = body == b"{"
    assert (answer.status_code, answer.json()["code"]) == (
        (400, "malformed_body") if broken else (422, "invalid_parameter")
    )


def test_deleting(admin: Client, store: Store) -> None:
    assert admin.delete_sample("untold") == 1
    with pytest.raises(Refused) as refused:
        admin.delete_sample("untold")
    assert refused.value.code == "unknown_sample"
    assert "untold" not in ids(admin)


def test_the_export_has_everything_in_order_of_time(admin: Client, store: Store) -> None:
    assert list(admin.export()) == SAMPLES
    clear(store)
    assert list(admin.export()) == []


def test_the_client_tells_why_there_is_no_export(api: Server) -> None:
    with pytest.raises(WrongKey):
        list(Client(api.url, "no").export())
    with scripted_api() as scripted:
        scripted.body = json.dumps({"id": "x"}) + "\n"
        with pytest.raises(Incompatible):
            list(Client(scripted.url).export())


def test_a_visitor_s_samples_are_gone_from_all_of_these(api: Server, admin: Client) -> None:
    fields: dict[str, Any] = {"id": "posted", "label": "5"}
    headers = {"X-API-Key": KEY, "X-Visitor": "somebody-s-own-token"}
    requests.post(api.url + "/samples/", files={"file": PNG}, data=fields, headers=headers, timeout=9)
    assert "posted" in [one.id for one in admin.export()]
    assert requests.delete(api.url + "/samples/mine", headers=headers, timeout=9).json()["deleted"] == 1
    assert "posted" not in [one.id for one in admin.export()]
    assert "posted" not in ids(admin)
