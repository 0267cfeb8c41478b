"""How soon the function of AWS Lambda answers, what it takes of a processor and of memory, and what that costs.

    infra/.venv/bin/python infra/bundle.py FOLDER && python -m benchmarks.function FOLDER

It is started from what is deployed, by AWS's own runtime client, on one core and with no more memory than it has there.
With 1769 MB Lambda gives it one processor, so that the time it is billed for is at least its processor time. A
cold start lasts until the first picture is answered; the files it reads are in the page cache here.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.processes import cpu_seconds, family, memory
from tests.support import function
from tests.support.function import event
from tests.support.pictures import drawn, encoded, number

MEGABYTES = 1769
DOLLARS_A_REQUEST = 0.20e-6
DOLLARS_A_GIGABYTE_SECOND = {"x86": 0.0000166667, "ARM": 0.0000133334}
"""List prices of us-east-1; a gigabyte has 1024 MB."""


def photograph() -> bytes:
    """12 megapixels with grain, as a telephone makes them: decoded in a process of its own."""
    grain = np.random.default_rng(0).normal(0, 6, (3000, 4000))
    picture = np.asarray(drawn(5, 3000, 1600, 160).resize((4000, 3000))) * 0.8 + 20 + grain
    return encoded(Image.fromarray(picture.clip(0, 255).astype(np.uint8)), "JPEG", quality=85)


def calls() -> dict[str, dict[str, Any]]:
    drawing = encoded(drawn(5))
    batch = [("files", drawing)] * 16
    return {
        "a drawing": event("POST", "/predict/", files={"file": drawing}),
        "16 drawings at once": event("POST", "/predict/batch/", files=batch),
        "a number of six digits": event("POST", "/read/", files={"file": encoded(number(4, 2, 1, 9, 0, 7))}),
        "a photograph of 12 megapixels": event("POST", "/predict/", files={"file": photograph()}),
    }


def limited() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20,) * 2)


def peak(pid: int) -> float:
    """Megabytes, the most of each process of the family."""
    kilobytes = 0
    for member in family(pid):
        status = Path(f"/proc/{member}/status").read_text()
        kilobytes += int(status.partition("VmHWM:")[2].split()[0])
    return kilobytes / 1000


def dollars_a_million(milliseconds: float, machine: str) -> float:
    """Of requests; a millisecond that has begun is billed."""
    held = MEGABYTES / 1024 * -(-milliseconds // 1) / 1000
    return 1e6 * (DOLLARS_A_REQUEST + held * DOLLARS_A_GIGABYTE_SECOND[machine])


def starts(serve: Callable[[], Any], call: dict[str, Any], times: int) -> None:
    seconds, processor = [], []
    for _ in range(times):
        since = time.perf_counter()
        with serve() as running:
            assert running.invoke(call)["statusCode"] == 200
            seconds.append(time.perf_counter() - since)
            processor.append(cpu_seconds(running.process.pid))
    print("\n| cold start, until the first answer | median | range |\n|---|---:|---:|")
    for name, values in (("by the clock", seconds), ("processor time", processor)):
        print(f"| {name} | {statistics.median(values):.2f} s | {min(values):.2f} to {max(values):.2f} s |")


def requests(serve: Callable[[], Any], times: int) -> None:
    print("\n| then | processor time | USD a million | on ARM | held | at most |\n|---|---:|---:|---:|---:|---:|")
    with serve() as running:
        pid = running.process.pid
        for name, call in calls().items():
            running.invoke(call)
            before = cpu_seconds(pid)
            for _ in range(times):
                assert running.invoke(call)["statusCode"] == 200
            each = (cpu_seconds(pid) - before) / times * 1000
            x86, arm = (dollars_a_million(each, machine) for machine in DOLLARS_A_GIGABYTE_SECOND)
            print(f"| {name} | {each:.1f} ms | {x86:.2f} | {arm:.2f} | {memory(pid):.0f} MB | {peak(pid):.0f} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="what infra/bundle.py has put together")
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--times", type=int, default=200, help="requests of each kind (%(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:

        def serve() -> Any:
            settings = {"OPENBLAS_NUM_THREADS": "1", "DIGITS_RATE_PER_ADDRESS": "0"}
            return function.serving(Path(folder), settings, arguments.bundle.resolve(), limited)

        starts(serve, calls()["a drawing"], arguments.starts)
        requests(serve, arguments.times)


if __name__ == "__main__":
    main()
