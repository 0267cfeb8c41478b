"""Models exchanged while the API runs: under load, in all its processes, with every answer checked."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import requests
from onnx import numpy_helper
from prometheus_client.parser import text_string_to_metric_families

from app.api.models import Models
from app.models.shelf import HISTORY_FILE, Shelf
from app.reading.reader import LINES_FILE
from app.reading.recognizer import MODEL_FILE, UnusableModel
from tests.support.api import Server, serving
from tests.support.models import install, install_lines
from tests.support.pictures import drawn, encoded, number

EVERY = 0.1
PICTURES = {str(label): encoded(drawn(label)) for label in (3, 5, 8)}
NUMBER = encoded(number(1, 7))


def trained(folder: Path, version: str, temperature: float = 1.0, **changes: Any) -> Path:
    """The folder of a model that answers as the shipped one, with another confidence."""
    file = install(folder, version, version=version, **changes)
    model = onnx.load(file)
    (divisor,) = (node.input[1] for node in model.graph.node if node.op_type == "Div")
    (value,) = (one for one in model.graph.initializer if one.name == divisor)
    value.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(value) * np.float32(temperature), divisor))
    onnx.save(model, file)
    return file.parent


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Version 1 is served, with a reader of lines."""
    install(tmp_path / "models", "digits", version="1")
    install_lines(tmp_path / "models", "digits")
    return Shelf(tmp_path / "models", "digits")


def versions(server: Server) -> dict[str, str]:
    listed = requests.get(server.url + "/alphabets/", timeout=10).json()["alphabets"]
    return {alphabet["name"]: alphabet["version"] for alphabet in listed}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end
        time.sleep(EVERY / 2)


def entries(server: Server, message: str) -> list[dict[str, Any]]:
    return [entry for entry in server.log() if entry["message"].startswith(message)]


def wait_until_taken_up(server: Server, version: str, times: int) -> None:
    """By all processes: one that is late would miss a version, were there another already."""
    until(lambda: [one["version"] for one in entries(server, "A model file was taken up.")].count(version) >= times)


class Load:
    """Callers who go on asking, each for its own picture or number, and keep what they are told."""

    def __init__(self, server: Server) -> None:
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.failed: list[str] = []
        self._server, self._over = server, threading.Event()

    def __enter__(self) -> "Load":
        self._pool = ThreadPoolExecutor(len(PICTURES) + 1)
        for label, picture in PICTURES.items():
            self._pool.submit(self._ask, label, picture, "/predict/")
        self._pool.submit(self._ask, "17", NUMBER, "/read/")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()

    def _ask(self, right: str, picture: bytes, path: str) -> None:
        while not self._over.is_set():  # each on a connection of its own, so that all processes are asked
            answer = self._server.predict(picture, path)
            if answer.ok:
                self.answers.append((right, answer.json()))
            else:
                self.failed.append(answer.text)

    def wait_for(self, version: str, count: int) -> None:
        until(lambda: sum(answer["model"]["version"] == version for _, answer in self.answers) >= count)


@pytest.mark.parametrize("workers", [1, 2])
def test_exchanged_under_load(shelf: Shelf, tmp_path: Path, workers: int) -> None:
    """No answer is wrong, refused or of two models: each has the confidence that its version gives to its picture."""
    temperatures = {"1": 1.0, "2": 2.0, "3": 0.5}
    told: dict[tuple[str, str], set[float]] = {}
    with serving(tmp_path, models_dir=shelf.folder.parent, model_seconds=EVERY, workers=workers) as server:
        with Load(server) as load:
            load.wait_for("1", 20)
            for version in ("2", "3"):
                shelf.put(trained(tmp_path / "trained", version, temperatures[version]))
                wait_until_taken_up(server, version, workers)
                load.wait_for(version, 40)
            shelf.back()
            wait_until_taken_up(server, "2", 2 * workers)
            until(lambda: {answer["model"]["version"] for _, answer in load.answers[-10:]} == {"2"})
            before = len(load.answers)
            until(lambda: len(load.answers) > before + 40)
        after = {answer["model"]["version"] for _, answer in load.answers[before:]}
    assert not load.failed
    for right, answer in load.answers:
        assert answer.get("label", answer.get("text")) == right
        told.setdefault((right, answer["model"]["version"]), set()).add(answer["confidence"])
    assert {version for _, version in told} == {"1", "2", "3"}
    assert all(len(confidences) == 1 for confidences in told.values())
    assert all(len({told[right, version].copy().pop() for version in "123"}) > 1 for right in PICTURES)
    assert after == {"2"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Shelf]]:
    folder = tmp_path_factory.mktemp("api")
    install(folder / "models", "digits", version="1")
    with serving(folder, models_dir=folder / "models", model_seconds=EVERY) as server:
        yield server, Shelf(folder / "models", "digits")


def figure(server: Server, outcome: str) -> float:
    text = requests.get(server.url + "/metrics", timeout=5).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "digits_model_files_total" and sample.labels["outcome"] == outcome
    )


def test_a_broken_file_is_refused_once_and_told(served: tuple[Server, Shelf], tmp_path: Path) -> None:
    server, shelf = served
    whole = (shelf.folder / MODEL_FILE).read_bytes()
    (shelf.folder / MODEL_FILE).write_bytes(whole[: len(whole) // 2])
    until(lambda: figure(server, "refused") == 1)
    time.sleep(3 * EVERY)
    (refusal,) = entries(server, "A model file was refused")
    assert refusal["level"] == "error"
    assert refusal["reason"] == "digits/model.onnx cannot be loaded: it is damaged or no ONNX file."
    assert (refusal["alphabet"], refusal["before"]) == ("digits", "1")
    assert figure(server, "refused") == 1
    assert server.predict(PICTURES["5"]).json()["model"]["version"] == versions(server)["digits"] == "1"
    shelf.put(trained(tmp_path, "2"))
    until(lambda: versions(server)["digits"] == "2")
    assert figure(server, "taken up") == 1


def test_a_start_with_a_broken_file_serves_what_served_before(tmp_path: Path) -> None:
    """As a process does that takes the place of one that died."""
    install(tmp_path / "models", "digits", version="1")
    shelf = Shelf(tmp_path / "models", "digits")
    shelf.put(trained(tmp_path / "trained", "2"))
    (shelf.folder / MODEL_FILE).write_bytes(b"no model")
    with serving(tmp_path, models_dir=tmp_path / "models", model_seconds=EVERY) as server:
        assert server.predict(PICTURES["5"]).json()["model"]["version"] == "2"
        (refusal,) = entries(server, "A model file was refused")
        assert (refusal["level"], refusal["before"]) == ("error", "2")
        assert figure(server, "refused") == 1
        shelf.use("1")
        until(lambda: versions(server)["digits"] == "1")


def test_a_start_with_a_broken_file_and_a_broken_history_names_the_file(tmp_path: Path) -> None:
    install(tmp_path / "models", "digits", version="1")
    folder = tmp_path / "models/digits"
    Shelf(tmp_path / "models", "digits").put(trained(tmp_path / "trained", "2"))
    for name in (MODEL_FILE, HISTORY_FILE):
        (folder / name).write_bytes(b"no model")
    with pytest.raises(UnusableModel, match=MODEL_FILE):
        Models(tmp_path / "models", "digits")


def test_a_new_alphabet_is_taken_up(served: tuple[Server, Shelf]) -> None:
    server, shelf = served
    install(shelf.folder.parent, "letters", alphabet="letters", version="7")
    until(lambda: versions(server).get("letters") == "7")
    answer = server.predict(PICTURES["8"], "/predict/?alphabet=letters").json()
    assert (answer["label"], answer["model"]["alphabet"]) == ("8", "letters")


def test_whatever_does_not_fit_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    install(tmp_path / "models", "digits", version="1")
    models, shelf = Models(tmp_path / "models", "digits"), Shelf(tmp_path / "models", "digits")
    assert models.fresh() == {}
    turned = install(tmp_path, "turned", labels=list("9876543210"))
    other = install(tmp_path, "other", alphabet="letters")
    for file, reason in ((turned, "tells other labels apart"), (other, "is of the alphabet letters")):
        file.rename(shelf.folder / MODEL_FILE)
        assert models.fresh() == {}
        assert reason in caplog.records[-1].fields["reason"]  # type: ignore[attr-defined]
    install(tmp_path, "again", version="1").rename(shelf.folder / MODEL_FILE)
    assert set(models.fresh()) == {"digits"}
    (shelf.folder / LINES_FILE).write_bytes(b"no lines")
    assert models.fresh() == {}
    (shelf.folder / MODEL_FILE).unlink()
    assert models.fresh() == {}
    assert models.versions == {"digits": "1"}
