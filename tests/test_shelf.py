"""Models of before: what is kept, what served when, and the way back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.models.shelf import BACK, FOUND, INSTALLED, USED, NoSuchVersion, Shelf
from app.reading.reader import LINES_FILE
from app.reading.recognizer import MODEL_FILE, Recognizer, UnusableModel
from tests.support.models import install, install_lines

ROOT = Path(__file__).parent.parent


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Version 1 is served, with a reader of lines."""
    install(tmp_path / "models", "digits", version="1")
    install_lines(tmp_path / "models", "digits")
    return Shelf(tmp_path / "models", "digits")


def trained(folder: Path, version: str, **changes: object) -> Path:
    """The folder of a model that may be served."""
    install(folder / "trained", version, version=version, **changes)
    return folder / "trained" / version


def version(shelf: Shelf) -> str:
    return Recognizer(shelf.folder / MODEL_FILE).record.version


def events(shelf: Shelf) -> list[tuple[str, str]]:
    return [(entry.name, entry.how) for entry in shelf.history]


def test_one_goes_back_as_often_as_one_went_on(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("2", "3"):
        assert shelf.put(trained(tmp_path, name)) == version(shelf) == name
    assert shelf.back() == version(shelf) == "2"
    assert shelf.back() == version(shelf) == "1"
    with pytest.raises(NoSuchVersion):
        shelf.back()
    assert shelf.use("3") == version(shelf) == "3"
    assert shelf.back() == version(shelf) == "1"
    assert events(shelf) == [
        ("1", FOUND),
        ("2", INSTALLED),
        ("3", INSTALLED),
        ("2", BACK),
        ("1", BACK),
        ("3", USED),
        ("1", BACK),
    ]
    assert shelf.kept == ["1", "2", "3"]


def test_a_new_model_is_served_with_the_line_reader_that_is_there(shelf: Shelf, tmp_path: Path) -> None:
    before = (shelf.folder / LINES_FILE).read_bytes()
    shelf.put(trained(tmp_path, "2"))
    assert (shelf.folder / LINES_FILE).read_bytes() == before


def test_what_belongs_to_a_model_goes_with_it(shelf: Shelf, tmp_path: Path) -> None:
    """Weights of another model would be taken for those of this one."""
    second = trained(tmp_path, "2")
    (second / "mnist_larger_cnn.pth").write_bytes(b"weights of 2")
    shelf.put(second)
    assert (shelf.folder / "mnist_larger_cnn.pth").exists()
    shelf.put(trained(tmp_path, "3"))
    assert not (shelf.folder / "mnist_larger_cnn.pth").exists()
    shelf.back()
    assert (shelf.folder / "mnist_larger_cnn.pth").read_bytes() == b"weights of 2"


def test_a_line_reader_alone_is_put_beside_the_model(shelf: Shelf, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.mkdir()
    (shelf.folder / LINES_FILE).rename(lines / LINES_FILE)
    assert shelf.put(lines) == "1.2"
    assert (shelf.folder / LINES_FILE).exists()
    shelf.back()
    assert not (shelf.folder / LINES_FILE).exists()


def test_another_model_of_the_same_version_is_kept_beside_it(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.put(trained(tmp_path, "1", title="another")) == "1.2"
    assert shelf.back() == "1"
    assert Recognizer(shelf.folder / MODEL_FILE).record.title != "another"


def test_a_model_put_there_by_hand_is_kept(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(trained(tmp_path, "2"))
    (trained(tmp_path, "by-hand") / MODEL_FILE).rename(shelf.folder / MODEL_FILE)
    shelf.use("1")
    assert shelf.back() == version(shelf) == "by-hand"


def test_back_from_a_broken_file_to_what_served_before(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(trained(tmp_path, "2"))
    (shelf.folder / MODEL_FILE).write_bytes(b"no model")
    assert shelf.back() == version(shelf) == "2"
    assert shelf.back() == version(shelf) == "1"


def test_what_cannot_be_used_is_not_put_there(shelf: Shelf, tmp_path: Path) -> None:
    second = trained(tmp_path, "2")
    (second / MODEL_FILE).write_bytes(b"no model")
    with pytest.raises(UnusableModel, match="damaged"):
        shelf.put(second)
    with pytest.raises(UnusableModel, match="of the alphabet letters"):
        shelf.put(trained(tmp_path, "3", alphabet="letters"))
    assert version(shelf) == "1"
    assert shelf.kept == ["1"]
    assert not list(shelf.folder.glob(".*"))


def test_one_that_is_put_aside_does_not_serve(shelf: Shelf, tmp_path: Path) -> None:
    assert shelf.put_aside(trained(tmp_path, "2")) == "2"
    assert version(shelf) == "1"
    assert shelf.use("2") == version(shelf) == "2"


def test_pruned_versions_are_gone_and_their_history_is_not(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("2", "3", "4"):
        shelf.put(trained(tmp_path, name))
    shelf.put_aside(trained(tmp_path, "refused"))
    shelf.use("1")
    with pytest.raises(ValueError, match="1 or more"):
        shelf.prune(0)
    assert set(shelf.prune(3)) == {"2", "3"}
    assert shelf.prune(3) == []
    assert set(shelf.kept) == {"1", "4", "refused"}
    assert [folder.name for folder in shelf.served()] == ["1", "4"]
    assert shelf.back() == version(shelf) == "4"
    assert shelf.back() == version(shelf) == "1"  # 2 and 3, which are gone, are passed over
    assert ("2", INSTALLED) in events(shelf)
    shelf.prune(1)
    assert shelf.kept == ["1"]


def run(models: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.models", *arguments],
        cwd=ROOT,
        env=os.environ | {"DIGITS_MODELS_DIR": str(models)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_commands(shelf: Shelf, tmp_path: Path) -> None:
    models = shelf.folder.parent
    assert run(models, "list").stdout == "Nothing has been changed yet: digits is served as it came.\n"
    shelf.put(trained(tmp_path, "2"))
    refused = trained(tmp_path, "3")
    told = {"parents": ["2"], "samples": {"count": 5, "version": "abc"}, "gate": {"objections": ["worse on all"]}}
    (refused / "record.json").write_text(json.dumps(told))
    shelf.put_aside(refused)
    said = run(models, "back").stdout
    assert said == "digits: 1 is in place; an API that runs serves it within 5 seconds.\n"
    first, second, third, fourth = run(models, "list").stdout.splitlines()
    assert first.split()[1:] == ["1", "found"]
    assert second.split()[1:] == ["2", "installed"]
    assert third.startswith("* ")
    assert third.split()[2:] == ["1", "back"]
    assert fourth.split(maxsplit=3)[2:] == ["3", "from 2; 5 samples, abc; refused: worse on all"]
    unknown = run(models, "use", "9")
    assert (unknown.returncode, unknown.stderr) == (1, "There is no version 9. There are 1, 2, 3.\n")
    assert run(models, "prune", "--keep", "1").stdout == "digits: deleted 3, 2.\n"
    assert run(models, "list").stdout.splitlines()[1].endswith("(no longer kept)")
    assert "what is served stays; 1 or more are kept" in run(models, "prune", "--keep", "0").stderr
    assert run(models, "list", "--alphabet", "none").stderr.startswith("There is no alphabet none in ")
    (shelf.folder / "history.json").write_text("{")
    broken = run(models, "back")
    expected = "digits/history.json is damaged. Without it, the history begins anew.\n"
    assert (broken.returncode, broken.stderr) == (1, expected)
