"""The OpenAPI document's example of each error is, word for word, what a caller reads who makes that mistake."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from PIL import Image

from app.samples.sample import MOST_BYTES
from app.settings import Settings
from tests.support import handmade
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded
from tests.test_api_errors import FILES, FORM, form, laborious, part
from tests.test_api_read import models

KEY = "a-key-for-tests"
PNG = encoded(drawn(5))
DEFAULTS = Settings.model_construct()
ONE, SEVERAL = ("file", 1), ("files", DEFAULTS.max_batch_files)
FIELDS = {"/predict/": ONE, "/predict/batch/": SEVERAL, "/read/": ONE, "/read/batch/": SEVERAL, "/samples/": ONE}
"""Each call's form field and how many files it takes."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """All limits are the defaults, which the examples name."""
    folder = models(tmp_path_factory.mktemp("api"))
    settings = {"models_dir": folder, "samples_database": folder / "samples.sqlite3", "log_level": "error"}
    with serving(folder, api_keys=KEY, trusted_proxies=1, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where one picture may wait, a request has a second to arrive, and samples have nowhere to go."""
    folder = models(tmp_path_factory.mktemp("hurried"))
    settings = {"models_dir": folder, "samples_database": folder / "missing" / "samples.sqlite3", "log_level": "error"}
    with serving(folder, max_waiting=1, body_seconds=1, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where no samples are kept."""
    with serving(tmp_path_factory.mktemp("forgetful"), log_level="error") as server:
        yield server


@pytest.mark.parametrize("path", FIELDS)
def test_every_error_reads_as_its_example(api: Server, hurried: Server, forgetful: Server, path: str) -> None:
    answers = refused_requests(api, path)
    if FIELDS[path] == ONE:
        answers |= refused_pictures(api, path)
    answers |= refused_samples(api, hurried, forgetful) if path == "/samples/" else refused_parameters(api, path)
    read = {code: sentence(answer, code) for code, answer in answers.items()}
    read |= {"too_slow": slow_sender(hurried, path), "overloaded": overloaded(hurried, path)}
    assert read == examples(api, path)


def examples(api: Server, path: str) -> dict[str, str]:
    """The sentence of each documented code."""
    document = requests.get(api.url + "/openapi.json", timeout=9).json()
    return {
        code: example["value"]["error"]
        for status, answer in document["paths"][path]["post"]["responses"].items()
        if not status.startswith("2")
        for code, example in answer["content"]["application/json"]["examples"].items()
    }


def sentence(answer: requests.Response, code: str) -> str:
    assert answer.json()["code"] == code
    return str(answer.json()["error"])


def post(api: Server, path: str, body: bytes, kind: str = FORM, **headers: str) -> requests.Response:
    return requests.post(api.url + path, data=body, headers={"Content-Type": kind, **headers}, timeout=30)


def refused_requests(api: Server, path: str) -> dict[str, requests.Response]:
    """An answer for each code of requests that are wrong whatever is on the pictures."""
    field, limit = FIELDS[path]
    good = form(part(field, PNG))
    keyed = {"X-API-Key": KEY}
    return {
        "malformed_body": post(api, path, b"--another\r\n", **keyed),
        "too_many_files": post(api, path, form(*[part(field, PNG)] * (limit + 1)), **keyed),
        "unsupported_media_type": post(api, path, PNG, "image/png", **keyed),
        "too_large": post(api, path, bytes(DEFAULTS.max_body_bytes + 1), **keyed),
        "missing_file": post(api, path, form(part("picture", PNG)), **keyed),
        "unknown_alphabet": post(api, path + "?alphabet=elvish", good, **keyed),
        "several_alphabets": post(api, path + "?alphabet=digits&alphabet=elvish", good, **keyed),
        "missing_key": post(api, path, good),
        "wrong_key": post(api, path, good, **{"X-API-Key": "a-guess"}),
        "too_many_requests": too_many_requests(api, path),
    }


def many_bars() -> Image.Image:
    """More strokes than a few lines of writing have."""
    picture = Image.new("L", (500, 500), 255)
    for y, x in itertools.product(range(8, 490, 22), range(8, 490, 22)):
        picture.paste(0, (x, y, x + 3, y + 14))
    return picture


def refused_parameters(api: Server, path: str) -> dict[str, requests.Response]:
    """Likewise, of those that not every call has."""
    field, _ = FIELDS[path]
    good, keyed = part(field, PNG), {"X-API-Key": KEY}
    if path.startswith("/predict/"):
        return {"invalid_parameter": post(api, path + "?glyph=perhaps", form(good), **keyed)}
    refused = {"no_lines": post(api, path + "?alphabet=letters", form(good), **keyed)}
    if path == "/read/":
        wrong = form(good, part("boxes", b"[[9, 9, 9, 9]]"))
        refused["invalid_parameter"] = post(api, path, wrong, **keyed)
        refused["empty_box"] = post(api, path, form(good, part("boxes", b"[[0, 0, 2, 2]]")), **keyed)
        refused["too_much_writing"] = post(api, path, form(part("file", encoded(many_bars()))), **keyed)
    return refused


def refused_samples(api: Server, hurried: Server, forgetful: Server) -> dict[str, requests.Response]:
    """Likewise, of samples."""
    keyed, owned = {"X-API-Key": KEY}, {"X-API-Key": KEY, "X-Visitor": "the-token-of-a-visitor"}
    good, there, gone = part("file", PNG), part("id", b"there"), part("id", b"gone")
    for sample, headers in ((there, keyed), (gone, owned)):
        assert post(api, "/samples/", form(good, sample), **headers).status_code == 201
    assert requests.delete(api.url + "/samples/mine", headers=owned, timeout=9).json()["deleted"] == 1
    return {
        "invalid_parameter": post(api, "/samples/", form(good, part("source", b"A")), **keyed),
        "unknown_label": post(api, "/samples/", form(good, part("label", b"A")), **keyed),
        "too_large": post(api, "/samples/", form(part("file", PNG.ljust(MOST_BYTES + 1, b"x"))), **keyed),
        "sample_differs": post(api, "/samples/", form(good, there), **owned),
        "sample_deleted": post(api, "/samples/", form(good, gone), **keyed),
        "samples_unavailable": post(hurried, "/samples/", form(good)),
        "no_samples": post(forgetful, "/samples/", form(good)),
    }


def too_many_requests(api: Server, path: str) -> requests.Response:
    """The answer to the first of many quick requests that is one too many."""
    address = {"X-Forwarded-For": f"203.0.113.{len(path)}", "X-API-Key": KEY}
    with requests.Session() as session:
        for _ in range(DEFAULTS.rate_per_address + 30):  # some of the allowance comes back meanwhile
            answer = session.post(api.url + path, headers=address, timeout=9)
            if answer.status_code == 429:
                break
    return answer


def refused_pictures(api: Server, path: str) -> dict[str, requests.Response]:
    pictures = {
        "blank_image": encoded(drawn(5).point(lambda _: 255)),
        "empty_file": b"",
        "damaged_picture": FILES["PNG cut short"][0],
        "not_a_picture": FILES["text"][0],
        "too_many_pixels": handmade.png(12_000, 12_000, [bytes(99)]),
        "too_laborious": laborious(),
    }
    return {code: post(api, path, form(part("file", data)), **{"X-API-Key": KEY}) for code, data in pictures.items()}


def slow_sender(hurried: Server, path: str) -> str:
    """What is read by one whose body does not come, with the default's seconds in place of this server's one."""
    answer = hurried.raw(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 90\r\n\r\n-".encode()
    )
    assert b'"code":"too_slow"' in answer
    text = answer.decode().partition('"error":"')[2].partition('"')[0]
    assert " 1 seconds" in text
    return text.replace(" 1 seconds", f" {DEFAULTS.body_seconds:g} seconds")


def overloaded(hurried: Server, path: str) -> str:
    field, limit = FIELDS[path]
    body = form(*[part(field, PNG)] * min(limit, 2))
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda _: post(hurried, path, body), range(160))
        refused = next(answer for answer in answers if "overloaded" in answer.text)
    return sentence(refused, "overloaded")
