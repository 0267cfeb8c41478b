"""Every kind of broken request has its own answer, cheaply, and tells nothing of the server."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator

import pytest
import requests
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.api import errors
from tests.support import coroutines, handmade
from tests.support.api import Server, serving
from tests.support.pictures import drawn, encoded

PNG = encoded(drawn(5))
JPEG = encoded(drawn(5), "JPEG")
FORM = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("digit.png", PNG)
    return file.getvalue()


def jpeg_of_many_scans() -> bytes:
    """A small file that makes a decoder go over all of a large picture again and again."""
    return handmade.with_last_scan(encoded(drawn(5).resize((64, 64)), "JPEG", progressive=True), 3000)


def laborious() -> bytes:
    """A small file of which a decoder makes several hundred megabytes: so long are its rows."""
    return handmade.png_of_zeros(24_000_000, 5)


FILES = {
    "nothing": (b"", 400, "empty_file"),
    "text": (b"This is a text file that somebody called digit.png.", 415, "not_a_picture"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>', 415, "not_a_picture"),
    "ZIP": (zip_file(), 415, "not_a_picture"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", 415, "not_a_picture"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), 415, "not_a_picture"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "not_a_picture"),
    "PNG cut short": (PNG[: len(PNG) // 2], 400, "damaged_picture"),
    "JPEG cut short": (JPEG[: len(JPEG) // 2], 400, "damaged_picture"),
    "PNG with nonsense in its data": (PNG[:60] + b"nonsense" * 30 + PNG[300:], 400, "damaged_picture"),
    "JPEG of many scans": (jpeg_of_many_scans(), 400, "damaged_picture"),
    "JPEG of many scans, said to hold two pictures": (handmade.as_mpo(jpeg_of_many_scans()), 400, "damaged_picture"),
    "decompression bomb": (handmade.png_of_zeros(50_000, 3_000), 413, "too_many_pixels"),
    "larger bomb": (handmade.png_of_zeros(20_000, 10), 400, "blank_image"),
    "more memory than there is": (laborious(), 422, "too_laborious"),
    "header of a giant": (handmade.png(100_000, 100_000, [bytes(99)]), 413, "too_many_pixels"),
}


def assert_problem(answer: requests.Response, status: int, code: str) -> None:
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert set(body) == {"error", "code", "request_id"}
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert body["error"].endswith(".")
    for secret in ("Traceback", "/app", "site-packages", "<", "0x", "PIL", "Error("):
        assert secret not in body["error"]


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_recognized(api: Server, name: str) -> None:
    data, status, code = FILES[name]
    before = api.cpu_seconds()
    assert_problem(api.predict(data), status, code)
    assert api.cpu_seconds() - before <= 0.1


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


def part(name: str, data: bytes) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'.encode() + data


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


BODIES = {
    "no body": ("", b"", 415, "unsupported_media_type"),
    "another kind": ("text/plain", PNG, 415, "unsupported_media_type"),
    "the bare picture": ("image/png", PNG, 415, "unsupported_media_type"),
    "a form without files": (FORM, form(), 422, "missing_file"),
    "another field": (FORM, form(part("picture", PNG)), 422, "missing_file"),
    "text in place of a file": (FORM, form(b'Content-Disposition: form-data; name="file"\r\n\r\nx'), 422, "missing_file"),
    "two files": (FORM, form(part("file", PNG), part("file", PNG)), 400, "too_many_files"),
    "a hundred fields": (FORM, form(*[part(f"f{i}", b"") for i in range(100)]), 400, "too_many_files"),
    "an empty form": (FORM, b"", 400, "malformed_body"),
    "no boundary": ("multipart/form-data", form(part("file", PNG)), 400, "malformed_body"),
    "another boundary": (FORM, b"--a\r\n" + part("file", PNG) + b"\r\n--a--", 400, "malformed_body"),
    "a form cut short": (FORM, form(part("file", PNG), end=b""), 400, "malformed_body"),
    "a part's endless header": (FORM, form(b"X: " + b"y" * 9000 + b"\r\n\r\n"), 400, "malformed_body"),
    "broken JSON": ("application/json", b'{"image": ', 400, "malformed_body"),
    "no text": ("application/json", b"\xff\xfe\x00", 400, "malformed_body"),
    "JSON, nested deeply": ("application/json", b"[" * 100_000, 422, "invalid_parameter"),
    "a list": ("application/json", b"[]", 422, "invalid_parameter"),
    "no image": ("application/json", b"{}", 422, "missing_file"),
    "a number": ("application/json", b'{"image": 7}', 422, "invalid_parameter"),
    "another field in JSON": ("application/json", json.dumps({"image": data_url(PNG), "x": 1}).encode(), 422, "invalid_parameter"),
    "an address": ("application/json", b'{"image": "http://127.0.0.1/x.png"}', 422, "invalid_parameter"),
    "broken base64": ("application/json", json.dumps({"image": data_url(PNG)[:-3]}).encode(), 422, "invalid_parameter"),
    "a text in base64": ("application/json", json.dumps({"image": data_url(b"hello")}).encode(), 415, "not_a_picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_none(api: Server, name: str) -> None:
    kind, body, status, code = BODIES[name]
    before = api.cpu_seconds()
    answer = requests.post(api.url + "/predict/", data=body, headers={"Content-Type": kind} if kind else {}, timeout=9)
    assert_problem(answer, status, code)
    assert api.cpu_seconds() - before <= 0.1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/predict/?alphabet=elvish", 404, "unknown_alphabet"),
        ("/predict/?glyph=perhaps", 422, "invalid_parameter"),
        ("/predict//", 404, "not_found"),
        ("/metrics", 405, "method_not_allowed"),
    ],
)
def test_wrong_calls(api: Server, path: str, status: int, code: str) -> None:
    assert_problem(api.predict(PNG, path), status, code)


def test_an_unknown_alphabet_is_answered_with_those_there_are(api: Server) -> None:
    assert "digits" in api.predict(PNG, "/predict/?alphabet=elvish").json()["error"]


def test_batches_with_too_many_files_or_none(api: Server) -> None:
    too_many = requests.post(api.url + "/predict/batch/", files=[("files", ("x", PNG))] * 65, timeout=9)
    assert_problem(too_many, 400, "too_many_files")
    none = requests.post(api.url + "/predict/batch/", files={"file": PNG}, timeout=9)
    assert_problem(none, 422, "missing_file")
    json_body = requests.post(api.url + "/predict/batch/", json={}, timeout=9)
    assert_problem(json_body, 415, "unsupported_media_type")


def test_what_is_no_http_is_told_so_in_json(api: Server) -> None:
    head, _, body = api.raw(b"hello there\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "bad_request"
    assert json.loads(body)["error"] == "This is no HTTP request that can be understood."


def test_an_error_answers_as_the_nearest_class_that_has_a_code() -> None:
    class WornKey(errors.WrongKey):
        pass

    for error in (WornKey(), errors.WrongKey()):
        status, problem, headers = errors.problem(error, "5f0c2a9be1d44c37")
        assert (status, problem.code, problem.error) == (401, "wrong_key", "This API key is not known here.")
        assert headers == {"WWW-Authenticate": "Bearer"}
        assert errors.failed(error).code == "wrong_key"


def test_nothing_is_told_of_an_error_without_a_code() -> None:
    secret = RuntimeError("the password is 1234")
    status, problem, _ = errors.problem(secret, "5f0c2a9be1d44c37")
    assert (status, problem.code) == (500, "internal_error")
    assert "1234" not in problem.error
    with pytest.raises(RuntimeError):
        errors.failed(secret)


def test_a_status_of_the_framework_without_a_code_is_left_to_the_log() -> None:
    request = Request({"type": "http", "state": {"request_id": "5f0c2a9be1d44c37"}})
    with pytest.raises(HTTPException):
        coroutines.run(errors.answer(request, HTTPException(418)))


def test_the_routers_own_errors_read_as_the_others_do(api: Server) -> None:
    nowhere = requests.get(api.url + "/nowhere", timeout=9)
    assert nowhere.json()["error"] == "Not Found. All calls are listed at /docs."
    wrong_method = api.predict(PNG, "/metrics")
    assert wrong_method.json()["error"] == "Method Not Allowed. All calls are listed at /docs."
    assert wrong_method.headers["Allow"] == "GET"
