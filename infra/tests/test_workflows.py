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
    for script in re.findall(r"\S*\bsmoke/\w+\.sh", commands(job)):
        assert (folder / script).is_file()


def test_ci_covers_every_python_from_the_oldest_supported() -> None:
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    versions = WORKFLOWS["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    first = int(oldest.split(".")[1])
    assert versions == [f"3.{minor}" for minor in range(first, first + len(versions))]


def test_only_the_deployment_may_ask_for_an_identity() -> None:
    asking = {name for name, job in JOBS.items() if job["permissions"].get("id-token")}
    assert asking == {"deploy.yml deploy", "deploy.yml promote"}, "to assume the role, and to sign"
    assert JOBS["deploy.yml deploy"]["environment"]["name"] == "production"


def test_a_way_back_that_waits_is_cancelled_by_nothing() -> None:
    assert "concurrency" not in WORKFLOWS["deploy.yml"], "it would drop a run that waits"
    assert JOBS["deploy.yml deploy"]["concurrency"] == {"group": "production", "queue": "max"}


def test_what_is_named_is_what_was_tested_on_both_architectures() -> None:
    image, promote = JOBS["deploy.yml image"], JOBS["deploy.yml promote"]
    platforms = {leg["architecture"] for leg in image["strategy"]["matrix"]["include"]}
    assert platforms == set(image["outputs"]) == {"amd64", "arm64"}
    (build,) = [step["with"] for step in image["steps"] if step.get("id") == "build"]
    assert "push-by-digest=true" in build["outputs"]
    assert "tags" not in build
    assert {"ci", "image"} == set(promote["needs"])
    tags = re.findall(r"--tag \"\$IMAGE:([^\"]+)\"", "\n".join(map(commands, JOBS.values())))
    assert tags == ["$GITHUB_SHA", "$version"], "no other name is pushed, so that none moves"


def test_only_the_app_s_own_stack_is_deployed() -> None:
    """What keeps samples is changed by hand, and by no way back."""
    calls = re.findall(r"npx cdk (?:diff|deploy) .*", commands(JOBS["deploy.yml deploy"]))
    assert len(calls) == 3
    assert all('"$STACK" --exclusively' in call for call in calls)


def test_what_was_before_is_tried_after_going_back() -> None:
    (back,) = [step["run"] for step in JOBS["deploy.yml deploy"]["steps"] if step.get("id") == "back"]
    assert back.index("image=$BEFORE") < back.index("smoke/live.sh")


def test_tasks_pull_from_the_account_s_own_registry() -> None:
    assert "image=$NEW" in commands(JOBS["deploy.yml deploy"])
    assert '"new=$own@$digest"' in commands(JOBS["deploy.yml deploy"])


@pytest.mark.parametrize(
    "file", [*sorted(ROOT.glob("requirements*.txt")), *ROOT.glob("*/requirements.txt"), *ROOT.glob("container/uv.txt")]
)
def test_requirements_say_how_they_are_compiled(file: Path) -> None:
    """Dependabot reads it there. Those of the benchmarks are installed for one Python alone."""
    if file.name != "requirements-benchmarks.txt":
        assert "--universal --generate-hashes --python-version 3.11" in file.read_text().splitlines()[1]
