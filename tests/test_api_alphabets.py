"""Which alphabet a request names, in its query or its body, and what an answer in another than digits says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser

from tests.support.api import Server, serving
from tests.support.models import install
from tests.support.pictures import drawn, encoded
from tests.test_api_errors import FORM, data_url, form, part

LABELS = ["10", "٣", "二", "г", "ґ", "5", "6", "ж", "8", "9"]
"""In the places of the digits, whose model reads them."""

SEVEN, BLANK = encoded(drawn(7)), encoded(Image.new("L", (60, 60), 255))
LARGE_BLANK = encoded(Image.new("L", (1200, 1200), 255))
"""Goes through the other process."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("api")
    install(folder, "digits")
    install(folder, "letters", alphabet="letters", labels=LABELS, names={"ж": "zhe", "г": "he"})
    with serving(folder, models_dir=folder) as server:
        yield server


def text(value: bytes, name: str = "alphabet") -> bytes:
    """A part of a form."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def post(api: Server, path: str, *parts: bytes) -> requests.Response:
    return requests.post(api.url + path, data=form(*parts), headers={"Content-Type": FORM}, timeout=30)


def predicted(api: Server, query: str, *texts: bytes) -> requests.Response:
    return post(api, f"/predict/{query}", *(text(value) for value in texts), part("file", SEVEN))


@pytest.mark.parametrize(
    ("query", "texts", "label"),
    [
        ("", [], "7"),
        ("", [b"digits"], "7"),
        ("", [b"letters"], "ж"),
        ("?alphabet=letters", [], "ж"),
        ("?alphabet=letters", [b"letters"], "ж"),
        ("?alphabet=letters&alphabet=letters", [b"letters", b"letters"], "ж"),
        ("?alphabet=letters", [b""], "ж"),
        ("?alphabet=", [b"letters"], "ж"),
        ("?alphabet=", [b""], "7"),
    ],
)
def test_query_and_form_name_it(api: Server, query: str, texts: list[bytes], label: str) -> None:
    answer = predicted(api, query, *texts)
    assert answer.status_code == 200, answer.text
    assert answer.json()["label"] == label


def test_it_may_follow_the_file_and_may_be_sent_as_a_file(api: Server) -> None:
    for named in (text(b"letters"), part("alphabet", b"letters")):
        assert post(api, "/predict/", part("file", SEVEN), named).json()["label"] == "ж"


def test_one_for_all_of_a_batch(api: Server) -> None:
    sent = [part("files", SEVEN), part("files", BLANK), part("files", LARGE_BLANK)]
    for answer in (
        post(api, "/predict/batch/", text(b"letters"), *sent),
        post(api, "/predict/batch/", *sent, text(b"letters")),
        post(api, "/predict/batch/?alphabet=letters", *sent),
    ):
        seven, *blank = answer.json()["results"]
        assert seven["label"] == "ж"
        assert blank == [{"error": "Image is blank. Please provide a valid character.", "code": "blank_image"}] * 2


@pytest.mark.parametrize(
    ("query", "alphabet", "label"),
    [("", "letters", "ж"), ("", None, "7"), ("?alphabet=letters", "", "ж"), ("?alphabet=letters", "letters", "ж")],
)
def test_json_names_it(api: Server, query: str, alphabet: str | None, label: str) -> None:
    body = {"image": data_url(SEVEN), "alphabet": alphabet}
    assert requests.post(api.url + "/predict/" + query, json=body, timeout=9).json()["label"] == label


def assert_refused(answer: requests.Response, status: int, code: str, sentence: str) -> None:
    assert (answer.status_code, answer.json()["code"], answer.json()["error"]) == (status, code, sentence)


DIFFERENT = (422, "several_alphabets", "More than one alphabet is named. Please name one, in the query or in the body.")
UNKNOWN = (404, "unknown_alphabet", "There is no such alphabet. There are: digits, letters.")


def test_different_ones_are_refused(api: Server) -> None:
    assert_refused(predicted(api, "?alphabet=digits", b"letters"), *DIFFERENT)
    assert_refused(predicted(api, "?alphabet=digits&alphabet=letters"), *DIFFERENT)
    assert_refused(predicted(api, "", b"digits", b"letters"), *DIFFERENT)
    assert_refused(
        post(api, "/predict/batch/?alphabet=letters", text(b"digits"), part("files", SEVEN)),
        *DIFFERENT,
    )
    body = {"image": data_url(SEVEN), "alphabet": "letters"}
    assert_refused(requests.post(api.url + "/predict/?alphabet=digits", json=body, timeout=9), *DIFFERENT)


@pytest.mark.parametrize(
    "name", [b"elvish", b"\xff\xfe", b"letters\0", b"Letters", b" letters", b"../letters", b"x" * 5000]
)
def test_unknown_ones_are_refused_with_those_there_are(api: Server, name: bytes) -> None:
    assert_refused(predicted(api, "", name), *UNKNOWN)
    assert_refused(post(api, "/predict/batch/", part("files", SEVEN), text(name)), *UNKNOWN)
    body = {"image": data_url(SEVEN), "alphabet": name.decode("latin-1")}
    assert_refused(requests.post(api.url + "/predict/", json=body, timeout=9), *UNKNOWN)


@pytest.mark.parametrize("wrong", [7, True, ["letters"], {"name": "letters"}])
def test_in_json_it_is_a_text(api: Server, wrong: object) -> None:
    body = {"image": data_url(SEVEN), "alphabet": wrong}
    answer = requests.post(api.url + "/predict/", json=body, timeout=9)
    sentence = "alphabet: it must be a text, one of those that GET /alphabets/ lists."
    assert_refused(answer, 422, "invalid_parameter", sentence)


def test_half_a_character_in_json_is_none(api: Server) -> None:
    body = b'{"image": "%s", "alphabet": "\\ud800"}' % data_url(SEVEN).encode()
    answer = requests.post(api.url + "/predict/", data=body, headers={"Content-Type": "application/json"}, timeout=9)
    assert_refused(answer, 400, "malformed_body", "The body is no valid JSON.")


def test_a_huge_one_costs_nothing(api: Server) -> None:
    """A long name, one of many lines, one that is sent again and again: no more than a file that is as large."""
    huge = 9 << 20
    name = "/predict/", text(b"letters" + bytes(huge)), part("file", SEVEN)
    before = api.cpu_seconds()
    assert_refused(post(api, *name), *UNKNOWN)
    assert_refused(predicted(api, "", b"\r\n" * 500_000), *UNKNOWN)
    in_json = {"image": data_url(SEVEN), "alphabet": "x" * huge}
    assert_refused(
        requests.post(
            api.url + "/predict/", data=json.dumps(in_json), headers={"Content-Type": "application/json"}, timeout=9
        ),
        *UNKNOWN,
    )
    often = predicted(api, "", *[b"letters"] * 17)
    assert_refused(often, 400, "too_many_files", "The form has more than 16 fields besides the pictures.")
    assert predicted(api, "", *[b"letters"] * 16).json()["label"] == "ж"
    assert api.cpu_seconds() - before <= 0.5


def test_of_blank_pictures_it_is_told_what_is_wanted(api: Server) -> None:
    for blank in (BLANK, LARGE_BLANK):
        answer = post(api, "/predict/", part("file", blank), text(b"letters"))
        assert_refused(answer, 400, "blank_image", "Image is blank. Please provide a valid character.")
        answer = post(api, "/predict/", part("file", blank))
        assert_refused(answer, 400, "blank_image", "Image is blank. Please provide a valid digit.")


@pytest.mark.parametrize(("digit", "expected"), [(0, None), (1, None), (2, None), (5, 5), (7, None)])
def test_a_predicted_digit_is_one_from_0_to_9(api: Server, digit: int, expected: int | None) -> None:
    body = api.predict(encoded(drawn(digit)), "/predict/?alphabet=letters").json()
    assert body["label"] == LABELS[digit]
    assert body.get("predicted_digit") == expected
    assert ("predicted_digit" in body) == (expected is not None)


def test_every_label_that_has_a_name_comes_with_it(api: Server) -> None:
    body = api.predict(SEVEN, "/predict/?alphabet=letters").json()
    assert body["name"] == "zhe"
    assert {one["label"]: one.get("name") for one in body["alternatives"]} == {
        label: "he" if label == "г" else None for label in LABELS if label != "ж"
    }
    assert "name" not in api.predict(SEVEN).text


def test_the_docs_page_names_none_unless_told(api: Server, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(api.url + "/docs#/recognition/predict_predict__post")
        call = page.locator("#operations-recognition-predict_predict__post")
        call.get_by_role("button", name="Try it out").click()
        call.locator("input[type=file]").set_input_files({"name": "7.png", "mimeType": "image/png", "buffer": SEVEN})
        call.get_by_role("button", name="Execute").click()
        call.locator(".live-responses-table").get_by_text('"predicted_digit"').wait_for()


def test_the_document_tells_which_there_are(api: Server) -> None:
    document: Any = requests.get(api.url + "/openapi.json", timeout=9).json()
    for path in ("/predict/", "/predict/batch/"):
        call = document["paths"][path]["post"]
        parameter = next(one for one in call["parameters"] if one["name"] == "alphabet")
        in_form = call["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["alphabet"]
        assert parameter["description"] == in_form["description"]
        example = call["responses"]["404"]["content"]["application/json"]["examples"]["unknown_alphabet"]
        assert example["value"]["error"] == UNKNOWN[2]
    examples = document["paths"]["/predict/"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    answers = [requests.post(api.url + "/predict/", json=one["value"], timeout=9).json() for one in examples.values()]
    assert [answer["model"]["alphabet"] for answer in answers] == ["digits", "letters"]
    assert [answer["label"] for answer in answers] == ["7", "ж"]


def test_the_default_one_is_listed_first(api: Server, tmp_path: Path) -> None:
    def listed(server: Server) -> list[str]:
        return [one["name"] for one in requests.get(server.url + "/alphabets/", timeout=9).json()["alphabets"]]

    assert listed(api) == ["digits", "letters"]
    install(tmp_path, "digits")
    install(tmp_path, "letters", alphabet="letters", labels=LABELS)
    with serving(tmp_path, models_dir=tmp_path, default_alphabet="letters") as other:
        assert listed(other) == ["letters", "digits"]
        assert other.predict(SEVEN).json()["label"] == "ж"
