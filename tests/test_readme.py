"""The README says what is: its figures stand in the model's record, its pictures and files exist, its commands run."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.servers import ROOT, App
from tests.conftest import need
from tests.support.handwriting import canvas
from tests.support.pictures import encoded
from tests.support.ports import free_port

README = (ROOT / "README.md").read_text()
RECORD = json.loads((ROOT / "app" / "models" / "digits" / "record.json").read_text())


def rows(section: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def commands(language: str = "sh") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_table_is_the_record_s() -> None:
    found = 0
    for name, shown, interval, pictures, *_ in rows("How good is it?"):
        figures = RECORD["figures"][name]
        assert shown == f"{100 * figures['accuracy']:.2f}%", name
        assert interval == f"{100 * figures['low']:.2f} to {100 * figures['high']:.2f}", name
        assert int(pictures.replace(",", "")) == figures["count"], name
        found += 1
    assert found >= 8


def test_whole_numbers_are_the_record_s() -> None:
    found = 0
    for name, shown, interval, sure, right_of_sure, pictures, what in rows("Whole numbers"):
        figures = RECORD["figures"][name]
        assert shown == f"{100 * figures['accuracy']:.2f}%", name
        assert interval == f"{100 * figures['low']:.2f} to {100 * figures['high']:.2f}", name
        assert sure == f"{100 * figures['sure']:.1f}%", name
        assert right_of_sure == f"{100 * figures['right_of_sure']:.1f}%", name
        assert (int(pictures.replace(",", "")), what) == (figures["count"], figures["what"]), name
        found += 1
    assert found >= 7


def test_other_alphabets_are_as_in_their_records() -> None:
    found = set()
    for alphabet, name, shown, interval, pictures, *_ in rows("Other alphabets"):
        figures = json.loads((ROOT / "app" / "models" / alphabet / "record.json").read_text())["figures"][name]
        assert shown == f"{100 * figures['accuracy']:.2f}%", name
        assert interval == f"{100 * figures['low']:.2f} to {100 * figures['high']:.2f}", name
        assert int(pictures.replace(",", "")) == figures["count"], name
        found.add(alphabet)
    assert found == {"chinese", "ukrainian"}


def test_sentences_about_doubt_are_the_record_s() -> None:
    doubt, calibration = RECORD["figures"]["out-of-distribution"], RECORD["figures"]["calibration"]
    assert f"{100 * doubt['flagged']:.1f}% of" in README
    assert f"{100 * doubt['characters_flagged']:.1f}% of" in README
    assert f"{doubt['roc_area']:.3f}" in README
    assert f"{100 * calibration['expected_calibration_error']:.2f}%" in README


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    assert links
    assert not [link for link in links if not leads_somewhere(link)]


def leads_somewhere(link: str) -> bool:
    file, _, heading = link.partition("#")
    if not heading:
        return (ROOT / file).exists()
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.M)
    return heading in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


def test_the_map_names_what_is_there() -> None:
    named = [row[0].strip("`") for row in rows("Where things are")]
    assert len(named) > 5
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.fixture(scope="module")
def folder_with_a_digit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curl")
    (folder / "digit.png").write_bytes(encoded(canvas(7)))
    return folder


def test_curl(folder_with_a_digit: Path) -> None:
    calls = [command for command in commands() if "curl" in command]
    assert len(calls) >= 2
    with App(DIGITS_LOG_LEVEL="warning") as app:
        for call in calls:
            finished = subprocess.run(
                ["bash", "-c", "set -e; " + call.replace("http://localhost:8000", app.api_url)],
                cwd=folder_with_a_digit,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert finished.returncode == 0, finished.stderr
            assert json.loads(finished.stdout)["predicted_digit"] == 7


def test_python_modules_that_are_named_explain_themselves() -> None:
    named = set(re.findall(r"python -m (training\.\w+|benchmarks\.\w+)", README)) | {"train_model.py"}
    for name in sorted(named):
        command = [sys.executable, *([name] if name.endswith(".py") else ["-m", name]), "--help"]
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert finished.returncode == 0, finished.stderr
        assert "usage:" in finished.stdout, name


def test_make_run() -> None:
    """`make run` says where to click, and Ctrl-C ends it with 0."""
    need(Path(sys.prefix) == ROOT / ".venv", "not run from the environment that make has made")
    api, page = free_port(), free_port()
    process = subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env=os.environ | {"DIGITS_API_PORT": str(api), "DIGITS_UI_PORT": str(page)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        said = next(line for line in process.stdout if "Open http" in line)
        assert f"http://localhost:{page}" in said
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.wait(15)


def test_the_client_as_it_is_shown(folder_with_a_digit: Path) -> None:
    (shown,) = commands("python")
    for name in ("page-1.png", "page-2.png"):
        (folder_with_a_digit / name).write_bytes((folder_with_a_digit / "digit.png").read_bytes())
    with App(DIGITS_LOG_LEVEL="warning") as app:
        finished = subprocess.run(
            [sys.executable, "-c", shown.replace("http://localhost:8000", app.api_url) + "\nprint(numbers[1].text)"],
            cwd=folder_with_a_digit,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    label, confidence, sure, text = finished.stdout.split()
    assert (label, sure, text) == ("7", "True", "7"), finished.stderr
    assert float(confidence) > 0.9


def test_the_command_line_as_it_is_shown(folder_with_a_digit: Path) -> None:
    shown = re.findall(r"^python -m app\.cli (.*)$", "\n".join(commands()), re.MULTILINE)
    assert len(shown) == 3
    pictures = folder_with_a_digit / "pictures" / "7"
    pictures.mkdir(parents=True)
    (pictures / "1.png").write_bytes((folder_with_a_digit / "digit.png").read_bytes())
    for arguments in shown:
        command = [sys.executable, "-m", "app.cli", *arguments.replace("FOLDER", "pictures").split()]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        finished = subprocess.run(
            command, cwd=folder_with_a_digit, env=environment, capture_output=True, text=True, timeout=60
        )
        assert finished.returncode == 0, finished.stderr
        assert (folder_with_a_digit / arguments.split()[-1]).exists()
