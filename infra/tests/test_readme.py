"""What README.md says is held against the code and against itself."""

import math
import re
import shutil
from pathlib import Path

import pytest

from config import Config
from need import need
from serverless import MEMORY
from synth import default, the_state, with_models, with_state, with_training

INFRA = Path(__file__).parents[1]
README = (INFRA / "README.md").read_text()
HOURS = 730


def rows(heading: str) -> list[list[str]]:
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" *`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_setting_is_told_with_its_default() -> None:
    told = {name: default for name, default, _ in rows("Choose")}
    assert list(told) == list(Config.model_fields)
    for name, field in Config.model_fields.items():
        if not field.is_required():
            assert told[name].lower() == {None: "none"}.get(field.default, str(field.default).lower())


@pytest.mark.parametrize("section", ["Cost", "Keep samples", "Learn from samples"])
def test_the_costs_add_up(section: str) -> None:
    *items, (_, _, _, together) = rows(section)
    for item, number, hourly, monthly in items:
        assert float(monthly) == pytest.approx(float(number) * float(hourly) * HOURS, abs=0.006), item
    assert float(together) == pytest.approx(sum(float(monthly) for *_, monthly in items), abs=0.001)


def test_what_a_million_requests_cost_is_so_by_their_time() -> None:
    for request, milliseconds, *told in rows("Without a server"):
        billed = math.ceil(float(milliseconds)) / 1000 * MEMORY / 1024
        by_price = [0.20 + 1e6 * billed * price for price in (0.0000166667, 0.0000133334)]
        assert [float(dollars) for dollars in told] == pytest.approx(by_price, abs=0.006), request


def test_it_takes_fewer_than_ten_commands() -> None:
    commands = README.split("\n## Deploy\n")[1].split("```sh\n")[1].split("```")[0].splitlines()
    assert 0 < len(commands) < 10


def test_every_module_is_in_the_map() -> None:
    told = {name for names, _ in rows("Find your way") for name in names.split(", ")}
    assert told == {path.name for path in INFRA.glob("*.py")} - {"diagram.py"}


def test_the_files_it_names_exist() -> None:
    for name in ("architecture.png", "smoke/live.sh", "requirements.txt"):
        assert name in README
        assert (INFRA / name).exists()


def test_the_picture_can_be_drawn(tmp_path: Path) -> None:
    need(shutil.which("dot") is not None, "the picture needs Graphviz")
    from diagram import draw

    draw(tmp_path / "drawn")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_every_alarm_is_counted_also_those_of_scaling() -> None:
    (row,) = [row for row in rows("Cost") if row[0].startswith("alarms")]
    own, scaling = map(int, re.findall(r"\d+", row[0]))
    assert own == len(default().of("CloudWatch::Alarm"))
    assert scaling == 2 * len(default().of("ApplicationAutoScaling::ScalingPolicy"))
    assert int(row[1]) == own + scaling - 10


def test_what_the_state_adds_is_counted() -> None:
    counted = {row[0]: row[1] for row in rows("Keep samples")}
    for item, kind in (("secrets", "SecretsManager::Secret"), ("alarms", "CloudWatch::Alarm")):
        more = len(with_state().of(kind)) + len(the_state().of(kind)) - len(default().of(kind))
        assert int(counted[item]) == more


def test_what_training_adds_is_counted() -> None:
    counted = {row[0]: row[1] for row in rows("Learn from samples")}
    without = sum(len(stack().of("CloudWatch::Alarm")) for stack in (with_state, with_models))
    assert (
        int(counted["alarms"])
        == len(with_training().of("CloudWatch::Alarm")) + len(default().of("CloudWatch::Alarm")) - without
    )
    (task,) = [one for one in with_training().of("ECS::TaskDefinition") if one["Cpu"] != "512"]
    (told,) = [row for row in rows("Learn from samples") if "task" in row[0]]
    vcpu, gigabytes = int(task["Cpu"]) / 1024, int(task["Memory"]) / 1024
    assert f"{vcpu:g} vCPU and {gigabytes:g} GB" in told[0]
    assert float(told[2]) == pytest.approx(0.04048 * vcpu + 0.004445 * gigabytes)


def test_every_secret_is_counted() -> None:
    (row,) = [row for row in rows("Cost") if row[0] == "secrets"]
    assert int(row[1]) == len(default().of("SecretsManager::Secret"))
