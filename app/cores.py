"""How many processors this process may really use: those that it may run on, as far as its container's share goes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def usable(root: Path = Path("/")) -> int:
    """Whole ones, and at least one, also of half a processor.

    Args:
        root: of the file system in which Linux tells of control groups.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Processors that each control group may use, of those that this process is in and, as far as seen, around them."""
    mounted = root / "sys/fs/cgroup"
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            top = mounted / "cpu" if controllers else mounted
            group = top / path.lstrip("/")
            for folder in (group, *group.parents):
                if top in (folder, *folder.parents):
                    yield from _quota(folder)


def _quota(group: Path) -> Iterator[float]:
    """What a group has, by either version of control groups; nothing where it has no limit."""
    with suppress(OSError, ValueError):
        quota, period = (group / "cpu.max").read_text().split()
        yield float(quota) / float(period)  # "max" is no number
    with suppress(OSError, ValueError):
        quota, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        if float(quota) > 0:
            yield float(quota) / float(period)
