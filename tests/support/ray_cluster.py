"""A Ray cluster of two machines that are one: two raylets on this one, with a core each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OBJECT_STORE_BYTES = 80_000_000


@dataclass(frozen=True)
class TwoMachines:
    """`raylets`: their processes."""

    address: str
    raylets: list[int]

    def readers(self) -> list[int]:
        """The actors that read shards at present: for each machine its processes of that name."""
        return [
            process for process, parent, command in _processes() if parent in self.raylets and b"ShardReader" in command
        ]

    def machine_of(self, reader: int) -> int:
        return next(parent for process, parent, _ in _processes() if process == reader)


@contextmanager
def two_machines() -> Iterator[TwoMachines]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": OBJECT_STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args=options | {"include_dashboard": False})
    try:
        cluster.add_node(**options)
        raylets = [node.all_processes["raylet"][0].process.pid for node in cluster.list_all_nodes()]
        yield TwoMachines(cluster.address, raylets)
    finally:
        cluster.shutdown()


def _processes() -> Iterator[tuple[int, int, bytes]]:
    """Each with its parent and its command line."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                yield int(folder.name), int(parent), (folder / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                continue
