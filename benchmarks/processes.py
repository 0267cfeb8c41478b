"""A server started for a measurement, and what it and its children take of the machine. Linux only."""

import contextlib
import os
import resource
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    """The process id of a started command. It and all it started are ended afterwards."""
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, body: bytes, content_type: str, seconds: float = 120) -> bytes:
    """The first good answer to a POST; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        request = urllib.request.Request(url, body, {"Content-Type": content_type})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
            content: bytes = answer.read()
            return content
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not come up")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()
    ]
    return [pid, *(descendant for child in children for descendant in family(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its living descendants."""
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor seconds of all processes that have been started here and have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(pid: int) -> float:
    """Megabytes that a process and its descendants hold, pages that they share counted once."""
    kilobytes = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1000
