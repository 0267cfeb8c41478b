"""The whole loop: drawn, corrected, exported, learned from, held against what is served, taken up, right."""

import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from app.models.shelf import Shelf
from app.reading.recognizer import MODEL_FILE, Recognizer
from app.samples.export import write
from app.samples.sample import Sample, hashed
from benchmarks.hooked import SEVEN, Hand, drawing
from tests.conftest import need
from tests.support.api import Server, serving
from tests.support.correcting import corrected, people
from tests.support.handwriting import DATA, mnist_digits
from tests.support.models import DIGITS, install, install_lines
from tests.support.pictures import encoded
from tests.support.workflow import ROOT, Workflow
from training import alphabets, corrections, datasets, package, retrain
from training.challenge import Contest, Verdict
from training.datasets import NO_CHARACTER, GlyphSet
from training.devices import Device
from training.fine_tuning import Config, fine_tuned
from training.networks import LargerCNN, logits_of
from training.training_data import TrainingData
from training.weights import WEIGHTS_KEY, network_of

KEY = "an-admins-secret"
EVERY = 0.1
Learn = Callable[..., str]

ALPHABET = alphabets.named("digits")


@dataclass
class Place:
    """An API that keeps samples, and the models that it serves."""

    api: Server
    shelf: Shelf


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("loop")
    install(folder / "models", "digits", version="first")
    install_lines(folder / "models", "digits")
    told = {"models_dir": folder / "models", "model_seconds": EVERY, "rate_per_address": 0}
    kept = {"samples_database": folder / "samples.sqlite3", "admin_keys": KEY}
    with serving(folder, **told, **kept) as api:
        yield Place(api, Shelf(folder / "models", "digits"))


@pytest.fixture
def learn(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Learn]:
    """Run the command with a source of samples and more options; the sentence that it ends with, if any."""
    monkeypatch.setattr(package, "MODELS", place.shelf.folder.parent)
    monkeypatch.setenv(retrain.ADMIN_KEYS, f"{KEY}, another")

    def run(source: str, *options: str) -> str:
        given = ["retrain", "--samples", source, "--data", str(DATA), "--output", str(tmp_path / "run"), *options]
        monkeypatch.setattr(sys, "argv", given)
        try:
            retrain.main()
        except SystemExit as end:
            return str(end.code)
        return ""

    threads = torch.get_num_threads()
    yield run
    torch.set_num_threads(threads)


@pytest.fixture
def checkout(place: Place, tmp_path: Path) -> Path:
    """The project as the pipeline finds it, on a branch main, with what the API serves for its model of digits."""
    folder = tmp_path / "checkout"
    for name in ("app", "training"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "versions", "ukrainian")
        )
    shutil.copytree(place.shelf.folder, folder / "app/models/digits", dirs_exist_ok=True)
    record = {"data_sha256": datasets.checksums(DATA, ALPHABET.files)}
    (folder / "app/models/digits/record.json").write_text(json.dumps(record))
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / ".venv").symlink_to(sys.prefix)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=all")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(folder, "push", "--quiet", "origin", "main")
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


GH = """#!/bin/sh
echo "$@" >> "$CALLS"
"""
"""In place of GitHub's command, which the pipeline asks to open the request."""


def test_the_loop(place: Place, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the pipeline goes it: each step of .github/workflows/train.yml by its own command."""
    need(shutil.which("git") and shutil.which("jq"), "the pipeline's steps need git and jq")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(partial(corrected, place.api.url), people(0, 40)))
    strangers = [encoded(drawing(Hand.of(person), SEVEN, person)) for person in people(2000, 30)]
    wrong = [picture for picture in strangers if place.api.predict(picture).json()["label"] != "7"]
    assert len(wrong) >= 10

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").write_text(GH)
    (tmp_path / "bin/gh").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    context = {
        "inputs.learn_from || 'samples'": "samples",
        "inputs.data || 'data'": str(DATA),
        "inputs.archive || vars.TRAINING_DATA": "",
        "inputs.archive && inputs.archive_sha256 || vars.TRAINING_DATA_SHA256": "",
        "inputs.accuracy_floor": "",
        "inputs.epochs": "",
        "inputs.retraining || '--count 0'": "--limit 600 --count 8 --steps 40",
        "vars.SAMPLES_URL": place.api.url,
        "secrets.DIGITS_ADMIN_KEY": KEY,
        "github.run_id": "1",
        "github.run_attempt": "1",
        "github.ref_name": "main",
        "github.token": "none",
        "github.server_url": "https://github.com",
        "github.repository": "owner/name",
    }
    workflow = Workflow("train.yml", context, environment)
    assert workflow.run("train", checkout, without="make .venv/development") == [
        "Hold it against what the live model has learned from",
        "Fetch the samples",
        "Learn from them, and hold the model against the live one, picture by picture",
    ]
    proposing = tmp_path / "proposing"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "origin.git"), str(proposing))
    shutil.copytree(checkout / "app/models", proposing / "trained/app/models")
    shutil.copy(checkout / "evaluation.txt", proposing / "trained")
    workflow.run("propose", proposing)
    assert "pr create --base main --head model/1-1" in (tmp_path / "calls").read_text()
    assert "held-out samples" in (proposing / "body.md").read_text()

    git(checkout, "checkout", "--quiet", "--force", "main")
    git(checkout, "pull", "--quiet", "origin", "model/1-1")
    changed = git(checkout, "diff", "--name-only", "HEAD~1").splitlines()
    assert changed == ["app/models/digits/model.onnx", "app/models/digits/record.json"]
    version = Recognizer(checkout / "app/models/digits" / MODEL_FILE).record.version
    assert place.shelf.put(checkout / "app/models/digits") == version
    end = time.monotonic() + 20
    while place.api.predict(wrong[0]).json()["model"]["version"] != version:
        assert time.monotonic() < end
        time.sleep(EVERY)
    after = [place.api.predict(picture).json()["label"] for picture in wrong]
    assert after.count("7") > len(wrong) / 2

    record = json.loads((checkout / "app/models/digits/record.json").read_text())
    assert record["parents"] == ["first"]
    assert record["samples"]["count"] == 120
    assert record["gate"]["objections"] == []
    assert record["gate"]["sets"]["held-out samples"]["gained"] >= 5
    assert {"MNIST test", "drawings", "no character", "numbers"} < set(record["gate"]["sets"])
    assert record["figures"]["MNIST test"]["count"] == 8
    assert (record["reference"]["pictures"], record["reference"]["count"]) == ("drawings", 8), "of its own answers"
    monkeypatch.setenv(retrain.ADMIN_KEYS, KEY)
    assert len(retrain.samples_of(place.api.url)[1]) == 120


def test_a_refused_model_is_kept_aside_with_the_reason(
    place: Place, learn: Learn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it takes to be refused is tested in test_challenge.py; here, what becomes of it."""
    same, worse = np.ones(20, bool), np.arange(20) > 8
    refusal = Verdict(Contest("held-out samples", same, same), [Contest("MNIST test", same, worse)])
    monkeypatch.setattr(retrain, "verdict", lambda *_: refusal)
    monkeypatch.setattr(retrain, "fine_tuned", lambda network, *_: network)
    made = install(tmp_path, "made", version="refused")
    monkeypatch.setattr(retrain, "written", lambda *given: shutil.copy(made, given[-1] / MODEL_FILE))
    before = Recognizer(place.shelf.folder / MODEL_FILE).record.version
    exported = tmp_path / "samples.zip"
    write([sample(str(n), visitor=hashed(str(n))) for n in range(60)], exported)
    ended = learn(str(exported), "--limit", "60", "--install")
    assert ended == "The retrained model does not take the place of the one that is served."
    assert "Refused: worse on MNIST test: 9 lost, 0 gained." in capsys.readouterr().out
    assert Recognizer(place.shelf.folder / MODEL_FILE).record.version == before
    first, second = place.shelf.record("refused")["gate"]["objections"]
    assert first.startswith("not better on held-out samples")
    assert second == "worse on MNIST test: 9 lost, 0 gained"


def test_too_few_samples_are_said_to_be(place: Place, learn: Learn, tmp_path: Path) -> None:
    assert learn(str(tmp_path / "nothing")).endswith("is neither a folder nor a .zip.")
    with pytest.raises(retrain.TooFew, match=r"There are 3 samples .* 5 are needed\. Samples of one person can be"):
        retrain.sides([sample("a"), sample("b"), sample("c")], "visitor")


PNG = encoded(drawing(Hand.of(1), SEVEN, 1))


def sample(id: str, picture: bytes = PNG, label: str | None = "7", **known: object) -> Sample:
    told = {"alphabet": "digits", "visitor": hashed("one"), "time": datetime(2026, 1, 1, tzinfo=UTC)} | known
    return Sample(id=id, picture=picture, label=label, **told)  # type: ignore[arg-type]


def test_samples_that_say_something_those_reviewed_first() -> None:
    given = [sample("1"), sample("2", reviewed=True), sample("3", label=None), sample("4", alphabet="chinese")]
    given += [sample("5", label="x"), sample("6", label="")]
    assert [one.id for one in corrections.usable(given, ALPHABET)] == ["2", "1", "6"]
    assert corrections.labels_of([given[0], given[5]], ALPHABET).tolist() == [7, NO_CHARACTER]


def test_nobody_is_on_both_sides_and_everybody_stays_on_one() -> None:
    everybody = [
        sample(f"{person}-{number}", visitor=hashed(str(person))) for person in range(200) for number in (1, 2)
    ]
    learned, held_out = corrections.split(everybody, corrections.by_visitor)
    assert {one.visitor for one in learned}.isdisjoint({one.visitor for one in held_out})
    assert 60 < len(held_out) < 140
    fewer = corrections.split(everybody[:100], corrections.by_visitor)
    assert fewer[1] == [one for one in everybody[:100] if one in held_out]
    nobody = [sample(str(number), visitor=None) for number in range(50)]
    assert sorted(map(len, corrections.split(nobody, corrections.by_visitor))) == [0, 50], "one picture, on one side"


def test_other_outputs_stay_what_they_were() -> None:
    """Nearly, and much more so than if nothing but the samples counted."""
    served, others = network_of(DIGITS), GlyphSet.of(*mnist_digits())
    hands = [Hand.of(person) for person in people(0, 20)]
    glyphs = [datasets.glyph_of_picture(drawing(hand, SEVEN, seed)) for seed, hand in enumerate(hands)]
    sevens = GlyphSet.of(np.stack([glyph for glyph in glyphs if glyph is not None]), np.full(len(hands), SEVEN))
    taught, data = corrections.Corrections(sevens, torch.ones(len(sevens))), TrainingData(others, {}, {})
    config = Config(steps=40, batch_size=60)

    def learned(weight: float) -> tuple[float, float]:
        """How many sevens are read right, and how far the outputs for other pictures are from what they were."""
        told = dataclasses.replace(config, keeping_weight=weight)
        network = fine_tuned(copy.deepcopy(served), data, taught, told, Device(torch.device("cpu"), False, 1))
        right = (logits_of(network, sevens.glyphs).argmax(axis=1) == SEVEN).mean()
        change = np.abs(logits_of(network, others.glyphs) - logits_of(served, others.glyphs)).mean()
        return float(right), float(change)

    before = (logits_of(served, sevens.glyphs).argmax(axis=1) == SEVEN).mean()
    (right, change), (_, otherwise) = learned(Config.keeping_weight), learned(0.0)
    assert right > before + 0.2
    assert change < otherwise / 2


def test_the_weights_are_found_in_the_file_that_is_served(tmp_path: Path) -> None:
    network, recognizer = network_of(DIGITS), Recognizer(DIGITS)
    pixels = (mnist_digits()[0] / 255).astype(np.float32)
    told = recognizer.probabilities(pixels)
    logits = logits_of(network, torch.from_numpy(pixels).unsqueeze(1))
    assert (logits.argmax(axis=1) == told.argmax(axis=1)).mean() >= 0.99
    file = install(tmp_path, "digits", **{WEIGHTS_KEY: "of others"})
    other = LargerCNN(network.architecture)
    other.save(file.with_name("mnist_larger_cnn.pth"))
    found = network_of(file).state_dict()["classifier.7.weight"]
    assert torch.equal(found, network.state_dict()["classifier.7.weight"]), "weights of another model are left alone"
