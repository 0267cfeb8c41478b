"""One API process with as much of a processor as a task on Fargate has: what it answers at any load, and its costs."""

import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import curve_fit

from app.reading.picture import open_file
from app.reading.pipeline import read
from app.reading.recognizer import Recognizer
from benchmarks import drawings, open_loop, processes
from benchmarks.open_loop import Call
from benchmarks.quota import limited
from benchmarks.serving import CONTENT_TYPE, MODEL, form, one_process
from benchmarks.simulation.task import Costs
from tests.support.ports import free_port

PROCESSORS = 0.5
LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 2.0)
"""Of what a task can answer."""

CALLERS = 32
"""Who ask all the time, to find out how much that is; fewer than may wait, so that none is refused."""


@dataclass(frozen=True)
class Point:
    """A rate of requests, and what became of them: a second, and milliseconds of those that were answered."""

    rate: float
    answered: float
    refused: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Used:
    """Processor seconds of an API process: of its event loop's thread, and of all others, which are the lane's."""

    loop: float
    lane: float

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.loop - other.loop, self.lane - other.lane)


@dataclass(frozen=True)
class Run:
    """What was sent at one load, and what of the processor it used."""

    calls: list[Call]
    used: Used

    @property
    def cpu(self) -> float:
        """Processor seconds for a request."""
        return (self.used.loop + self.used.lane) / len(self.calls)


def point(calls: Sequence[Call]) -> Point:
    seconds = max(call.due for call in calls)
    answered = [1000 * call.seconds for call in calls if call.status == 200]
    refused = sum(call.status == 503 for call in calls)
    assert len(answered) + refused == len(calls), "some were neither answered nor refused"
    cuts = statistics.quantiles(answered, n=100, method="inclusive")
    return Point(len(calls) / seconds, len(answered) / seconds, refused / seconds, cuts[49], cuts[98])


def measure(seconds: float, times: int, seed: int) -> dict[str, Any]:
    """For so many seconds at each load, so often. `capacity` are answers a second."""
    pictures = drawings.canvases()
    bodies = [form(picture) for picture in pictures]
    requests = [_request(body) for body in bodies]
    port = free_port()
    full, runs = list[tuple[int, Used]](), {load: list[Run]() for load in LOADS}
    with (
        limited([sys.executable, "-m", "app.api"], PROCESSORS) as command,
        processes.running(command, one_process(port)) as pid,
    ):
        processes.wait_for(f"http://127.0.0.1:{port}/predict/", bodies[0], CONTENT_TYPE)
        open_loop.keep_asking(port, requests, CALLERS, seconds / 2, seed)
        for turn in range(times):
            before = used(pid)
            answered = open_loop.keep_asking(port, requests, CALLERS, seconds, seed + turn)
            full.append((answered, used(pid) - before))
        capacity = statistics.median(answered for answered, _ in full) / seconds
        for turn in range(times):
            for load, seen in runs.items():
                before = used(pid)
                calls = open_loop.send(port, requests, capacity * load, seconds, seed + turn)
                seen.append(Run(calls, used(pid) - before))
                print(f"{load:4.0%} of {capacity:.0f} a second: {point(calls)}", flush=True)
    return {
        "processors": PROCESSORS,
        "capacity": capacity,
        "request_bytes": statistics.mean(map(len, requests)),
        "costs": asdict(costs(full, runs, spread(pictures))),
        "curve": [
            {
                "load": load,
                **asdict(together([point(run.calls) for run in seen])),
            }
            for load, seen in runs.items()
        ],
    }


def together(points: Sequence[Point]) -> Point:
    """Medians of the rates, and the shortest times: what else goes on in a machine can only make them longer."""
    rate, answered, refused = (
        statistics.median(getattr(one, name) for one in points) for name in ("rate", "answered", "refused")
    )
    return Point(rate, answered, refused, min(one.p50 for one in points), min(one.p99 for one in points))


def costs(full: Sequence[tuple[int, Used]], runs: dict[float, list[Run]], factors: tuple[float, ...]) -> Costs:
    """Those of a request: the two threads' at full load, of one that is refused at the highest, and of waking by how
    much dearer requests are the fewer there are. Of these, `elsewhere` is what the lightest load takes beyond them."""
    loop = statistics.median(used.loop / answered for answered, used in full)
    lane = statistics.median(used.lane / answered for answered, used in full)
    refusals = []
    for run in runs[max(LOADS)]:
        answered = sum(call.status == 200 for call in run.calls)
        refusals.append((run.used.loop - loop * answered) / (len(run.calls) - answered))
    light = [run for load, seen in runs.items() if load < 1 for run in seen]
    rates = [len(run.calls) / max(call.due for call in run.calls) for run in light]
    busy = [run.cpu * rate for run, rate in zip(light, rates, strict=True)]

    def dearer(x: tuple[Any, Any], waking: float, cooling: float) -> Any:
        """Of requests at random moments: how many find the task asleep, and for how long it then has slept."""
        rate, share = x
        return waking * (1 - share) / (1 + rate * cooling)

    more = [run.cpu - loop - lane for run in light]
    (waking, cooling), _ = curve_fit(
        dearer, (np.array(rates), np.array(busy)), more, p0=(loop, 0.01), bounds=((0, 1e-4), (0.01, 1))
    )
    beyond = min(point(run.calls).p50 / 1000 - run.cpu for run in runs[min(LOADS)])
    return Costs(
        loop=loop,
        lane=lane,
        waking=float(waking),
        cooling=float(cooling),
        refusal=statistics.median(refusals),
        elsewhere=max(0.0, beyond),
        spread=factors,
    )


def spread(pictures: Sequence[bytes], times: int = 100, parts: int = 20) -> tuple[float, ...]:
    """By what factors a picture's processor time, without a server, differs from the mean: so many, all as likely."""
    recognizer = Recognizer(MODEL)
    seconds = list[float]()
    for turn in range(times + 1):
        for picture in pictures:
            start = time.process_time()
            read([open_file(picture)], recognizer)
            if turn:
                seconds.append(time.process_time() - start)
    cuts = statistics.quantiles(seconds, n=2 * parts)[::2]
    return tuple(cut / statistics.mean(cuts) for cut in cuts)


def used(pid: int) -> Used:
    threads = {
        int(thread.name): int((thread / "schedstat").read_text().split()[0]) / 1e9
        for thread in Path(f"/proc/{pid}/task").iterdir()
    }
    loop = threads.pop(pid)
    return Used(loop, math.fsum(threads.values()))


def _request(body: bytes) -> bytes:
    head = f"POST /predict/ HTTP/1.1\r\nHost: digits\r\nContent-Type: {CONTENT_TYPE}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
