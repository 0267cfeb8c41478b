"""The command line against the bare loop: `python -m benchmarks.command_line --data DIR`.

Both read the same MNIST pictures, PNG files in a folder, with as many processes, one thread each. Of the bare loop each
process has a list of its files from the start, decodes them and asks the network, and that is all. The command finds
the files, answers them in order, writes a line of JSON for each, and would survive a kill. A run counts from its start
to its end, imports included; the two take turns, and the ratio is of runs beside each other. How quiet the machine was
is measured, too: the cores that others kept busy meanwhile.
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

from PIL import Image

from app import cores
from app.cli.answering import TOGETHER
from app.reading.recognizer import MODEL_FILE
from benchmarks.processes import own_seconds
from training.datasets import mnist_pictures
from training.package import installed

BARE = f"""
import sys
from pathlib import Path
from app.reading.picture import open_file
from app.reading.pipeline import read
from app.reading.recognizer import Recognizer
recognizer, files = Recognizer(Path(sys.argv[1])), Path(sys.argv[2]).read_text().splitlines()
for start in range(0, len(files), {TOGETHER}):
    read([open_file(Path(file).read_bytes()) for file in files[start : start + {TOGETHER}]], recognizer)
"""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, processor seconds of all processes, and the cores that others kept busy."""

    seconds: float
    cpu: float
    others: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.command_line", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with the data sets (%(default)s)")
    parser.add_argument("--count", type=int, default=20_000, help="pictures (%(default)s)")
    parser.add_argument("--times", type=int, default=5, help="runs of each (%(default)s)")
    parser.add_argument("--jobs", type=int, default=cores.usable(), help="processes (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = loose_pictures(args.data, folder, args.count)
        lists = lists_of(files, folder, args.jobs)
        bare, command = list[Took](), list[Took]()
        for turn in range(args.times):
            pair = [(bare, lambda: bare_loop(lists)), (command, lambda: _command(folder, args.jobs))]
            for times, work in pair if turn % 2 else reversed(pair):
                times.append(_took(work))
            print(f"bare {_said(bare[-1], args.count)}; command {_said(command[-1], args.count)}", flush=True)
    _report("seconds", [one.seconds for one in bare], [one.seconds for one in command])
    _report("processor seconds", [one.cpu for one in bare], [one.cpu for one in command])
    print(f"others kept {statistics.mean(one.others for one in bare + command):.2f} of {os.cpu_count()} cores busy")


def loose_pictures(data: Path, folder: Path, count: int) -> list[str]:
    images, _ = mnist_pictures(data, train=False)
    (folder / "pictures").mkdir()
    files = list[str]()
    for place in range(count):
        file = folder / "pictures" / f"{place:07}.png"
        if place < len(images):
            Image.fromarray(images[place]).save(file)
        else:
            file.write_bytes(Path(files[place % len(images)]).read_bytes())
        files.append(str(file))
    return files


def lists_of(files: list[str], folder: Path, jobs: int) -> list[Path]:
    """What each process of the bare loop is to read."""
    lists = [folder / f"files-{job}" for job in range(jobs)]
    for job, part in enumerate(lists):
        part.write_text("\n".join(files[job::jobs]))
    return lists


def bare_loop(lists: list[Path]) -> None:
    model = installed("digits") / MODEL_FILE
    loops = [
        subprocess.Popen([sys.executable, "-c", BARE, str(model), str(part)], env=os.environ | ONE_THREAD)
        for part in lists
    ]
    for loop in loops:
        assert loop.wait() == 0


def _command(folder: Path, jobs: int) -> None:
    output = folder / "answers.jsonl"
    command = [sys.executable, "-m", "app.cli", "predict", str(folder / "pictures"), "--jobs", str(jobs), "--anew"]
    subprocess.run([*command, "--output", str(output)], check=True, stderr=subprocess.DEVNULL)


def _took(work: Callable[[], None]) -> Took:
    start, own, busy = time.monotonic(), own_seconds(), _busy()
    work()
    seconds, cpu, all_busy = time.monotonic() - start, own_seconds() - own, _busy() - busy
    return Took(seconds, cpu, max(0.0, (all_busy - cpu) / seconds))


def _busy() -> float:
    """Processor seconds that the machine was at work: user, nice, system, interrupts and what a host took away."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _said(took: Took, count: int) -> str:
    rate, each = count / took.seconds, 1000 * took.cpu / count
    return f"{rate:6,.0f} a second, {each:.3f} ms of a core each ({took.others:.2f} cores busy with others)"


def _report(what: str, bare: list[float], command: list[float]) -> None:
    ratios = [one / other for one, other in zip(bare, command, strict=True)]
    print(
        f"{what}: bare {statistics.median(bare):.1f}, command {statistics.median(command):.1f}; "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
