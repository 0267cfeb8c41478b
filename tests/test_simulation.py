"""The simulated task and fleet against closed forms, and against the rules that they stand for."""

import math
import random
import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
import simpy

from benchmarks.simulation import curve, fleet
from benchmarks.simulation.fleet import Minute, Scaling, Surge, decided
from benchmarks.simulation.summary import summary
from benchmarks.simulation.task import Costs, Request, Task

ROOT = Path(__file__).parents[1]

EXPONENTIAL = tuple(-math.log(1 - (part + 0.5) / 500) for part in range(500))
DEAR = Costs(loop=0.001, lane=0.019, refusal=0.0005)
"""Of requests of which half a processor answers 25 a second."""


@pytest.mark.parametrize(("spread", "load"), [((1.0,), 0.5), ((1.0,), 0.8), (EXPONENTIAL, 0.5)])
def test_one_picture_after_the_other_waits_as_queueing_theory_says(spread: tuple[float, ...], load: float) -> None:
    """M/D/1 and M/M/1, by Pollaczek and Khinchine."""
    service = [0.01 * factor for factor in spread]
    rate = load / statistics.mean(service)
    costs = Costs(loop=0, lane=0.01, spread=spread)
    calls = curve.calls(costs, rate, 200, seed=7, processors=1.0, together=1, max_waiting=10**6)
    waits = rate * statistics.mean(each**2 for each in service) / 2 / (1 - load)
    assert statistics.mean(call.seconds for call in calls) == pytest.approx(waits + statistics.mean(service), rel=0.08)


def test_a_task_does_what_its_quota_allows() -> None:
    costs = Costs(loop=0.0005, lane=0.0015)
    calls = curve.calls(costs, rate=400, seconds=20, seed=1)
    assert sum(call.status == 200 for call in calls) / 20 == pytest.approx(0.5 / 0.002, rel=0.06)


def test_when_the_quota_is_used_up_all_wait_for_the_next_period() -> None:
    env, done = simpy.Environment(), list[float]()
    task = Task(env, Costs(loop=0, lane=0.03), random.Random(1), together=1)
    for _ in range(3):
        task.take(Request(0, lambda _: done.append(env.now)))
    env.run()
    assert done == pytest.approx([0.03, 0.11, 0.14])


def test_who_finds_all_places_taken_is_refused_at_once() -> None:
    env, told = simpy.Environment(), list[tuple[bool, float]]()
    task = Task(env, Costs(loop=1e-5, lane=0.01, refusal=1e-5), random.Random(1))
    for _ in range(300):
        task.take(Request(0, lambda answered: told.append((answered, env.now))))
    env.run()
    assert [answered for answered, _ in told].count(False) == 300 - 256
    assert max(when for answered, when in told if not answered) < min(when for answered, when in told if answered)


def test_what_is_taken_together_is_answered_together() -> None:
    env, done = simpy.Environment(), list[float]()
    task = Task(env, Costs(loop=0, lane=0.001), random.Random(1), processors=1.0)
    for _ in range(17):
        task.take(Request(0, lambda _: done.append(round(env.now, 6))))
    env.run()
    assert done == [0.016] * 16 + [0.017]


BUSY, CALM = Minute(2, requests=60, processor=0.3), Minute(2, requests=5, processor=0.1)


@pytest.mark.parametrize(
    ("minutes", "wanted"),
    [
        ([BUSY], None),
        ([CALM, BUSY, BUSY], None),
        ([BUSY, BUSY, BUSY], 6),
        ([BUSY, BUSY, replace(BUSY, requests=200)], 10),
        ([replace(CALM, processor=0.9)] * 3, 3),
        ([replace(CALM, tasks=8)] * 14, None),
        ([replace(CALM, tasks=8)] * 15, 2),
        ([replace(CALM, tasks=8, processor=0.5)] * 15, 7),
        ([replace(CALM, tasks=8, processor=0.58)] * 15, None),
    ],
)
def test_as_many_tasks_as_would_have_met_the_target(minutes: list[Minute], wanted: int | None) -> None:
    assert decided(Scaling(max_tasks=10), tuple(minutes)) == wanted


def test_through_a_surge() -> None:
    """Its first minutes are more than two tasks can do; then there are others, and later fewer again."""
    surge = Surge(rate=8, times=10, before=60, lasts=420, after=1140)
    scaling = Scaling(max_tasks=20, requests=5)
    asked, minutes = fleet.through(surge, DEAR, scaling, seed=3)
    told = summary(surge, asked, minutes)
    assert (told.before, told.most, minutes[-1].tasks) == (2, 20, 2)
    assert [minute.tasks for minute in minutes[:8]] == [2, 2, 2, 2, 2, 2, 20, 20]
    assert told.refused > 0.1
    assert told.failed < told.refused
    assert told.p99[0] < 0.2 < 3 < max(told.p99[1:5])
    assert told.p99[7] < 0.2


def test_a_seed_says_all_that_happens() -> None:
    surge = Surge(rate=20, before=5, lasts=15, after=5)
    asked, _ = fleet.through(surge, DEAR, Scaling(), seed=3)
    assert any(one.tries > 1 for one in asked)
    assert fleet.through(surge, DEAR, Scaling(), seed=3)[0] == asked
    assert fleet.through(surge, DEAR, Scaling(), seed=4)[0] != asked


def test_scaling_is_the_stack_s() -> None:
    service, config = ((ROOT / "infra" / name).read_text() for name in ("service.py", "config.py"))
    found = {
        "requests": re.search(r"REQUESTS_PER_MINUTE = (\d+) \* 60", service),
        "processor": re.search(r"target_utilization_percent=(\d+)", service),
        "min_tasks": re.search(r"min_tasks: .* = (\d+)", config),
        "max_tasks": re.search(r"max_tasks: .* = (\d+)", config),
    }
    scaling = Scaling()
    for name, match in found.items():
        assert match is not None
        assert float(match[1]) == getattr(scaling, name) * (100 if name == "processor" else 1), name
