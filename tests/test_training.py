"""Training end to end on a few hundred real digits: the floor, resuming, tracking, and what is written."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from app.reading.recognizer import Recognizer
from tests.support.handwriting import DATA, mnist_digits
from tests.support.wandb_file import records
from train_model import parser
from training import datasets, recipe, targets, tracking
from training.datasets import NO_CASE, NO_CHARACTER

ROOT = Path(__file__).parent.parent


def command(output: Path, *arguments: str) -> list[str]:
    return [sys.executable, "train_model.py", "--data", str(DATA), "--output", str(output), *arguments]


def train(output: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200"} | environment
    return subprocess.run(
        command(output, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=500, env=environment
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    output = tmp_path_factory.mktemp("run") / "digits"
    return output, train(output, "--epochs", "14", "--accuracy-floor", "85", WANDB_MODE="offline")


def test_it_reaches_the_floor(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, finished = trained
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "MNIST test: " in finished.stdout


def test_a_line_for_each_epoch(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, finished = trained
    lines = [line.split() for line in finished.stdout.splitlines()]
    epochs = [line[0] for line in lines if len(line) == 7 and line[0].isdigit()]
    record = json.loads((output / "record.json").read_text())
    assert epochs == [str(row["epoch"]) for row in record["history"]] == [str(n) for n in range(1, 15)]


def test_what_is_written(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    output, _ = trained
    record = json.loads((output / "record.json").read_text())
    assert record["config"]["seed"] == 1
    assert set(record["data_sha256"]) >= {"train-images-idx3-ubyte", "pendigits-strokes.npz"}
    assert record["versions"]["torch"].startswith("2.")
    written = torch.load(output / "mnist_larger_cnn.pth", weights_only=True)
    assert written["architecture"] == {"classes": 10, "kernels": (5, 3, 3), "poolings": 3, "cases": 0, "dropout": 0.2}
    assert written["weights"]["classifier.7.weight"].shape == (10, 256)
    assert {file.name for file in (output / "pictures").iterdir()} == {
        "curves.png",
        "confusion.png",
        "predictions.png",
        "worst.png",
    }
    recognizer = Recognizer(output / "model.onnx")
    assert recognizer.record.version == record["version"]
    images, labels = mnist_digits()
    answers = recognizer.probabilities((images / 255).astype(np.float32)).argmax(axis=1)
    assert (answers == labels).mean() > 0.8


def test_wandb_has_it_all(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Read W&B's own offline file back: config, metrics by epoch, pictures, and the model with its record."""
    output, finished = trained
    assert "wandb sync" in finished.stdout
    (file,) = (output / "wandb").glob("offline-run-*/run-*.wandb")
    config: dict[str, str] = {}
    history, artifacts = [], []
    for record in records(file):
        config |= {item.key: item.value_json for item in record.run.config.update}
        history.append({item.nested_key[0] if item.nested_key else item.key: item for item in record.history.item})
        artifacts += [a for a in (record.artifact, record.request.log_artifact.artifact) if a.name]
    assert json.loads(config["epochs"]) == 14
    losses = [json.loads(row["loss"].value_json) for row in history if "loss" in row]
    assert len(losses) == 14
    assert losses[-1] < losses[0]
    assert {"curves", "confusion", "predictions", "worst"} <= {key for row in history for key in row}
    assert any(json.loads(artifact.metadata)["alphabet"] == "digits" for artifact in artifacts)


def test_below_the_floor_it_fails(tmp_path: Path) -> None:
    finished = train(tmp_path, "--epochs", "1", "--limit", "60", "--no-track", "--accuracy-floor", "99.9")
    assert finished.returncode == 1
    assert "below the floor of 99.9%" in finished.stderr


def test_an_interrupted_run_resumes_to_the_same_end(tmp_path: Path) -> None:
    settings = ("--epochs", "2", "--limit", "120", "--no-track", "--precision", "float32")
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert train(whole, *settings).returncode == 0
    with subprocess.Popen(command(part, *settings), cwd=ROOT, stdout=subprocess.PIPE, text=True) as interrupted:
        assert interrupted.stdout is not None
        for line in interrupted.stdout:
            if line.split()[:1] == ["1"]:
                interrupted.kill()  # the first epoch's line is there, and its checkpoint was written before
    assert not (part / "model.onnx").exists()
    assert "Resumed after epoch" in train(part, *settings, "--resume").stdout

    def losses(folder: Path) -> list[float]:
        return [row["loss"] for row in json.loads((folder / "record.json").read_text())["history"]]

    assert losses(part) == pytest.approx(losses(whole), rel=1e-4)
    assert "other settings" in train(part, "--epochs", "3", *settings[2:], "--resume").stderr


def test_it_learns_from_teachers(trained: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    weights = trained[0] / "mnist_larger_cnn.pth"
    settings = ("--epochs", "4", "--no-track")
    taught = train(tmp_path / "taught", *settings, "--teachers", str(weights))
    assert taught.returncode == 0, taught.stderr
    assert "seed 1, teachers: 1;" in taught.stdout
    record = json.loads((tmp_path / "taught" / "record.json").read_text())
    assert record["config"]["teachers"] == [datasets.sha256(weights)]
    assert record["config"]["squeezed"] == 0


def test_it_goes_on_from_the_served_model(tmp_path: Path) -> None:
    """Which a few steps leave nearly as good as it was: it would be bad without its weights."""
    refined = train(tmp_path, "--refine", "--epochs", "1", "--no-track", "--accuracy-floor", "97")
    assert refined.returncode == 0, refined.stdout + refined.stderr
    served = Recognizer(ROOT / "app/models/digits/model.onnx").record.version
    assert f"refines {served};" in refined.stdout
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["config"]["refined"], record["config"]["squeezed"]) == (served, 0.4)
    twice = train(tmp_path, "--refine", "--teachers", str(tmp_path / "mnist_larger_cnn.pth"))
    assert (twice.returncode, "--refine has a teacher of its own" in twice.stderr) == (2, True)


def test_the_recipe_trains_teachers_that_differ_and_then_their_pupil(tmp_path: Path) -> None:
    options = ["--data", "pictures", "--runs", str(tmp_path), "--install", "--epochs", "9", "--dry-run"]
    said = subprocess.run(
        [sys.executable, "-m", "training.recipe", *options], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    commands = [shlex.split(line) for line in said.stdout.splitlines()]
    assert {Path(command[1]) for command in commands} == {ROOT / "train_model.py"}
    *teachers, pupil = (parser().parse_args(command[2:]) for command in commands)
    assert len({(one.seed, *one.kernels, one.poolings) for one in teachers}) == 4
    assert pupil.teachers == [one.output / "mnist_larger_cnn.pth" for one in teachers]
    assert pupil.install
    assert {one.data for one in (*teachers, pupil)} == {Path("pictures")}
    assert [one.epochs for one in (*teachers, pupil)] == [14, 14, 14, 14, 9]
    assert all(one.resume for one in (*teachers, pupil))


def test_make_follows_the_recipe() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "model", "DATA=pictures"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert "python -m training.recipe --data pictures --jobs 1 --install" in said.stdout


def step(output: Path, code: str) -> recipe.Step:
    return recipe.Step((sys.executable, "-c", code), output)


def test_a_training_that_fails_ends_the_recipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = step(tmp_path / "first", "print('learned')"), step(tmp_path / "second", "raise SystemExit(3)")
    third = step(tmp_path / "third", f"open({str(tmp_path / 'third')!r}, 'w')")
    with pytest.raises(recipe.StepFailed, match=r"training of second failed; .* above\. The same command goes on"):
        recipe.run([first, second, third], jobs=1)
    assert "first is trained." in capfd.readouterr().out
    assert not (tmp_path / "third").exists()


def test_trainings_side_by_side_end_with_the_one_that_fails(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    long = step(tmp_path / "long", f"import time; open({str(ready)!r}, 'w'); time.sleep(300)")
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(ready)!r}).exists(): time.sleep(0.1)\n"
    short = step(tmp_path / "short", wait + "raise SystemExit('no data')")
    begun = time.monotonic()
    with pytest.raises(recipe.StepFailed, match=r"training of short failed; .*training\.log"):
        recipe.run([long, short], jobs=2)
    assert time.monotonic() - begun < 60
    assert (tmp_path / "short" / "training.log").read_text() == "no data\n"
    assert "KeyboardInterrupt" in (tmp_path / "long" / "training.log").read_text()


def test_targets_are_shared_between_label_and_teacher() -> None:
    labels = torch.tensor([3, NO_CHARACTER])
    of_labels = targets.of_labels(labels, classes=10, no_character_weight=0.5)
    assert of_labels[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert of_labels[1].tolist() == pytest.approx([0.05] * 10)
    said = torch.randn(2, 10)
    shares = targets.distilled(said, of_labels, 0.7)
    assert torch.allclose(shares[0], 0.3 * of_labels[0] + 0.7 * said[0].softmax(dim=0), atol=1e-6)
    assert torch.equal(shares[1], of_labels[1])


def test_cases_are_shared_likewise_where_one_is_known() -> None:
    of_cases = targets.of_cases(torch.tensor([1, NO_CASE]), 2)
    assert of_cases.tolist() == [[0, 1], [0, 0]]
    shares = targets.distilled(torch.zeros(2, 2), of_cases, 0.5)
    assert shares.tolist() == [[0.25, 0.75], [0, 0]]
    without = targets.of_cases(torch.tensor([NO_CASE]), 0)  # of an alphabet without
    assert targets.distilled(torch.zeros(1, 0), without, 0.5).shape == (1, 0)


def test_teachers_that_cannot_teach_are_named(tmp_path: Path) -> None:
    missing = train(tmp_path, "--no-track", "--teachers", str(tmp_path / "none.pth"))
    (tmp_path / "other.pth").write_bytes(b"no weights")
    broken = train(tmp_path, "--no-track", "--teachers", str(tmp_path / "other.pth"))
    assert (missing.returncode, broken.returncode) == (2, 1)
    assert "there is no file" in missing.stderr
    assert "other.pth does not hold the weights" in broken.stderr
    assert "Traceback" not in missing.stderr + broken.stderr


class _Broken:
    def log(self, metrics: dict[str, float], step: int) -> None:
        raise ConnectionError("no network")

    def pictures(self, files: list[Path]) -> None:
        raise AssertionError("a tracker that failed is not called again")

    def finish(self, record: dict[str, object], model_file: Path | None = None) -> None:
        raise AssertionError("a tracker that failed is not called again")


def test_a_tracker_that_fails_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = tracking.Forgiving(_Broken())
    tracker.log({"loss": 1.0}, step=1)
    tracker.pictures([])
    tracker.finish({})
    assert capsys.readouterr().out.count("Training goes on, untracked") == 1


def test_without_tracking_nothing_is_written(tmp_path: Path) -> None:
    tracker = tracking.start(False, name="x", config={}, folder=tmp_path, project="p")
    tracker.log({"loss": 1.0}, step=1)
    tracker.finish({})
    assert not list(tmp_path.iterdir())
