"""Lines of characters: what is asked, what is answered, and what is refused."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import uvicorn
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from app.api.main import create_app
from app.api.uploads import MAX_BOX_VALUES
from app.client.client import Client
from app.client.models import MAX_BOXES, ReadAnswer
from app.reading.lines import Page
from app.reading.reader import LineReader
from app.settings import Settings
from tests.support.api import Server, serving
from tests.support.models import install, install_lines
from tests.support.pictures import drawn, encoded, number
from tests.support.ports import free_port
from tests.test_api_errors import assert_problem, data_url

NUMBER, SEVEN = encoded(number(2, 0, 7)), encoded(drawn(7))
LARGE = encoded(number(2, 0, 7).resize((1800, 800)), "TIFF")

BLANK = encoded(Image.new("L", (60, 60), 255))
NO_LINES = (
    "Lines of the alphabet letters cannot be read, only single characters. Alphabets that can be read so: digits."
)


def models(folder: Path) -> Path:
    """Digits, of which lines can be read, and letters, of which they cannot."""
    install(folder, "digits")
    install_lines(folder, "digits")
    install(folder, "letters", alphabet="letters")
    return folder


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = models(tmp_path_factory.mktemp("api"))
    with serving(folder, models_dir=folder) as server:
        yield server


def read(api: Server, sent: bytes, path: str = "/read/", **options: Any) -> requests.Response:
    return requests.post(api.url + path, files={"file": ("picture", sent)}, timeout=30, **options)


@pytest.mark.parametrize("data", [NUMBER, LARGE], ids=["small", "large"])
def test_a_number(api: Server, data: bytes) -> None:
    answer = read(api, data)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["text"] == "207"
    assert 0 <= body["confidence"] <= 1
    assert isinstance(body["sure"], bool)
    (line,) = body["lines"]
    assert line["text"] == "207"
    assert [one["label"] for one in body["characters"]] == ["2", "0", "7"]
    scale = 5 if data == LARGE else 1
    for place, one in enumerate(body["characters"]):
        left, top, right, bottom = (limit / scale for limit in one["box"])
        assert 120 * place < left < right < 120 * (place + 1)
        assert 25 < top < bottom < 135
        assert 0 <= one["confidence"] <= 1
    assert body["model"] == read(api, SEVEN, "/predict/").json()["model"]
    assert body["request_id"] == answer.headers["X-Request-ID"]


def test_it_is_asked_as_predict_is(api: Server) -> None:
    expected = {**read(api, NUMBER).json(), "request_id": 0}
    for answer in (
        read(api, NUMBER, "/read", allow_redirects=False),
        read(api, NUMBER, "/read/?alphabet=digits"),
        read(api, NUMBER, data={"alphabet": "digits", "boxes": ""}),
        requests.post(api.url + "/read/", json={"image": data_url(NUMBER), "alphabet": "digits"}, timeout=9),
        requests.post(api.url + "/read/", json={"image": data_url(NUMBER), "boxes": []}, timeout=9),
    ):
        assert answer.status_code == 200, answer.text
        assert {**answer.json(), "request_id": 0} == expected


@pytest.mark.parametrize("path", ["/read/batch/", "/read/batch"])
def test_a_batch_keeps_order_and_has_errors_in_place(api: Server, path: str) -> None:
    sent = [NUMBER, BLANK, LARGE, b"", NUMBER[:500], b"no picture", SEVEN]
    answer = requests.post(api.url + path, files=[("files", ("x", data)) for data in sent], timeout=30)
    assert answer.status_code == 200
    assert [result.get("text") or result["code"] for result in answer.json()["results"]] == [
        "207",
        "blank_image",
        "207",
        "empty_file",
        "damaged_picture",
        "not_a_picture",
        "7",
    ]
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_blank_and_broken_pictures(api: Server) -> None:
    assert read(api, BLANK).json()["error"] == "Image is blank. Please provide a valid digit."
    assert_problem(read(api, BLANK), 400, "blank_image")
    assert_problem(read(api, encoded(Image.new("L", (1200, 1200)))), 400, "blank_image")
    assert_problem(read(api, NUMBER[:500]), 400, "damaged_picture")
    assert_problem(read(api, b"text"), 415, "not_a_picture")


def test_lines_of_an_alphabet_without_them(api: Server) -> None:
    files = [("files", ("x", NUMBER))]
    for answer in (
        read(api, NUMBER, "/read/?alphabet=letters"),
        read(api, NUMBER, data={"alphabet": "letters"}),
        requests.post(api.url + "/read/", json={"image": data_url(NUMBER), "alphabet": "letters"}, timeout=9),
        requests.post(api.url + "/read/batch/?alphabet=letters", files=files, timeout=9),
    ):
        assert_problem(answer, 422, "no_lines")
        assert answer.json()["error"] == NO_LINES
    document = requests.get(api.url + "/openapi.json", timeout=9).json()
    for path in ("/read/", "/read/batch/"):
        examples = document["paths"][path]["post"]["responses"]["422"]["content"]["application/json"]["examples"]
        assert examples["no_lines"]["value"]["error"] == NO_LINES


def test_alphabets_tell_which_have_lines(api: Server) -> None:
    assert {one.name: one.lines for one in Client(api.url).alphabets()} == {"digits": True, "letters": False}


NO_LIST, TOO_MANY = "boxes: this is no list of boxes.", "boxes: there are too many."


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ('"everywhere"', NO_LIST),
        ("7", NO_LIST),
        ("{}", NO_LIST),
        ("[7]", "boxes: number 1 is no box."),
        ("[[1, 2, 3]]", "boxes: number 1 is no box."),
        ("[[1, 2, 3, 4], [1, 2, 3, 4, 5]]", "boxes: number 2 is no box."),
        ('[[1, 2, 3, "4"]]', "boxes: number 1 is no box."),
        ("[[1, 2, true, 4]]", "boxes: number 1 is no box."),
        ("[[1, 2, 3, null]]", "boxes: number 1 is no box."),
        ("[[NaN, 2, 3, 4]]", "boxes: number 1 is no box."),
        ("[[1, 2, 3, 1e999]]", "boxes: number 1 is no box."),
        ("[[1, 2, 3, 4], [3, 2, 3, 4]]", "boxes: number 2 is no box."),
        ("[[1, 4, 3, 2]]", "boxes: number 1 is no box."),
        (json.dumps([[1, 2, 3, 4]] * (MAX_BOXES + 1)), TOO_MANY),
    ],
)
def test_boxes_that_are_none(api: Server, boxes: str, told: str) -> None:
    accepted = "At most 64 are accepted, each as [left, top, right, bottom] in pixels, left smaller than right and top than bottom."
    in_json = f'{{"image": "{data_url(NUMBER)}", "boxes": {boxes}}}'
    for answer in (
        read(api, NUMBER, data={"boxes": boxes}),
        requests.post(api.url + "/read/", data=in_json, headers={"Content-Type": "application/json"}, timeout=9),
    ):
        assert_problem(answer, 422, "invalid_parameter")
        assert answer.json()["error"] == f"{told} {accepted}"


def test_boxes_in_a_form_are_json_and_there_once(api: Server) -> None:
    for boxes in ("[[1, 2, 3", "\ufffd", "[" * 10_000, json.dumps([[1, 2, 3, 4]] * 2000)):
        assert read(api, NUMBER, data={"boxes": boxes}).json()["error"].startswith(NO_LIST)
    twice = read(api, NUMBER, data=[("boxes", "[[1, 2, 3, 4]]")] * 2)
    assert_problem(twice, 422, "invalid_parameter")
    assert twice.json()["error"].startswith("boxes: they are given more than once.")


def test_boxes_are_for_lines(api: Server) -> None:
    body = {"image": data_url(SEVEN), "boxes": [[1, 2, 3, 4]]}
    answer = requests.post(api.url + "/predict/", json=body, timeout=9)
    assert_problem(answer, 422, "invalid_parameter")
    assert answer.json()["error"] == "The JSON body has fields other than 'image' and 'alphabet'."
    answer = requests.post(api.url + "/read/", json=body | {"labels": []}, timeout=9)
    assert answer.json()["error"] == "The JSON body has fields other than 'image', 'alphabet' and 'boxes'."


def test_many_boxes_cost_nothing(api: Server) -> None:
    many = json.dumps([[1, 2, 3, 4]] * 500_000)
    before = api.cpu_seconds()
    in_json = f'{{"image": "{data_url(NUMBER)}", "boxes": {many}}}'
    answer = requests.post(api.url + "/read/", data=in_json, headers={"Content-Type": "application/json"}, timeout=9)
    assert_problem(answer, 422, "invalid_parameter")
    assert "nothing else but 'alphabet' and 'boxes'" in answer.json()["error"]
    answer = read(api, NUMBER, data={"boxes": many})
    assert_problem(answer, 422, "invalid_parameter")
    assert api.cpu_seconds() - before <= 0.5


def test_characters_and_lines_are_asked_for_at_once(api: Server) -> None:
    def ask(place: int) -> str:
        path, data = [("/read/", NUMBER), ("/predict/", SEVEN), ("/read/", SEVEN)][place % 3]
        body = read(api, data, path).json()
        return str(body.get("text") or body["label"])

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(60))) == ["207", "7", "7"] * 20


def test_a_page_of_specks_keeps_nobody_waiting_who_asks_for_one_character(api: Server) -> None:
    """Small to send, and tens of thousands of pieces that may be characters."""
    specks = (np.random.default_rng(0).random((1000, 1000)) > 0.02).astype(np.uint8) * 255
    page = encoded(Image.fromarray(specks).convert("1"))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(read, api, page)
        time.sleep(0.2)
        for _ in range(20):
            assert read(api, SEVEN, "/predict/").elapsed.total_seconds() < 1
        assert answer.result().status_code in (200, 400, 422)


def figures(api: Server) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(requests.get(api.url + "/metrics", timeout=5).text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_figures_for_prometheus(api: Server) -> None:
    before = figures(api)
    read(api, encoded(number(2, 2, 7)))
    requests.post(api.url + "/read/batch/", files=[("files", ("x", data)) for data in (NUMBER, BLANK)], timeout=30)
    after = figures(api)

    def more(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more("digits_texts_total", "digits") == 2
    assert more("digits_text_confidence_count", "digits") == 2
    assert more("digits_text_characters_total", "digits", "2") == 3
    assert more("digits_text_characters_total", "digits", "7") == 2
    assert more("digits_predictions_total", "digits", "7") == 0
    assert more("digits_errors_total", "blank_image") == 1
    assert more("digits_requests_total", "/read/", "200") == 1
    assert more("digits_requests_total", "/read/batch/", "200") == 1


def test_a_text_counts_as_a_picture(tmp_path: Path) -> None:
    folder = models(tmp_path)
    with serving(folder, models_dir=folder, trusted_proxies=1, rate_per_address=6) as server:
        caller = {"X-Forwarded-For": "203.0.113.7"}
        files = [("files", ("x", NUMBER))] * 4
        batch = requests.post(server.url + "/read/batch/", files=files, headers=caller, timeout=9)
        assert batch.status_code == 200
        assert [read(server, NUMBER, headers=caller).status_code for _ in range(3)] == [200, 200, 429]


@contextlib.contextmanager
def serving_here(folder: Path) -> Iterator[str]:
    """The address of an API in this process."""
    port = free_port()
    app = create_app(Settings(models_dir=models(folder)))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)


def test_of_boxes_each_has_its_character_in_the_order_given(tmp_path: Path) -> None:
    seven, two = (240.0, 0.0, 360.0, 160.0), (0.5, 0.25, 119.75, 160.0)
    with serving_here(tmp_path) as url:
        answer = Client(url).read(NUMBER, boxes=[seven, two])
        assert isinstance(answer, ReadAnswer)
        assert answer.text == "72"
        assert [one.label for one in answer.characters] == ["7", "2"]
        assert [one.box[0] >= 240 for one in answer.characters] == [True, False]
        body = {"image": data_url(NUMBER), "alphabet": "digits", "boxes": [seven, two]}
        in_json = requests.post(url + "/read/", json=body, timeout=9).json()
        assert in_json["text"] == "72"
        most = [[0, 0, 120.12345678901235 + place, 160.12345678901235] for place in range(MAX_BOXES)]
        by_form = {"files": {"file": NUMBER}, "data": {"boxes": json.dumps(most, indent=4)}}
        for sent in ({"json": body | {"boxes": most}}, by_form):
            answered = requests.post(url + "/read/", timeout=9, **sent).json()
            assert len(answered["characters"]) == MAX_BOXES
        nowhere = requests.post(url + "/read/", json=body | {"boxes": [[130, 0, 140, 5]]}, timeout=9)
        assert nowhere.json()["code"] == "empty_box"
        document = requests.get(url + "/openapi.json", timeout=9).json()
        examples = document["paths"]["/read/"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        for example in examples.values():
            assert requests.post(url + "/read/", json=example["value"], timeout=9).json()["text"] == "7"
    assert json.dumps(most).count("[") + json.dumps(most).count(",") == MAX_BOX_VALUES


def test_the_network_is_asked_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set()
    by_itself = LineReader.read

    def watched(self: LineReader, pages: Sequence[Page]) -> Any:
        asked.add(threading.current_thread().name)
        return by_itself(self, pages)

    with serving_here(tmp_path) as url:
        monkeypatch.setattr(LineReader, "read", watched)
        assert requests.post(url + "/read/", files={"file": NUMBER}, timeout=9).json()["text"] == "207"
        assert requests.post(url + "/read/batch/", files={"files": NUMBER}, timeout=9).ok
    assert asked == {"bulk"}
