"""Callers who do not wait for each other: requests at random moments, so many a second, whatever becomes of the others.

A caller who waits for an answer before the next request sends less to a server that is slow, and hides how slow it is.
Linux only; as root, for the callers' own precedence.
"""

import asyncio
import os
import random
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop

PATIENCE = 30.0
"""Seconds that a caller waits for an answer."""

AUTOGROUP = Path("/proc/self/autogroup")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Call:
    """When it was to be sent, seconds after the first one, after how many it was answered, and with which status."""

    due: float
    seconds: float
    status: int
    """0: there was no answer."""


def send(port: int, requests: Sequence[bytes], rate: float, seconds: float, seed: int) -> list[Call]:
    """What became of a Poisson stream of requests, so many a second; each is one of those given, at random."""
    return _first(_send(port, requests, rate, seconds, random.Random(seed)))


def keep_asking(port: int, requests: Sequence[bytes], callers: int, seconds: float, seed: int) -> int:
    """How many answers so many callers get who each ask again at once; they do wait."""
    return _first(_keep_asking(port, requests, callers, seconds, random.Random(seed)))


def _first(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it before all others on the machine: a caller who is late himself would find the server late."""
    _prefer(-20)
    try:
        return uvloop.run(work)
    finally:
        _prefer(0)


def _prefer(nice: int) -> None:
    """This process, and the group in which Linux may have put all of its terminal or session."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    if AUTOGROUP.exists():
        AUTOGROUP.write_text(str(nice))


async def _send(port: int, requests: Sequence[bytes], rate: float, seconds: float, chance: random.Random) -> list[Call]:
    connections = Connections(port)
    calls: list[asyncio.Task[Call]] = []
    start, due = time.perf_counter(), 0.0
    while (due := due + chance.expovariate(rate)) < seconds:
        await asyncio.sleep(start + due - time.perf_counter())
        calls.append(asyncio.create_task(_call(connections, chance.choice(requests), start, due)))
    finished = await asyncio.gather(*calls)
    connections.close()
    return finished


async def _call(connections: "Connections", request: bytes, start: float, due: float) -> Call:
    began = min(start + due, time.perf_counter())  # a timer may be a millisecond early
    try:
        async with asyncio.timeout(PATIENCE):
            status = await connections.ask(request)
    except (OSError, EOFError):  # TimeoutError is an OSError
        status = 0
    return Call(due, time.perf_counter() - began, status)


async def _keep_asking(
    port: int, requests: Sequence[bytes], callers: int, seconds: float, chance: random.Random
) -> int:
    connections = Connections(port)
    ends = time.perf_counter() + seconds
    answered = 0

    async def ask() -> None:
        nonlocal answered
        while time.perf_counter() < ends:
            status = await connections.ask(chance.choice(requests))
            answered += status == 200

    await asyncio.gather(*(ask() for _ in range(callers)))
    connections.close()
    return answered


class Connections:
    """Kept open and used again, as a load balancer does; where all are in use, another is opened."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> int:
        """The status of the answer. Raises OSError and EOFError."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        kept = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            kept = b"connection: close" not in head
        finally:
            if kept:
                self._idle.append((reader, writer))
            else:
                writer.close()
        return int(head.split(maxsplit=2)[1])

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
