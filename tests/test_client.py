"""Both clients against a server that answers as told."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app import client as package
from app.client import calls, transport
from app.client.asynchronous import AsyncClient
from app.client.client import Client
from app.client.errors import (
    ApiError,
    Busy,
    Incompatible,
    Later,
    NotReached,
    Refused,
    ServerFailed,
    TimedOut,
    TooManyRequests,
    Unreachable,
    WrongKey,
)
from app.client.models import Answer, Failed, Problem, Read, ReadAnswer, Recognized
from app.client.pictures import encoded
from app.client.retries import NEVER, Retries, seconds_in
from tests.support import coroutines
from tests.support.scripted_api import SEVEN, Api, scripted_api


@pytest.fixture
def api() -> Iterator[Api]:
    with scripted_api() as api:
        yield api


class Awaited:
    """An `AsyncClient` for each call, awaited."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._made = arguments, options

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **options: Any) -> Any:
            async with AsyncClient(*self._made[0], **self._made[1]) as client:
                answer = getattr(client, name)(*arguments, **options)
                return [one async for one in answer] if name == "export" else await answer

        return lambda *arguments, **options: coroutines.run(call(*arguments, **options))


Ask = Callable[..., Any]


@pytest.fixture(params=[Client, Awaited], ids=["sync", "async"])
def client(request: pytest.FixtureRequest) -> Ask:
    """Makes a client, that asks once if nothing else is said."""
    kind: Ask = request.param
    return lambda *arguments, **options: kind(*arguments, **{"retries": NEVER} | options)


def test_an_answer_is_understood(api: Api, client: Ask) -> None:
    answer = client(api.url + "/").predict(b"picture", "digits", glyph=True)
    assert answer == Answer.model_validate(SEVEN)
    assert isinstance(answer, Answer)
    assert answer.label == "7"
    assert answer.confidences == {"7": 0.998, "1": 0.002}
    assert api.asked[0].path == "/predict/?glyph=true&alphabet=digits"
    assert b"picture" in api.asked[0].body


def test_nothing_is_asked_for_that_is_not_wanted(api: Api, client: Ask) -> None:
    client(api.url).predict(b"picture")
    assert api.asked[0].path == "/predict/"


def test_an_answer_of_a_later_version_is_understood(api: Api, client: Ask) -> None:
    """It has more, and less of what is not needed."""
    later = {key: value for key, value in SEVEN.items() if key not in ("predicted_digit", "request_id")}
    api.body = json.dumps(later | {"mood": "cheerful"})
    answer = client(api.url).predict(b"picture")
    assert isinstance(answer, Answer)
    assert (answer.label, answer.predicted_digit, answer.request_id) == ("7", None, "")


@pytest.mark.parametrize(("key", "shown"), [("one", "one"), ("", None), (None, None)])
def test_a_key_is_shown(api: Api, client: Ask, key: str | None, shown: str | None) -> None:
    client(api.url, key).predict(b"picture")
    assert api.asked[0].headers.get("X-API-Key") == shown


def test_a_refused_picture_is_an_answer(api: Api, client: Ask) -> None:
    api.status, api.body = 400, json.dumps({"error": "Image is blank.", "code": "blank_image", "request_id": "x"})
    refusal = client(api.url).predict(b"picture")
    assert refusal == Problem(error="Image is blank.", code="blank_image", request_id="x")


def test_a_batch_keeps_order_and_failures(api: Api, client: Ask) -> None:
    api.body = json.dumps({"results": [SEVEN, {"error": "Not a picture.", "code": "not_a_picture"}], "request_id": "x"})
    first, second = client(api.url).predict_batch([b"a", b"b"])
    assert isinstance(first, Recognized)
    assert first.label == "7"
    assert second == Failed(error="Not a picture.", code="not_a_picture")


def test_a_batch_that_is_refused_as_a_whole(api: Api, client: Ask) -> None:
    api.status, api.body = 400, json.dumps({"error": "Too many.", "code": "too_many_files", "request_id": "x"})
    with pytest.raises(Refused, match=r"status 400: Too many\."):
        client(api.url).predict_batch([b"a", b"b"])


YEAR = {
    "text": "20\n26",
    "confidence": 0.9,
    "sure": True,
    "lines": [{"text": "20", "confidence": 0.95}, {"text": "26", "confidence": 0.96}],
    "characters": [{"label": label, "confidence": 0.98, "box": [1, 2, 3.5, 4]} for label in "2026"],
    "model": {"alphabet": "digits", "version": "1"},
    "request_id": "abc",
}


def test_a_text_is_understood(api: Api, client: Ask) -> None:
    api.body = json.dumps(YEAR | {"mood": "cheerful"})
    answer = client(api.url).read(b"picture", "digits")
    assert answer == ReadAnswer.model_validate(YEAR)
    assert isinstance(answer, ReadAnswer)
    assert answer.characters[0].box == (1, 2, 3.5, 4)
    assert api.asked[0].path == "/read/?alphabet=digits"
    assert b"picture" in api.asked[0].body
    assert b"boxes" not in api.asked[0].body


def test_boxes_are_sent_along(api: Api, client: Ask) -> None:
    api.body = json.dumps(YEAR)
    client(api.url).read(b"picture", boxes=[(1, 2, 3.5, 4), (5, 6, 7, 8)])
    assert api.asked[0].path == "/read/"
    assert b'name="boxes"\r\n\r\n[[1, 2, 3.5, 4], [5, 6, 7, 8]]\r\n' in api.asked[0].body


def test_texts_keep_order_and_failures(api: Api, client: Ask) -> None:
    api.body = json.dumps({"results": [YEAR, {"error": "Not a picture.", "code": "not_a_picture"}], "request_id": "x"})
    first, second = client(api.url).read_batch([b"a", b"b"])
    assert isinstance(first, Read)
    assert first.text == "20\n26"
    assert second == Failed(error="Not a picture.", code="not_a_picture")
    assert api.asked[0].path == "/read/batch/"


def test_an_alphabet_without_lines(api: Api, client: Ask) -> None:
    """Is told of one picture, and refused of several."""
    api.status, api.body = 422, json.dumps({"error": "No lines.", "code": "no_lines", "request_id": "x"})
    refusal = client(api.url).read(b"picture", "letters")
    assert refusal == Problem(error="No lines.", code="no_lines", request_id="x")
    with pytest.raises(Refused, match=r"status 422: No lines\."):
        client(api.url).read_batch([b"a", b"b"], "letters")


def test_alphabets_are_read(api: Api, client: Ask) -> None:
    api.body = json.dumps({"alphabets": [{"name": "digits", "labels": ["0", "1"], "version": "1", "sure_from": 0.9}]})
    (digits,) = client(api.url).alphabets()
    assert (digits.name, digits.labels, digits.lines, digits.figures) == ("digits", ["0", "1"], False, {})


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_after"),
    [
        (401, {}, WrongKey, None),
        (429, {"Retry-After": "7"}, TooManyRequests, 7),
        (503, {"Retry-After": "3"}, Busy, 3),
        (503, {}, Busy, None),
        (503, {"Retry-After": "Sat, 21 Nov 2026 07:28:00 GMT"}, Busy, 0),
        (429, {"Retry-After": "86400"}, TooManyRequests, 86400),
        (429, {"Retry-After": "soon"}, TooManyRequests, None),
        (500, {}, ServerFailed, None),
        (502, {}, ServerFailed, None),
        (404, {}, Incompatible, None),
    ],
)
def test_every_failure_has_its_exception(
    api: Api, client: Ask, status: int, headers: dict[str, str], kind: type[ApiError], retry_after: float | None
) -> None:
    api.status, api.headers, api.body = status, headers, "<html>Traceback</html>"
    with pytest.raises(kind, match=f"status {status}") as raised:
        client(api.url).predict(b"picture")
    assert "Traceback" not in str(raised.value)
    if isinstance(raised.value, Later):
        assert raised.value.retry_after == retry_after


def test_nobody_at_home(client: Ask) -> None:
    with pytest.raises(Unreachable):
        client("http://127.0.0.1:1").predict(b"picture")
    assert not client("http://127.0.0.1:1").is_ready()


def test_no_answer_in_time(api: Api, client: Ask) -> None:
    api.wait.clear()
    with pytest.raises(TimedOut):
        client(api.url, answer_seconds=0.2).predict(b"picture")


def test_an_answer_of_another_version(api: Api, client: Ask) -> None:
    api.body = json.dumps({"digit": 7})
    with pytest.raises(Incompatible):
        client(api.url).predict(b"picture")


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False), (500, False)])
def test_ready(api: Api, client: Ask, status: int, ready: bool) -> None:
    api.status = status
    assert client(api.url).is_ready() == ready
    assert api.asked[0].path == "/health/ready"


def test_no_proxy_is_asked(api: Api, client: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client(api.url).is_ready()


def test_a_batch_of_any_size_is_sent_in_parts(api: Api, client: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many pictures and bytes; one alone as one picture, so that it alone is refused where it is too large."""
    monkeypatch.setattr(calls, "PART_FILES", 2)
    monkeypatch.setattr(calls, "PART_BYTES", 100)
    api.bodies = {"/predict/batch/": json.dumps({"results": [SEVEN, SEVEN], "request_id": "x"})}
    answers = client(api.url).predict_batch(b"x" * length for length in (10, 10, 10, 95, 300, 1, 1))
    assert [one.label for one in answers] == ["7"] * 7
    assert [call.path for call in api.asked] == ["/predict/batch/", *["/predict/"] * 3, "/predict/batch/"]
    api.bodies, api.body, api.status = {}, json.dumps({"error": "Too large.", "code": "too_large"}), 413
    (refused,) = client(api.url).read_batch([b"x" * 300])
    assert isinstance(refused, Failed)
    assert refused.code == "too_large"


def test_pictures_as_callers_have_them(api: Api, client: Ask, tmp_path: Path) -> None:
    (tmp_path / "7.png").write_bytes(b"of a file")
    image = Image.new("L", (4, 3), 200)
    for picture in (str(tmp_path / "7.png"), tmp_path / "7.png", b"of a file", bytearray(b"of a file")):
        client(api.url).predict(picture)
        assert b"of a file" in api.asked[-1].body
    client(api.url).predict_batch([image])
    assert encoded(image) in api.asked[-1].body
    with pytest.raises(FileNotFoundError):
        client(api.url).predict("nowhere.png")
    with pytest.raises(TypeError, match="A dict is no picture"):
        client(api.url).predict({})


GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    ("array", "mode", "pixels"),
    [
        (GREY, "L", GREY),
        (GREY[:, :, None], "L", GREY),
        (GREY.astype(np.int64), "L", GREY),
        (GREY[:, ::-1].T, "L", GREY[:, ::-1].T),
        (GREY / 255, "L", GREY),
        (GREY.astype(np.float32) / 255, "L", GREY),
        (GREY > 5, "L", (GREY > 5) * 255),
        (GREY.reshape(3, 2, 2), "LA", GREY.reshape(3, 2, 2)),
        (GREY.reshape(2, 2, 3), "RGB", GREY.reshape(2, 2, 3)),
        (GREY.reshape(3, 1, 4), "RGBA", GREY.reshape(3, 1, 4)),
    ],
)
def test_arrays_are_pictures(tmp_path: Path, array: Any, mode: str, pixels: Any) -> None:
    (tmp_path / "a.png").write_bytes(encoded(array))
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros((0, 3)), np.zeros((2, 2, 5)), np.full((2, 2), 256), np.full((2, 2), -1), GREY + 0.5]
)
def test_arrays_that_are_none(array: Any) -> None:
    with pytest.raises(ValueError, match="is no picture"):
        encoded(array)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
def test_images_of_every_mode(tmp_path: Path, mode: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.new(mode, (5, 4))))
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (5, 4)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that clients have waited, without the waiting; chance lets them wait the longest."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("app.client.client.time.sleep", waited.append)
    monkeypatch.setattr("app.client.asynchronous.anyio.sleep", sleep)
    monkeypatch.setattr("app.client.retries.random.uniform", lambda least, most: most)
    return waited


def scripted(api: Api, *answers: tuple[int, dict[str, str]]) -> None:
    """Let the API answer each call as told, and then well."""
    left = list(answers)

    class Asked(list[Any]):
        def append(self, call: Any) -> None:
            super().append(call)
            api.status, api.headers = left.pop(0) if left else (200, {})
            api.there = api.status != 0

    api.asked = Asked()


BUSY, LOST = (503, {"Retry-After": "3"}), (0, dict[str, str]())


@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        ([(503, {}), (429, {})], [0.25, 0.5]),
        ([BUSY, (429, {"Retry-After": "20"})], [3.25, 20.5]),
        ([LOST, LOST, (503, {})], [0.25, 0.5, 1.0]),
    ],
)
def test_what_may_be_asked_again_is(
    api: Api, client: Ask, waited: list[float], answers: list[Any], waits: list[float]
) -> None:
    scripted(api, *answers)
    assert client(api.url, retries=Retries()).predict(b"picture").label == "7"
    assert waited == waits
    assert len(api.asked) == len(answers) + 1
    assert len({call.body.count(b"picture") for call in api.asked}) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "asked"),
    [
        ([BUSY] * 9, Busy, 5),
        ([LOST] * 9, Unreachable, 5),
        ([(429, {"Retry-After": "61"})], TooManyRequests, 1),
        ([BUSY, (429, {"Retry-After": "57"})], TooManyRequests, 2),
        ([(500, {})], ServerFailed, 1),
        ([(401, {})], WrongKey, 1),
    ],
)
def test_it_is_not_asked_for_ever(
    api: Api, client: Ask, waited: list[float], answers: list[Any], kind: type[ApiError], asked: int
) -> None:
    """Nor where that cannot help, or would take longer than anybody waits."""
    scripted(api, *answers)
    with pytest.raises(kind):
        client(api.url, retries=Retries()).predict(b"picture")
    assert len(api.asked) == asked


def test_what_harms_when_done_twice_is_asked_again_only_if_it_was_not_done(
    api: Api, client: Ask, waited: list[float]
) -> None:
    scripted(api, LOST)
    with pytest.raises(Unreachable):
        client(api.url, retries=Retries()).delete_mine()
    assert len(api.asked) == 1
    scripted(api, BUSY)
    api.body = json.dumps({"deleted": 3})
    assert client(api.url, retries=Retries()).delete_mine() == 3
    with pytest.raises(NotReached):
        client("http://127.0.0.1:1", retries=Retries()).delete_sample("x")
    assert waited == [3.25, 0.25, 0.5, 1.0, 2.0]


def test_a_sample_sent_twice_has_one_id(api: Api, client: Ask, waited: list[float]) -> None:
    scripted(api, LOST)
    api.body = json.dumps({"id": "given"})
    assert client(api.url, retries=Retries()).sample(b"picture", label="7") == "given"
    first, second = (call.body.split(b'name="id"')[1].split()[0] for call in api.asked)
    assert first == second
    assert len(first) == 32


def test_waiting_grows_and_is_by_chance() -> None:
    random.seed(1)
    waits = Retries(times=9, patience=1000).waits()
    seconds = [waits.after(Busy("busy"), True) for _ in range(9)]
    for place, one in enumerate(seconds):
        most = min(8.0, 0.25 * 2**place)
        assert most / 2 <= one <= most
    assert len(set(seconds)) == 9
    with pytest.raises(Busy):
        waits.after(Busy("busy"), True)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("-3", 0), ("Fri, 27 Nov 2026 12:00:30 GMT", 30), ("Fri, 27 Nov 2026 11:00:00 GMT", 0), ("", None)],
)
def test_retry_after(said: str, seconds: float | None) -> None:
    assert seconds_in(said, datetime(2026, 11, 27, 12, tzinfo=UTC)) == seconds


def test_a_proxy_that_is_named_is_asked(api: Api, client: Ask) -> None:
    assert client("http://digits.example", proxy=api.url).predict(b"picture").label == "7"
    assert api.asked[0].path == "http://digits.example/predict/"


def test_certificates_are_looked_at_where_there_are_some() -> None:
    for address, verified in (("https://digits.example", True), ("http://127.0.0.1:8000", False)):
        assert transport.options(address, None, 1, 1, None, None)["verify"] is verified


def test_a_client_of_many_tasks(api: Api) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(api.url) as client:
            return await asyncio.gather(*(client.predict(b"picture") for _ in range(20)))

    assert {one.label for one in coroutines.run(ask())} == {"7"}


def test_an_export_in_pieces_of_any_size() -> None:
    line = {"id": "x", "alphabet": "digits", "time": "2026-11-27T12:00:00Z", "picture": "eA==", "label": "\u2028"}
    data = "\n".join(json.dumps(line | {"id": str(place)}, ensure_ascii=False) for place in range(9)).encode()
    for size in (1, 7, 100, 5000):
        export = transport.Export()
        found = [one for at in range(0, len(data), size) for one in export.samples(data[at : at + size])]
        assert [one.id for one in found + export.last()] == [str(place) for place in range(9)]


def test_samples_are_exported(api: Api, client: Ask) -> None:
    line = json.dumps({"id": "x", "alphabet": "digits", "time": "2026-11-27T12:00:00Z", "picture": "eA=="})
    api.body = f"{line}\n{line}\n"
    assert [one.picture for one in client(api.url).export()] == [b"x", b"x"]
    api.body, api.status = json.dumps({"error": "No samples.", "code": "no_samples"}), 404
    with pytest.raises(Refused, match=r"No samples\."):
        list(client(api.url).export())


def test_the_package_gives_both() -> None:
    assert package.Recognizer is Client
    assert package.AsyncRecognizer is AsyncClient
    with pytest.raises(AttributeError):
        package.Nobody  # noqa: B018


ALONE = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {left_out}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
from app.client import AsyncRecognizer, Recognizer
AsyncRecognizer("http://localhost:1")
print(Recognizer("{url}").predict(b"picture").label)
"""


def test_it_needs_neither_numpy_nor_the_page(api: Api) -> None:
    left_out = {"numpy", "PIL", "streamlit", "requests", "onnxruntime", "fastapi", "sqlalchemy", "click"}
    program = ALONE.format(left_out=left_out, url=api.url)
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert finished.stdout == "7\n", finished.stderr


def test_it_is_installed_alone(tmp_path: Path) -> None:
    """Of a copy: a build leaves things behind."""
    root = Path(__file__).parent.parent
    for name in ("app/__init__.py", "app/py.typed", "app/client", "app/cli", "app/samples", "pyproject.toml"):
        target = tmp_path / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(root / name)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    finished = subprocess.run(
        [*command, "--target", str(tmp_path / "installed"), str(tmp_path / "source")],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert finished.returncode == 0, finished.stderr
    metadata = next((tmp_path / "installed").glob("*.dist-info/METADATA")).read_text()
    needed = {line.split(";")[0].split(":")[1].strip() for line in metadata.splitlines() if 'extra == "client"' in line}
    assert needed == {"httpx", "pydantic"}
    assert (tmp_path / "installed" / "bin" / "digits").exists()
    assert (tmp_path / "installed" / "app" / "py.typed").exists()
