"""Retraining unattended: one at a time, interrupted and gone on with, kept beside what is served and never served."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import torch

from app.models import __main__ as models
from app.models.bucket import BucketError, Folder
from benchmarks.hooked import SEVEN, Hand, drawing
from tests.support.api import ROOT, Server, serving
from tests.support.correcting import corrected, people
from tests.support.handwriting import DATA
from tests.support.pictures import encoded
from tests.support.s3 import NAME, FakeS3, fake_s3
from training import lock, retrain, scheduled
from training.lock import Held, Lock, alone

KEY = "an-admins-secret"
CHECKPOINT = "training/digits.onnx"
HOUR = timedelta(hours=1)
Main = Callable[..., str]


@pytest.fixture
def bucket(tmp_path: Path) -> Folder:
    (tmp_path / "bucket").mkdir()
    return Folder(tmp_path / "bucket")


def written(bucket: Folder) -> Lock:
    found = bucket.get(lock.KEY, 1000)
    assert found
    return Lock.model_validate_json(found.data)


def test_only_one_is_in_there_and_then_the_next(bucket: Folder) -> None:
    with alone(bucket, HOUR):
        with pytest.raises(Held, match=r"has the lock, until 20\d\d-.* UTC at most"), alone(bucket, HOUR):
            raise AssertionError
        assert not written(bucket).free
    assert written(bucket).free
    with alone(bucket, HOUR):
        pass


def test_an_error_frees_it_too(bucket: Folder) -> None:
    with pytest.raises(ZeroDivisionError), alone(bucket, HOUR):
        raise ZeroDivisionError
    assert written(bucket).free


def test_who_is_over_time_does_not_free_the_lock_of_the_next(bucket: Folder) -> None:
    late, punctual = alone(bucket, timedelta(0)), alone(bucket, HOUR)
    with late:
        punctual.__enter__()
    assert not written(bucket).free
    punctual.__exit__(None, None, None)
    assert written(bucket).free


def test_who_comes_second_at_the_same_time_is_told_so(bucket: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "look_up", lambda *_: None)
    bucket.put(lock.KEY, b"somebody's")
    with pytest.raises(Held, match="taken the lock just now"), alone(bucket, HOUR):
        raise AssertionError


def test_a_damaged_lock_is_named(bucket: Folder) -> None:
    bucket.put(lock.KEY, b"?")
    with pytest.raises(BucketError, match=r"training/lock\.json is damaged\. Delete it"), alone(bucket, HOUR):
        raise AssertionError


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Main]:
    """The command in this process: all that it says, on one line."""

    def run(*options: str) -> str:
        monkeypatch.setattr(sys, "argv", ["scheduled", *options])
        ending = ""
        try:
            scheduled.main()
        except SystemExit as end:
            ending = str(end.code)
        return " ".join("".join((*capfd.readouterr(), ending)).split())

    before = [(one, signal.getsignal(one)) for one in (signal.SIGALRM, signal.SIGTERM)]
    threads = torch.get_num_threads()
    yield run
    signal.alarm(0)
    for one, handler in before:
        signal.signal(one, handler)
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--bucket", "{folder}/none"], "There is no folder {folder}/none."),
        ([], "--bucket, or DIGITS_MODELS_BUCKET, is needed"),
        (["--bucket", "{folder}", "--minutes", "0"], "--minutes: at least 1"),
        (["--bucket", "{folder}", "--samples", "{folder}/none"], "is neither a folder nor a .zip."),
    ],
)
def test_what_is_wrong_is_said(
    options: list[str], told: str, main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGITS_MODELS_BUCKET", raising=False)
    given = [option.format(folder=tmp_path) for option in ["--samples", "http://127.0.0.1:1", *options]]
    assert told.format(folder=tmp_path) in main(*given)


def test_who_finds_the_lock_held_says_so_and_ends_well(main: Main, bucket: Folder, tmp_path: Path) -> None:
    with alone(bucket, HOUR):
        assert main("--bucket", str(tmp_path / "bucket"), "--samples", "none").startswith("Another training has the")


@dataclass
class Place:
    """An API with samples that serves what a bucket names."""

    api: Server
    s3: FakeS3

    @property
    def options(self) -> list[str]:
        given = f"--samples {self.api.url} --bucket s3://{NAME} --data {DATA} --limit 600 --count 8 --steps 40"
        return given.split()

    def train(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "training.scheduled", *self.options]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status, and all that it said, on one line."""
    output, _ = process.communicate(timeout=300)
    return process.returncode, " ".join(output.split())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with fake_s3() as s3:
        for name, value in (s3.environment | {retrain.ADMIN_KEYS: KEY}).items():
            monkeypatch.setenv(name, value)
        told = {"models_bucket": f"s3://{NAME}", "models_bucket_seconds": 0.2, "rate_per_address": 0}
        kept = {"samples_database": tmp_path / "samples.sqlite3", "admin_keys": KEY}
        with serving(tmp_path, **told, **kept) as api:
            yield Place(api, s3)


def test_from_corrections_to_a_model_that_somebody_chooses(
    place: Place, main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(*place.options).startswith("There are 0 samples of which somebody has said what they are")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(corrected, place.api.url), people(0, 40)))
    interrupted = place.train()
    end = time.monotonic() + 200
    while CHECKPOINT not in place.s3.objects:
        assert interrupted.poll() is None, said(interrupted)
        assert time.monotonic() < end
        time.sleep(0.05)
    interrupted.send_signal(signal.SIGTERM)
    status, output = said(interrupted)
    assert output.endswith("What it has learned is kept; start it again to go on."), output
    assert status == 1
    assert Lock.model_validate_json(place.s3.objects[lock.KEY]).free

    status, output = said(place.train())
    assert status == 0, output
    assert "It has been learned from before" in output
    (release,) = [key for key in place.s3.objects if key.startswith("models/digits/")]
    candidate = Path(release).stem
    assert output.endswith(f"{candidate} is kept: python -m app.models use {candidate} serves it.")
    assert json.loads(place.s3.objects[release])["record"]["gate"]["objections"] == []
    assert "current.json" not in place.s3.objects
    assert main(*place.options).startswith(f"Nothing is new: {candidate} has learned from")

    strangers = [encoded(drawing(Hand.of(person), SEVEN, person)) for person in people(2000, 30)]
    wrong = [picture for picture in strangers if place.api.predict(picture).json()["label"] != "7"]
    monkeypatch.setattr(sys, "argv", ["models", "use", candidate, "--bucket", f"s3://{NAME}"])
    models.main()
    end = time.monotonic() + 20
    while place.api.predict(wrong[0]).json()["model"]["version"] != candidate:
        assert time.monotonic() < end
        time.sleep(0.1)
    after = [place.api.predict(picture).json()["label"] for picture in wrong]
    assert after.count("7") > len(wrong) / 2
