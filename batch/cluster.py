"""Ray: the cluster that RAY_ADDRESS names, or one of this machine's cores alone, and actors there, one a core.

The code and the model go there with the job, so that no machine answers by others of its own; what they import must be
installed on each.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import click
import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError

from app import cores
from app.cli import tables
from app.cli.answering import CannotAnswer, Question
from app.cli.progress import REDRAW_SECONDS, Progress
from batch.reader import ShardReader, Tally, Work

ADDRESS: Final = "RAY_ADDRESS"

PATIENCE_SECONDS: Final = 10.0
"""For a cluster that is asked for something small."""

_ROOT: Final = Path(__file__).parents[1]
_NOT_SENT: Final = ["models/*/", "ui/", "samples/", "__pycache__/"]
"""Of the code: what nobody reads there. Models are sent by themselves, wherever they lie."""

_OBJECT_STORE_BYTES: Final = 100_000_000
"""Of a cluster that is started here. Pictures and answers do not go through it."""


@contextmanager
def joined(shards: int, quiet: bool) -> Iterator[None]:
    """For a while, this program is the driver of a cluster, for so many shards. Raises CannotAnswer."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    address = os.environ.get(ADDRESS)
    if address:
        _knock(address)
    alone = {"num_cpus": cores.usable(), "object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local",
            runtime_env={"py_modules": [str(_ROOT / name) for name in ("app", "batch")], "excludes": _NOT_SENT},
            logging_level=logging.ERROR,
            log_to_driver=False,
            **({} if address else alone),
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise CannotAnswer(f"The Ray cluster {address} cannot be joined: {tables.first_line(error)}") from None
    try:
        if not quiet:
            click.echo(f"{_in_words(address)}, for {shards:,} shard{'s' * (shards != 1)}.", err=True)
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # Ray tells there of all that ends
            yield
    finally:
        ray.shutdown()


def failures(works: list[Work], question: Question, jobs: int | None, progress: Progress, quiet: bool) -> Iterator[str]:
    """Have shards answered; those that could not be, each with the reason. Raises CannotAnswer."""
    context = DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    folder = question.models / question.alphabet
    tally = ray.remote(num_cpus=0, max_restarts=-1)(Tally).remote()
    dataset = ray.data.from_items(works, override_num_blocks=len(works)).map(
        ShardReader,
        fn_constructor_args=[question, {file.name: file.read_bytes() for file in folder.glob("*.onnx")}, tally],
        num_cpus=1,
        compute=ActorPoolStrategy(size=min(jobs or _cores(), len(works)), max_tasks_in_flight_per_actor=1),
    )
    with _told(tally, progress, quiet):
        try:
            for row in dataset.iter_rows():
                if row["failed"]:
                    yield row["failed"]
        except RayError as error:
            cause = str(error).strip().splitlines()[-1]  # above it stands the way there
            raise CannotAnswer(f"The Ray cluster has failed: {cause}") from None


def _knock(address: str) -> None:
    """Where nobody answers, Ray itself takes minutes to say so. Raises CannotAnswer."""
    host, _, port = address.rpartition(":")
    if "/" in host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), PATIENCE_SECONDS).close()
    except OSError:
        raise CannotAnswer(f"There is no Ray cluster at {address}, which {ADDRESS} names.") from None


@contextmanager
def _told(tally: Any, progress: Progress, quiet: bool) -> Iterator[None]:
    """Around a run: what the actors tell goes to the person who waits."""
    over = Event()

    def watch() -> None:
        answered = deaths = 0
        ended = False
        while not ended:
            ended = over.wait(REDRAW_SECONDS)  # and look a last time
            with suppress(RayError):
                by_now, dead = ray.get(tally.told.remote(), timeout=PATIENCE_SECONDS)
                progress.advance(max(0, by_now - answered))
                if dead > deaths and not quiet:
                    progress.end()
                    click.echo("A process of the cluster has died; its shard is begun again.", err=True)
                answered, deaths = max(by_now, answered), max(dead, deaths)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        progress.end()


def _cores() -> int:
    return int(ray.cluster_resources().get("CPU", 1))


def _in_words(address: str | None) -> str:
    on = "1 core" if _cores() == 1 else f"{_cores():,} cores"
    if address is None:
        return f"{ADDRESS} is not set: Ray runs on this machine alone, on {on}"
    machines = sum(node["Alive"] for node in ray.nodes())
    return f"Ray cluster {address}: {machines} machine{'s' * (machines != 1)}, {on}"
