"""How many processors are counted, by what Linux says of affinity and of control groups of both versions."""

import os
from pathlib import Path

import pytest

from app import cores, settings
from app.settings import MOST_PROCESSES

V2 = "0::/a.slice/b.service\n"
V1 = "5:memory:/docker/c0ffee\n4:cpu,cpuacct:/docker/c0ffee\n0::/\n"
DEEP = "sys/fs/cgroup/a.slice/b.service/cpu.max"
OUTER = "sys/fs/cgroup/a.slice/cpu.max"
OWN = "sys/fs/cgroup/cpu.max"
QUOTA, PERIOD = "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us"


@pytest.fixture(autouse=True)
def _twelve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        pytest.param(None, {}, 12, id="no control groups"),
        pytest.param(V2, {}, 12, id="none that limits"),
        pytest.param(V2, {DEEP: "max 100000\n"}, 12, id="no limit"),
        pytest.param("0::/\n", {OWN: "50000 100000\n"}, 1, id="half a processor"),
        pytest.param("0::/\n", {OWN: "350000 100000\n"}, 3, id="three and a half"),
        pytest.param("0::/\n", {OWN: "9900000 100000\n"}, 12, id="more than there are"),
        pytest.param(V2, {DEEP: "600000 100000\n", OUTER: "400000 100000\n"}, 4, id="less around it"),
        pytest.param(V1, {QUOTA: "200000\n", PERIOD: "100000\n"}, 2, id="first version, in a container"),
        pytest.param(V1, {QUOTA: "-1\n", PERIOD: "100000\n"}, 12, id="first version, no limit"),
        pytest.param("no group\n", {}, 12, id="nonsense"),
    ],
)
def test_as_many_as_may_be_used(tmp_path: Path, groups: str | None, files: dict[str, str], expected: int) -> None:
    for name, content in files.items() if groups is None else {**files, "proc/self/cgroup": groups}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert cores.usable(tmp_path) == expected


@pytest.mark.parametrize(("usable", "processes"), [(1, 1), (3, 3), (64, MOST_PROCESSES)])
@pytest.mark.parametrize("environment", [{}, {"DIGITS_WORKERS": "auto"}])
def test_an_api_process_for_each(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], usable: int, processes: int
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: usable)
    monkeypatch.setattr("os.environ", environment)
    assert settings.Settings().workers == processes


def test_more_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 1)
    monkeypatch.setattr("os.environ", {"DIGITS_WORKERS": "12"})
    assert settings.Settings().workers == 12
