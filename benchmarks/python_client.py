"""What a call costs whoever makes it: `python -m benchmarks.python_client`, against an API that it starts.

The peer is the same POST by `requests`, of which the answer is not looked at. They take turns, call by call.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

import requests

from app.client.client import Client
from benchmarks import processes
from benchmarks.serving import CONTENT_TYPE, form, picture
from tests.support.ports import free_port


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.python_client", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="calls of each (%(default)s)")
    args = parser.parse_args()
    port, data = free_port(), picture()
    url = f"http://127.0.0.1:{port}"
    settings = {"DIGITS_API_PORT": str(port), "DIGITS_API_KEYS": "", "DIGITS_RATE_PER_ADDRESS": "0"}
    with processes.running([sys.executable, "-m", "app.api"], settings), Client(url) as client:
        processes.wait_for(f"{url}/predict/", form(data), CONTENT_TYPE)
        session = requests.Session()
        session.trust_env = False
        callers: dict[str, Callable[[], object]] = {
            "requests": lambda: session.post(f"{url}/predict/", files={"file": ("picture", data)}, timeout=10),
            "this client": lambda: client.predict(data),
        }
        _report(callers, args.count)


def _report(callers: dict[str, Callable[[], object]], count: int) -> None:
    waited: dict[str, list[float]] = {name: [] for name in callers}
    cpu = dict.fromkeys(callers, 0.0)
    for turn in range(count):
        for name, call in list(callers.items())[:: 1 if turn % 2 else -1]:
            start, before = time.perf_counter(), time.thread_time()
            call()
            cpu[name] += time.thread_time() - before
            waited[name].append(time.perf_counter() - start)
    for name, times in waited.items():
        median, of_core = 1000 * statistics.median(times), 1000 * cpu[name] / count
        print(f"{name}: {median:.2f} ms until the answer (median), {of_core:.2f} ms of the caller's core")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
