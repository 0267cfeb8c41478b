"""A Ray cluster of one machine and of two against this machine alone: `python -m benchmarks.ray_engine --data DIR`.

All read the same MNIST pictures: the bare loop of decoding and network and the local engine with two processes, Ray
with an actor on one of two raylets, and with one on each, every actor and process with one thread. They take turns. A
rate by the clock counts from the first shards that are done to the last, without anybody's start; processor time
counts all that reads, with its imports, and the driver's. The clock is worth as much as the machine is quiet.
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
from benchmarks.command_line import bare_loop, loose_pictures, own_seconds
from tests.support.ray_cluster import Machines, machines, processes

SHARDS = 16

SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Took:
    """Pictures a second by the clock, and milliseconds of a core for each."""

    rate: float
    each: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_engine", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--count", type=int, default=40_000, help="pictures (%(default)s)")
    parser.add_argument("--times", type=int, default=3, help="runs of each (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, machines(2) as cluster:
        folder = Path(name)
        files = loose_pictures(args.data, folder, args.count)
        size = sum(Path(file).stat().st_size for file in files)
        Pack([str(folder / "pictures")], str(folder / "shards"), -(-size // SHARDS), quiet=True).run(Outcome())
        lists = [folder / f"files-{job}" for job in range(2)]
        for job, part in enumerate(lists):
            part.write_text("\n".join(files[job::2]))
        work: dict[str, Callable[[], Took]] = {
            "bare loop, 2 processes": lambda: _bare(lists, args.count),
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
    _ratio("rate of two machines to one's", took["Ray, 2 machines"], took["Ray, 1 machine"], lambda run: run.rate)
    for other in ("local engine, 2 processes", "bare loop, 2 processes"):
        _ratio(f"pictures a core-second, Ray to {other}", took[other], took["Ray, 2 machines"], lambda run: run.each)


def _said(who: str, runs: list[Took]) -> str:
    rate, each = statistics.median(run.rate for run in runs), statistics.median(run.each for run in runs)
    return f"{who}: {rate:,.0f} a second, {each:.3f} ms of a core each"


def _ratio(what: str, ones: list[Took], others: list[Took], figure: Callable[[Took], float]) -> None:
    ratios = [figure(one) / figure(other) for one, other in zip(ones, others, strict=True)]
    print(f"{what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def _bare(lists: list[Path], count: int) -> Took:
    start, own = time.monotonic(), own_seconds()
    bare_loop(lists)
    return Took(count / (time.monotonic() - start), 1000 * (own_seconds() - own) / count)


def _local(folder: Path, count: int) -> Took:
    start, own = time.monotonic(), own_seconds()
    _command(folder, "answers.parquet", "--jobs", "2").wait()
    return Took(count / (time.monotonic() - start), 1000 * (own_seconds() - own) / count)


def _ray(folder: Path, count: int, cluster: Machines, jobs: int) -> Took:
    own = own_seconds()
    driver = _command(folder, "answers", "--engine", "ray", "--jobs", str(jobs), address=cluster.address)
    readers = dict[int, float]()
    while driver.poll() is None:
        actors = {reader.number for reader in cluster.readers()}
        readers |= {one.number: one.cpu for one in processes() if actors & {one.number, one.parent}}
        time.sleep(SAMPLE_SECONDS)
    assert driver.returncode == 0
    done = sorted(shard.stat().st_mtime for shard in (folder / "answers").iterdir())
    rate = count * (len(done) - jobs) / len(done) / (done[-1] - done[jobs - 1])
    return Took(rate, 1000 * (own_seconds() - own + sum(readers.values())) / count)


def _command(folder: Path, output: str, *options: str, address: str = "") -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "app.cli", "predict", str(folder / "shards"), "--anew", "--quiet"]
    environment = os.environ | ({"RAY_ADDRESS": address} if address else {})
    return subprocess.Popen([*command, "--output", str(folder / output), *options], env=environment)


if __name__ == "__main__":
    main()
