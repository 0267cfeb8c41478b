"""A Ray cluster of one machine and of two against this machine alone: `python -m benchmarks.ray_engine --data DIR`.

All read the same MNIST pictures: the bare loop of decoding and network and the local engine with two processes, Ray
with an actor on one of two raylets, and with one on each, every actor and process with one thread. They take turns.
What a start costs, with its imports, is told apart: of the former two it is what a run over a few pictures takes, of
Ray all that is not used between the first shards that are done and the last. The clock is worth as much as the machine
is quiet.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.cli.run import Outcome
from batch.pack import Pack
from benchmarks.command_line import bare_loop, lists_of, loose_pictures
from benchmarks.processes import own_seconds
from tests.support.ray_cluster import Machines, machines, processes

PROCESSES = 2
FEW = 64
SHARDS = 16
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Took:
    """Pictures a second by the clock, milliseconds of a core for each, and core-seconds of the start."""

    rate: float
    each: float
    start: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_engine", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--count", type=int, default=40_000, help="pictures (%(default)s)")
    parser.add_argument("--times", type=int, default=3, help="runs of each (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, machines(2) as cluster:
        folder = Path(name)
        files = loose_pictures(args.data, folder, args.count)
        few = files[:FEW]
        size = sum(Path(file).stat().st_size for file in files)
        Pack([str(folder / "pictures")], str(folder / "shards"), -(-size // SHARDS), quiet=True).run(Outcome())
        Pack(few, str(folder / "few"), size, quiet=True).run(Outcome())
        work: dict[str, Callable[[], Took]] = {
            "bare loop, 2 processes": lambda: _bare(folder, files, few),
            "local engine, 2 processes": lambda: _local(folder, args.count),
            "Ray, 1 machine": lambda: _ray(folder, args.count, cluster, 1),
            "Ray, 2 machines": lambda: _ray(folder, args.count, cluster, 2),
        }
        took: dict[str, list[Took]] = {who: [] for who in work}
        for turn in range(args.times):
            for who in sorted(work, reverse=bool(turn % 2)):
                took[who].append(work[who]())
                print(_said(who, took[who][-1:]), flush=True)
    for who, runs in took.items():
        print(_said(f"median of {len(runs)}, {who}", runs))
    two = took.pop("Ray, 2 machines")
    _ratio("rate, two machines to one", [run.rate for run in two], [run.rate for run in took["Ray, 1 machine"]])
    for who, runs in took.items():
        _ratio(f"pictures a core-second, two machines to {who}", [run.each for run in runs], [run.each for run in two])


def _said(who: str, runs: list[Took]) -> str:
    rate, each, start = (statistics.median(getattr(run, name) for run in runs) for name in ("rate", "each", "start"))
    return f"{who}: {rate:,.0f} a second, {each:.3f} ms of a core each; start {start:.1f} core-seconds"


def _ratio(what: str, ones: list[float], others: list[float]) -> None:
    ratios = [one / other for one, other in zip(ones, others, strict=True)]
    print(f"{what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def _bare(folder: Path, files: list[str], few: list[str]) -> Took:
    def read(some: list[str]) -> None:
        bare_loop(lists_of(some, folder, PROCESSES))

    return _difference(len(files), lambda: read(files), lambda: read(few))


def _local(folder: Path, count: int) -> Took:
    def read(shards: str) -> None:
        assert _command(folder / shards, folder / "answers.parquet", "--jobs", str(PROCESSES)).wait() == 0

    return _difference(count, lambda: read("shards"), lambda: read("few"))


def _difference(count: int, all_of_them: Callable[[], None], a_few: Callable[[], None]) -> Took:
    start, own = time.monotonic(), own_seconds()
    a_few()
    middle, of_few = time.monotonic(), own_seconds() - own
    all_of_them()
    seconds, cpu = (time.monotonic() - middle) - (middle - start), own_seconds() - own - 2 * of_few
    return Took((count - FEW) / seconds, 1000 * cpu / (count - FEW), of_few)


def _ray(folder: Path, count: int, cluster: Machines, jobs: int) -> Took:
    own = own_seconds()
    driver = _command(
        folder / "shards", folder / "answers", "--engine", "ray", "--jobs", str(jobs), address=cluster.address
    )
    readers, used = dict[int, float](), list[tuple[float, float]]()
    while driver.poll() is None:
        actors = {reader.number for reader in cluster.readers()}
        readers |= {one.number: one.cpu for one in processes() if actors & {one.number, one.parent}}
        used.append((time.time(), sum(readers.values())))
        time.sleep(SAMPLE_SECONDS)
    assert driver.returncode == 0
    done = sorted(shard.stat().st_mtime for shard in (folder / "answers").iterdir())
    pictures = count * (len(done) - jobs) / len(done)
    first, last = (min(used, key=lambda one: abs(one[0] - moment)) for moment in (done[jobs - 1], done[-1]))
    each = (last[1] - first[1]) / pictures
    whole = own_seconds() - own + used[-1][1]
    return Took(pictures / (done[-1] - done[jobs - 1]), 1000 * each, whole - each * count)


def _command(shards: Path, output: Path, *options: str, address: str = "") -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "app.cli", "predict", str(shards), "--output", str(output), "--anew", "--quiet"]
    environment = os.environ | ({"RAY_ADDRESS": address} if address else {})
    return subprocess.Popen([*command, *options], env=environment, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
