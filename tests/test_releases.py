"""Models in a bucket: a folder and a bucket of S3's behave alike, and every API process serves what one command says."""

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from app import settings
from app.models import __main__ as command
from app.models.bucket import Bucket, BucketError, Changed, Folder, Missing, TooLarge, bucket_at
from app.models.releases import CURRENT, IMAGE, BrokenRelease, Releases
from app.models.shelf import BACK, FOUND, USED, NoSuchVersion
from app.reading.reader import LINES_FILE, ROWS_FILE
from app.reading.recognizer import MODEL_FILE, UnusableModel
from tests.support.api import Server, serving
from tests.support.models import install, install_lines
from tests.support.pictures import drawn, encoded, number
from tests.support.s3 import NAME, FakeS3, fake_s3

EVERY = 0.2
FIVE = encoded(drawn(5))


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    with fake_s3() as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield fake


@pytest.fixture(params=["folder", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return bucket_at(f"s3://{NAME}")
    (tmp_path / "bucket").mkdir()
    return bucket_at(str(tmp_path / "bucket"))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """What an image has: version 1, with a reader of lines."""
    install(tmp_path / "own", "digits", version="1")
    install_lines(tmp_path / "own", "digits")
    return tmp_path / "own"


def trained(folder: Path, version: str, **changes: object) -> Path:
    """The folder of a model that may be served."""
    return install(folder / "trained", version, version=version, **changes).parent


def test_what_is_written_is_read_and_told_apart(bucket: Bucket) -> None:
    bucket.put("models/a", b"one")
    found = bucket.get("models/a", 3)
    assert found is not None
    assert found.data == b"one"
    assert bucket.get("models/a", 3, found.etag) is None
    bucket.put("models/a", b"two", found.etag)
    other = bucket.get("models/a", 3, found.etag)
    assert other is not None
    assert (other.data, other.etag != found.etag) == (b"two", True)


def test_who_comes_second_does_not_write(bucket: Bucket) -> None:
    bucket.put("current", b"one")
    for etag in (None, '"another"'):
        with pytest.raises(Changed):
            bucket.put("current", b"two", etag)
    with pytest.raises(Changed):
        bucket.put("missing", b"two", '"any"')
    found = bucket.get("current", 3)
    assert found is not None
    assert found.data == b"one"


def test_what_is_not_there_or_too_large_is_named(bucket: Bucket) -> None:
    with pytest.raises(Missing, match="models/none"):
        bucket.get("models/none", 3)
    bucket.put("models/a", b"four")
    with pytest.raises(TooLarge, match="models/a has more than 3 bytes"):
        bucket.get("models/a", 3)


def test_keys_are_those_of_one_folder(bucket: Bucket, request: pytest.FixtureRequest) -> None:
    for key in ("models/b", "models/a", "models/c", "models/deeper/d", "other/e"):
        bucket.put(key, b"")
    if "s3" in request.fixturenames:
        request.getfixturevalue("s3").page = 2
    assert bucket.keys("models/") == ["models/a", "models/b", "models/c"]
    assert bucket.keys("none/") == []


def test_what_keeps_a_bucket_from_answering_is_told(
    s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(address: str) -> str:
        with pytest.raises(BucketError) as caught:
            bucket_at(address).get("a", 1)
        return str(caught.value)

    assert said("s3://other") == "The bucket other answers 404 for /a: NoSuchBucket."
    s3.away = True
    assert said("s3://models") == "The bucket models answers 503 for /a: SlowDown."
    assert said(str(tmp_path / "none")) == f"There is no folder {tmp_path}/none."
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    assert said("s3://models") == "The bucket models does not answer (ConnectError)."
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "There are no credentials for AWS" in said("s3://models")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert said("s3://models") == "Name the bucket's region in AWS_REGION."


def test_one_goes_back_as_often_as_one_went_on(bucket: Bucket, own: Path, tmp_path: Path) -> None:
    releases = Releases(bucket, "digits", own / "digits")
    assert (releases.kept, releases.history) == ([], [])
    for version in ("2", "3"):
        assert releases.put_aside(trained(tmp_path, version)) == version
        assert releases.use(version) == version
    assert [releases.back(), releases.back()] == ["2", IMAGE]
    with pytest.raises(NoSuchVersion, match="Nothing served before"):
        releases.back()
    assert [(entry.name, entry.how) for entry in releases.history] == [
        (IMAGE, FOUND),
        ("2", USED),
        ("3", USED),
        ("2", BACK),
        (IMAGE, BACK),
    ]
    assert releases.kept == ["2", "3"]
    with pytest.raises(NoSuchVersion, match=r"There is no version 9\. There are image, 2, 3\."):
        releases.use("9")


def test_a_release_has_what_stands_beside_its_model(own: Path, tmp_path: Path) -> None:
    """Its own, and of what it comes without what is there; each file once, named by what is in it."""
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    releases = Releases(Folder(bucket), "digits", own / "digits")
    second = trained(tmp_path, "2")
    (own / "digits" / ROWS_FILE).rename(second / ROWS_FILE)
    releases.put_aside(second)
    files = json.loads((bucket / "models/digits/2.json").read_text())["files"]
    assert set(files) == {MODEL_FILE, LINES_FILE, ROWS_FILE}
    for checksum in files.values():
        assert hashlib.sha256((bucket / f"models/{checksum}.onnx").read_bytes()).hexdigest() == checksum
    assert releases.put_aside(second) == "2"
    (second / ROWS_FILE).rename(own / "digits" / ROWS_FILE)
    assert releases.put_aside(trained(tmp_path / "again", "2", title="another")) == "2.2"
    assert len(list((bucket / "models").glob("*.onnx"))) == 4
    assert "MNIST test" in releases.record("2")["figures"]


def test_what_cannot_be_used_is_neither_kept_nor_served(own: Path, tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    releases = Releases(Folder(bucket), "digits", own / "digits")
    second = trained(tmp_path, "2")
    (second / MODEL_FILE).write_bytes(b"no model")
    with pytest.raises(UnusableModel, match="damaged"):
        releases.put_aside(second)
    with pytest.raises(UnusableModel, match="of the alphabet letters"):
        releases.put_aside(trained(tmp_path, "3", alphabet="letters"))
    assert list(bucket.iterdir()) == []
    releases.put_aside(trained(tmp_path, "4"))
    (file,) = (file for file in (bucket / "models").glob("*.onnx") if file.stat().st_size > 1_700_000)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BrokenRelease, match=r"model\.onnx is damaged: its SHA-256 is not"):
        releases.use("4")
    file.unlink()
    with pytest.raises(BrokenRelease, match=r"model\.onnx cannot be used\. There is no models/"):
        releases.use("4")
    (bucket / "models/digits/4.json").write_text('{"name": "4", "files": {"../model.onnx": "0"}}')
    with pytest.raises(BrokenRelease, match="4 is damaged"):
        releases.use("4")
    assert not (bucket / CURRENT).exists()


def test_of_two_who_promote_at_once_one_does(own: Path, tmp_path: Path) -> None:
    class Overtaken(Folder):
        """Somebody else promotes between the look and the write."""

        def put(self, key: str, data: bytes, etag: str | None = None) -> None:
            if key == CURRENT:
                Folder(tmp_path / "bucket").put(key, b"{}", etag)
            super().put(key, data, etag)

    (tmp_path / "bucket").mkdir()
    releases = Releases(Overtaken(tmp_path / "bucket"), "digits", own / "digits")
    releases.put_aside(trained(tmp_path, "2"))
    with pytest.raises(Changed, match="has been written by somebody else"):
        releases.use("2")
    assert (tmp_path / "bucket" / CURRENT).read_text() == "{}"


def test_the_commands(
    s3: FakeS3, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["app.models", *arguments])
        command.main()
        return capsys.readouterr().out

    monkeypatch.setenv("DIGITS_MODELS_DIR", str(own))
    monkeypatch.setenv("DIGITS_MODELS_BUCKET", f"s3://{NAME}")
    settings.load.cache_clear()
    try:
        assert said("list") == "Nothing has been changed yet: digits is served as it came.\n"
        assert said("keep") == "digits: 1 is kept.\n"
        assert said("keep", str(trained(tmp_path, "2"))) == "digits: 2 is kept.\n"
        assert said("use", "2") == "digits: 2 is in place; an API that runs serves it within 60 seconds.\n"
        first, second, third = said("list").splitlines()
        assert re.fullmatch(r"  \S+ +image found +\(what each came with\)", first)
        assert re.fullmatch(r"\* \S+ +2 +use", second)
        assert re.fullmatch(r"  never served +1", third)
        assert said("back", "--bucket", f"s3://{NAME}").startswith("digits: image is in place")
        s3.away = True
        with pytest.raises(SystemExit, match=r"The bucket models answers 503 for /current\.json: SlowDown\."):
            said("back")
    finally:
        settings.load.cache_clear()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(EVERY / 4)


def figure(server: Server, outcome: str) -> float:
    text = requests.get(server.url + "/metrics", timeout=10).text
    found = re.findall(rf'^digits_model_files_total{{.*outcome="{outcome}"}} (\S+)$', text, re.MULTILINE)
    return sum(map(float, found))


def version(server: Server) -> str:
    told: str = server.predict(FIVE).json()["model"]["version"]
    return told


def test_one_command_reaches_all_processes_and_another_goes_back(s3: FakeS3, own: Path, tmp_path: Path) -> None:
    """The bucket is away at their start and at the end; what cannot be used changes nothing in between."""
    releases = Releases(bucket_at(f"s3://{NAME}"), "digits", own / "digits")
    told = {"models_dir": own, "models_bucket": f"s3://{NAME}", "models_bucket_seconds": EVERY, "model_seconds": EVERY}
    s3.away = True
    with ExitStack() as stack:
        both = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            both.append(stack.enter_context(serving(tmp_path / name, **told)))
        until(lambda: all(figure(server, "not reached") > 0 for server in both))
        assert [version(server) for server in both] == ["1", "1"]
        s3.away = False
        for made in ("2", "3"):
            releases.put_aside(trained(tmp_path, made))
        releases.use("2")
        until(lambda: [version(server) for server in both] == ["2", "2"])
        assert both[0].predict(encoded(number(1, 7)), "/read/").json()["text"] == "17"

        install(tmp_path, "by-hand", version="by hand").replace(own / "digits" / MODEL_FILE)
        broken = json.loads(s3.objects["models/digits/3.json"])["files"][MODEL_FILE]
        whole, s3.objects[f"models/{broken}.onnx"] = s3.objects[f"models/{broken}.onnx"], b"half of it"
        states = json.loads(s3.objects[CURRENT])
        states["digits"]["release"] = json.loads(s3.objects["models/digits/3.json"])
        s3.objects[CURRENT] = json.dumps(states).encode()
        until(lambda: all(figure(server, "refused") == 1 for server in both))
        s3.objects[CURRENT] = b"no JSON"
        until(lambda: all(figure(server, "refused") > 2 for server in both))
        assert [version(server) for server in both] == ["2", "2"]

        s3.objects[f"models/{broken}.onnx"] = whole
        s3.objects[CURRENT] = json.dumps(states | {"digits": {"release": None, "history": []}}).encode()
        until(lambda: [version(server) for server in both] == ["by hand", "by hand"])
        releases.use("3")
        until(lambda: [version(server) for server in both] == ["3", "3"])
        s3.away, before = True, [figure(server, "not reached") for server in both]
        until(lambda: all(figure(server, "not reached") > past for server, past in zip(both, before, strict=True)))
        assert [version(server) for server in both] == ["3", "3"]
