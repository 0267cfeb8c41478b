"""What the schema check and zizmor leave open: that workflows end, and that what they call is there."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}
JOBS = {f"{file} {name}": job for file, flow in WORKFLOWS.items() for name, job in flow["jobs"].items()}
EVERY_JOB = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job.get("steps", []))


def test_there_are_the_three() -> None:
    assert set(WORKFLOWS) == {"ci.yml", "deploy.yml", "train.yml"}


@EVERY_JOB
def test_every_job_ends_and_says_what_it_may(job: dict[str, Any]) -> None:
    assert "permissions" in job
    assert "uses" in job or 0 < job["timeout-minutes"] <= 240


@EVERY_JOB
def test_every_action_is_pinned_to_a_commit(job: dict[str, Any]) -> None:
    for step in job.get("steps", []):
        assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + "0" * 40))


@EVERY_JOB
def test_what_is_called_exists(job: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake (\S+)", commands(job)):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target
    folder = ROOT / job.get("defaults", {}).get("run", {}).get("working-directory", "")
    for script in re.findall(r"\S*\bsmoke/smoke\.sh", commands(job)):
        assert (folder / script).is_file()


def test_ci_covers_every_python_from_the_oldest_supported() -> None:
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    versions = WORKFLOWS["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    first = int(oldest.split(".")[1])
    assert versions == [f"3.{minor}" for minor in range(first, first + len(versions))]


def test_only_the_deployment_may_ask_for_an_identity() -> None:
    asking = [name for name, job in JOBS.items() if job["permissions"].get("id-token")]
    assert asking == ["deploy.yml deploy"]
    assert JOBS["deploy.yml deploy"]["environment"]["name"] == "production"
