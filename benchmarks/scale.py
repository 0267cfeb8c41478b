"""What one task answers, what it costs, and what would become of a surge, `python -m benchmarks.scale`.

One API process with half a processor, as a task on Fargate has, is sent drawings at random moments, from a tenth of
what it can to twice that. A simulation with the costs of a request that this shows is held against the whole curve, and
then goes through a tenfold surge with tasks, a load balancer and scaling, by several settings. Beside this it is
measured what a picture costs the command line, and how fast samples reach PostgreSQL.

Linux only, as root, with cgroups and PostgreSQL. `--simulate` takes what was measured before from the record, and
`--tables` takes all of it.

Writes benchmarks/scale.json, benchmarks/scale.md, the tables in docs/scale.md, and images/scale.png.
"""

import argparse
import gc
import json
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import in_bulk, one_task, scale_report, writes
from benchmarks.simulation import curve, fleet
from benchmarks.simulation.fleet import Scaling, Surge
from benchmarks.simulation.summary import summary
from benchmarks.simulation.task import Costs

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/scale.json"

SETTINGS = {
    "as they are: 20 a second, 2 to 4 tasks": Scaling(),
    "20 a second, 2 to 100 tasks": Scaling(max_tasks=100),
    "60 a second, 2 to 100 tasks": Scaling(max_tasks=100, requests=60),
    "the same, after one minute": Scaling(max_tasks=100, requests=60, minutes_out=1),
}

SHARE = 0.5
"""Requests before the surge, of what one task can answer."""


def measured(seconds: float, times: int, seed: int) -> dict[str, Any]:
    return {
        "machine": f"{os.cpu_count()} CPUs; {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "seconds": seconds,
        "times": times,
        **one_task.measure(seconds, times, seed),
        "pictures": in_bulk.measure(),
        "writes": writes.measure(),
    }


def simulated(found: dict[str, Any], seed: int) -> dict[str, Any]:
    """The curve again, and surges, with the costs that were measured."""
    costs = Costs(**{**found["costs"], "spread": tuple(found["costs"]["spread"])})
    rate = SHARE * found["capacity"]
    with ProcessPoolExecutor() as pool:
        surges = [pool.submit(surge_by, name, rate, costs, seed) for name in SETTINGS]
        points = [point_by(found, costs, entry["load"], seed) for entry in found["curve"]]
        return {
            "seed": seed,
            "surge": asdict(Surge(rate)),
            "curve": [asdict(point) for point in points],
            "surges": [surge.result() for surge in surges],
        }


def point_by(found: dict[str, Any], costs: Costs, load: float, seed: int) -> one_task.Point:
    """One of the curve, by runs as many and as long as those that were measured."""
    rate, seconds = found["capacity"] * load, found["seconds"]
    runs = [curve.calls(costs, rate, seconds, seed + turn) for turn in range(found["times"])]
    return one_task.together([one_task.point(run) for run in runs])


def surge_by(name: str, rate: float, costs: Costs, seed: int) -> dict[str, Any]:
    """What becomes of the surge by one of the settings."""
    gc.disable()  # of millions of requests none is garbage
    surge = Surge(rate)
    asked, minutes = fleet.through(surge, costs, SETTINGS[name], seed)
    return {"name": name, **asdict(summary(surge, asked, minutes))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="how long to send at each rate (%(default)s)")
    parser.add_argument("--times", type=int, default=3, help="how often; medians count (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance (%(default)s)")
    parser.add_argument("--simulate", action="store_true", help="measure nothing: take it from the record")
    parser.add_argument("--tables", action="store_true", help="write the record's tables, and nothing else")
    options = parser.parse_args()
    if options.tables:
        record = json.loads(RECORD.read_text())
    else:
        if options.simulate:
            found = json.loads(RECORD.read_text())["measured"]
        else:
            found = measured(options.seconds, options.times, options.seed)
        record = {"measured": found, "simulated": simulated(found, options.seed)}
        RECORD.write_text(json.dumps(record, indent=2) + "\n")
    scale_report.write(record, ROOT)
    print((ROOT / "benchmarks/scale.md").read_text())


if __name__ == "__main__":
    main()
