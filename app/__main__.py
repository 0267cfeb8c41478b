"""Run all processes of the Procfile together, `python -m app`: both or neither.

When one ends, for whatever reason, the others are ended and this exits with its code, so that whoever runs it (a
person, a container engine, ECS) sees the failure and can start again. One that does not answer for minutes is ended,
too. SIGTERM, SIGINT and SIGHUP end all and exit with 0; DIGITS_DRAIN_SECONDS before, the servers are told of it.

Honcho would do most of this. It takes a process to be alive as long as anything holds its output open, though, and
so misses the death of a server whose workers live on; it forks two helpers, each as large as itself; and as process 1
of a container it leaves the orphans that are handed to it as zombies. No asyncio either: this stays in memory as long
as the servers do, and asyncio's imports would double it.
"""

import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import IO

from app import health
from app.health import Place
from app.outlet import Outlet

ROOT = Path(__file__).parent.parent

GRACE_ON_REQUEST = 7.0
"""Seconds that processes have to finish what is in flight after SIGTERM."""

GRACE_ON_FAILURE = 3.0
"""Seconds that the others have when one of them has died."""

CHECK_EVERY = 30.0
"""Seconds between two questions to a process whether it is well."""

FAILURES_AT_START, FAILURES = 10, 4
"""Answers in a row that may be missing, before there was a first and after: about five minutes and two."""

PARTING_SECONDS = 0.5
"""How long the last lines wait for whoever reads them."""

STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


def read_procfile(text: str) -> dict[str, list[str]]:
    """`name: command` lines as name -> arguments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): shlex.split(command) for name, _, command in (line.partition(":") for line in lines)}


def start(command: list[str]) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(  # noqa: S603 - the commands are the Procfile's
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # its own group: it and its workers are signalled together, and Ctrl-C only here
    )


def relay(label: bytes, stream: IO[bytes], outlet: Outlet) -> None:
    """Pass a process's lines on, each with its name in front. It would block if they were not read."""
    for line in stream:
        outlet.put(label + line.removesuffix(b"\n") + b"\n")


def watch(name: str, group: int, place: Place) -> None:
    """Ask a process again and again whether it is well; kill it when it is not for long."""
    left = FAILURES_AT_START
    while left > 0:
        time.sleep(CHECK_EVERY)
        left = FAILURES if health.is_well(place) else left - 1
    say(f"{name} was asked again and again whether it is well and did not say so; it is ended.")
    send([group], signal.SIGKILL)


def missing(lines: int) -> bytes:
    return f"{lines} lines were dropped here, which the reader of this output did not take in time.\n".encode()


def say(sentence: str) -> None:
    """On the standard error, as far as its reader takes it."""
    outlet = Outlet(sys.stderr.fileno(), missing)
    outlet.put(f"{sentence}\n".encode())
    outlet.flush(PARTING_SECONDS)


def watch_signals() -> int:
    """A descriptor from which every signal that arrives can be read, as one byte. Nothing is missed between reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in STOP | {signal.SIGCHLD}:
        signal.signal(number, lambda *_: None)
    return reading


def asked_to_stop(signals: int, timeout: float | None = None) -> bool:
    """Wait until a signal arrives, a process's end included; whether it was one to stop."""
    ready, _, _ = select.select([signals], [], [], timeout)
    return bool(ready and not STOP.isdisjoint(os.read(signals, 256)))


def reap(running: dict[int, str]) -> dict[str, int]:
    """Collect all that have ended; name -> exit code of those that were `running`, which they leave.

    A negative code is a signal's number. Orphans that a container hands to its process 1 are collected too.
    """
    ended: dict[str, int] = {}
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if process == 0:
            return ended
        if process in running:
            ended[running.pop(process)] = os.waitstatus_to_exitcode(status)


def take_leave(processes: Iterable[int], signals: int) -> None:
    """Announce the end to the servers, and wait as long as the settings say, or until asked once more."""
    known = {name.upper(): value for name, value in os.environ.items()}
    deadline = time.monotonic() + float(known.get("DIGITS_DRAIN_SECONDS", "0"))
    if deadline > time.monotonic():
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGUSR1)  # app.leaving's, which is not imported: it is large
    while (left := deadline - time.monotonic()) > 0 and not asked_to_stop(signals, left):
        pass


def send(groups: Iterable[int], what: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):  # macOS answers the latter for a group of zombies
            os.killpg(group, what)


def describe(name: str, code: int) -> str:
    return f"{name} was ended by {signal.Signals(-code).name}" if code < 0 else f"{name} ended with code {code}"


def run(commands: dict[str, list[str]], watched: Mapping[str, Place] = MappingProxyType({})) -> int:
    """Run commands until one ends or a signal asks to stop, and ask those `watched` how they are; the exit status."""
    signals = watch_signals()
    outlet = Outlet(sys.stdout.fileno(), missing)
    width = max(map(len, commands))
    processes = []
    relays = []
    running: dict[int, str] = {}
    died: dict[str, int] = {}
    for name, command in commands.items():
        try:
            process = start(command)
        except OSError as error:
            say(f"{name} cannot be started: {command[0]}: {error.strerror}.")
            died[name] = 127
            break
        assert process.stdout is not None
        processes.append(process)
        running[process.pid] = name
        label = f"{name:{width}} | ".encode()
        relays.append(Thread(target=relay, args=(label, process.stdout, outlet), daemon=True))
        relays[-1].start()
        if name in watched:
            Thread(target=watch, args=(name, process.pid, watched[name]), daemon=True).start()
    groups = list(running)

    stop = False
    while not stop and not died:
        stop = asked_to_stop(signals)
        died = reap(running)
    if stop:
        take_leave(running, signals)
    send(groups, signal.SIGTERM)
    deadline = time.monotonic() + (GRACE_ON_REQUEST if stop else GRACE_ON_FAILURE)
    while running and (left := deadline - time.monotonic()) > 0:
        asked_to_stop(signals, left)
        reap(running)
    send(groups, signal.SIGKILL)  # also workers that outlived their server
    while running:
        asked_to_stop(signals)
        reap(running)
    for thread in relays:
        thread.join(PARTING_SECONDS)
    outlet.flush(PARTING_SECONDS)
    if stop:
        return 0
    say(f"{' and '.join(describe(*end) for end in died.items())}; the rest was ended.")
    code = next(iter(died.values()))
    return 128 - code if code < 0 else code or 1


if __name__ == "__main__":
    sys.exit(run(read_procfile((ROOT / "Procfile").read_text()), health.places(os.environ)))
