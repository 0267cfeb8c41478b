"""A share of the processor for a command, as a task on Fargate has one: Linux's control groups, as root."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 0.1
"""Seconds; in each of which the processes of a group may run so many of a processor, and then wait for the next."""


@contextlib.contextmanager
def limited(command: list[str], processors: float) -> Iterator[list[str]]:
    """The command, changed so that it and all it starts may use no more than so many processors.

    Before others on the machine it has precedence, so that they count for little. Raises OSError where control groups
    may not be made.
    """
    unified = (ROOT / "cgroup.controllers").exists()
    group = (ROOT if unified else ROOT / "cpu") / f"digits-{os.getpid()}"
    if unified:
        (ROOT / "cgroup.subtree_control").write_text("+cpu")
    group.mkdir()
    try:
        quota, period = round(processors * PERIOD * 1e6), round(PERIOD * 1e6)
        if unified:
            (group / "cpu.max").write_text(f"{quota} {period}")
            (group / "cpu.weight").write_text("10000")
        else:
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
            (group / "cpu.shares").write_text("262144")
        yield ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"), *command]
    finally:
        group.rmdir()
