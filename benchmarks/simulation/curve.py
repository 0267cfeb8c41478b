"""One task under a Poisson stream of requests that nobody repeats, as `benchmarks.open_loop` sends it."""

import random
from functools import partial

import simpy

from benchmarks.open_loop import Call
from benchmarks.simulation.task import Costs, Request, Steps, Task


def calls(costs: Costs, rate: float, seconds: float, seed: int, **task: float) -> list[Call]:
    """What becomes of so many requests a second; `task` are other than usual values of Task's."""
    env, chance = simpy.Environment(), random.Random(seed)
    server = Task(env, costs, chance, **task)  # type: ignore[arg-type]
    done: list[Call] = []

    def told(since: float, answered: bool) -> None:
        done.append(Call(since, env.now - since + costs.elsewhere, 200 if answered else 503))

    def arrivals() -> Steps:
        while True:
            yield env.timeout(chance.expovariate(rate))
            if env.now > seconds:
                return
            server.take(Request(env.now, partial(told, env.now)))

    env.process(arrivals())
    env.run()
    return done
