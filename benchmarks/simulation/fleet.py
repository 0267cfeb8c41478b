"""Tasks behind a load balancer, as many as scaling wants, and callers who ask again as the Python client does.

Scaling is target tracking as AWS documents it: a figure of each whole minute; more tasks when it was above its target
in three of them one after the other, fewer when it was below nine tenths of it in fifteen; as many as would have met
it. Where there are two figures, the one that wants more tasks counts.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import simpy

from app.client.errors import Busy
from app.client.retries import Retries, Waits
from benchmarks.simulation.task import Costs, Request, Steps, Task

MINUTE: Final = 60.0

PUBLISHED: Final = 60.0
"""Seconds from a minute's end until its figures are there and an alarm has looked at them; assumed."""

START: Final = 60.0
"""Seconds from the decision until a new task has passed its first health check: 40 to get a place, an address and the
image, assumed; 2 to start, measured; up to 15 until the load balancer asks it."""

MINUTES_IN, BELOW = 15, 0.9
SCALE_IN_COOLDOWN: Final = 300.0

RETRY_AFTER: Final = 1.0
"""Seconds that the API says with a 503."""


@dataclass(frozen=True)
class Scaling:
    """Those of the stack, unless they are given; `processor` is a share, `requests` a second for each task."""

    min_tasks: int = 2
    max_tasks: int = 4
    processor: float = 0.6
    requests: float = 20.0
    minutes_out: int = 3

    def steady(self, rate: float, used: float) -> int:
        """Tasks that so many requests a second keep, of each of which a share of a task's processor is `used`."""
        return self.within(max(rate / self.requests, rate * used / self.processor))

    def within(self, tasks: float) -> int:
        return min(self.max_tasks, max(self.min_tasks, math.ceil(tasks - 1e-9)))


@dataclass(frozen=True)
class Minute:
    """What CloudWatch has of it: tasks at its beginning, requests a second and the share of the processor of each."""

    tasks: int
    requests: float
    processor: float


@dataclass(frozen=True, slots=True)
class Asked:
    """When somebody asked first, after how many seconds and tries it was over, and whether with an answer."""

    since: float
    seconds: float
    tries: int
    answered: bool


def later(env: simpy.Environment, seconds: float, call: Callable[[], None]) -> None:
    """Call it so much later; cheaper than a process of its own."""
    timeout = env.timeout(seconds)
    assert timeout.callbacks is not None
    timeout.callbacks.append(lambda _: call())


@dataclass
class Fleet:
    """The load balancer gives requests to its tasks in turn."""

    env: simpy.Environment
    costs: Costs
    chance: random.Random
    scaling: Scaling
    tasks: list[Task]
    minutes: list[Minute] = field(default_factory=list)
    wanted: int = 0
    _counted: int = 0
    _used: float = 0.0
    _last_in: float = 0.0

    def __post_init__(self) -> None:
        self.wanted = len(self.tasks)
        self.env.process(self._watch())

    def take(self, request: Request) -> None:
        self._counted += 1
        self.tasks[self._counted % len(self.tasks)].take(request)

    def _watch(self) -> Steps:
        while True:
            tasks, counted, used = len(self.tasks), self._counted, self._processor_seconds()
            yield self.env.timeout(MINUTE)
            requests = (self._counted - counted) / tasks / MINUTE
            processor = (self._processor_seconds() - used) / tasks / MINUTE / self.tasks[0].processors
            self.minutes.append(Minute(tasks, requests, processor))
            later(self.env, PUBLISHED, partial(self._scale, tuple(self.minutes)))

    def _processor_seconds(self) -> float:
        return self._used + sum(task.used for task in self.tasks)

    def _scale(self, minutes: tuple[Minute, ...]) -> None:
        wanted = decided(self.scaling, minutes) or self.wanted
        if wanted > self.wanted:
            for _ in range(wanted - self.wanted):
                later(self.env, START, self._begin)
            self.wanted = wanted
        elif wanted < self.wanted and self.env.now - self._last_in >= SCALE_IN_COOLDOWN:
            for _ in range(self.wanted - wanted):
                # It gets no new requests, and has 30 seconds for those it has.
                self._used += self.tasks.pop().used
            self.wanted, self._last_in = wanted, self.env.now

    def _begin(self) -> None:
        self.tasks.append(Task(self.env, self.costs, self.chance))


def decided(scaling: Scaling, minutes: tuple[Minute, ...]) -> int | None:
    """How many tasks are wanted after these minutes; None where nothing is to change."""
    tasks, out = minutes[-1].tasks, scaling.minutes_out
    figures = [
        [minute.requests / scaling.requests for minute in minutes],
        [minute.processor / scaling.processor for minute in minutes],
    ]
    over = [shares[-1] for shares in figures if len(shares) >= out and min(shares[-out:]) > 1]
    if over:
        return scaling.within(tasks * max(over))
    if len(minutes) >= MINUTES_IN and all(max(shares[-MINUTES_IN:]) < BELOW for shares in figures):
        return scaling.within(tasks * max(shares[-1] for shares in figures))
    return None


@dataclass
class Callers:
    """Each asks for one picture, and again where there is no room, as the client does by itself."""

    fleet: Fleet
    asked: list[Asked] = field(default_factory=list)

    def ask(self) -> None:
        self._send(self.fleet.env.now, Retries().waits(), tries=1)

    def _send(self, since: float, waits: Waits, tries: int) -> None:
        env = self.fleet.env

        def told(answered: bool) -> None:
            if not answered:
                try:
                    seconds = waits.after(Busy("", RETRY_AFTER), harmless=True)
                except Busy:
                    pass
                else:
                    later(env, seconds, lambda: self._send(since, waits, tries + 1))
                    return
            self.asked.append(Asked(since, env.now - since, tries, answered))

        self.fleet.take(Request(env.now, told))


@dataclass(frozen=True)
class Surge:
    """Requests a second: so many, for so many seconds, then `times` as many, and then as before."""

    rate: float
    times: float = 10.0
    before: float = 180.0
    lasts: float = 360.0
    after: float = 1200.0

    @property
    def ends(self) -> float:
        return self.before + self.lasts + self.after

    def at(self, now: float) -> float:
        return self.rate * (self.times if 0 <= now - self.before < self.lasts else 1)


def through(surge: Surge, costs: Costs, scaling: Scaling, seed: int) -> tuple[list[Asked], list[Minute]]:
    """What becomes of all who ask, and of the tasks; the same for the same seed."""
    random.seed(seed)  # of which the client takes how long it waits
    env, chance = simpy.Environment(), random.Random(seed)
    steady = scaling.steady(surge.rate, (costs.loop + costs.lane) / Task.processors)
    fleet = Fleet(env, costs, chance, scaling, [Task(env, costs, chance) for _ in range(steady)])
    callers = Callers(fleet)

    def arrivals() -> Steps:
        while True:
            yield env.timeout(chance.expovariate(surge.at(env.now)))
            callers.ask()

    env.process(arrivals())
    env.run(until=surge.ends)
    return callers.asked, fleet.minutes
