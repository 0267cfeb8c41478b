"""A Ray cluster of several machines that are one: raylets on this one, with a core each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OBJECT_STORE_BYTES = 80_000_000


@dataclass(frozen=True)
class Process:
    """`cpu`: seconds that it has had so far."""

    number: int
    parent: int
    command: str
    cpu: float


@dataclass(frozen=True)
class Machines:
    """`raylets`: the processes that each stand for a machine."""

    address: str
    raylets: list[int]

    def readers(self) -> list[Process]:
        """The actors that read shards at present; a machine is the parent of its own."""
        return [one for one in processes() if one.parent in self.raylets and "ShardReader" in one.command]


@contextmanager
def machines(count: int) -> Iterator[Machines]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=options | {"include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**options)
        raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
        yield Machines(cluster.address, raylets)
    finally:
        cluster.shutdown()


def processes() -> Iterator[Process]:
    """All of this machine."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                continue
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            yield Process(int(folder.name), int(fields[1]), command, cpu)
