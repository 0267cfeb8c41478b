"""Run all processes of the Procfile together, `python -m app`: both or neither.

When one ends, for whatever reason, the others are ended and this exits non-zero, so that whoever runs it (a person,
a container engine, ECS) sees the failure and can start again. SIGTERM and SIGINT end all and exit with 0.

Honcho would do most of this. It takes a process to be alive as long as anything holds its output open, though, and
so misses the death of a server whose workers live on; and it forks two helpers, each as large as itself.
"""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

GRACE_ON_REQUEST = 8.0
"""Seconds that processes have to finish what is in flight after SIGTERM."""

GRACE_ON_FAILURE = 3.0
"""Seconds that the others have when one of them has died."""


def read_procfile(text: str) -> dict[str, list[str]]:
    """`name: command` lines as name -> arguments."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): shlex.split(command) for name, _, command in (line.partition(":") for line in lines)}


async def start(name: str, command: list[str], width: int) -> tuple[asyncio.subprocess.Process, asyncio.Task[None]]:
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # its own group: it and its workers are signalled together, and Ctrl-C only here
        limit=1 << 20,
    )
    assert process.stdout is not None
    return process, asyncio.create_task(relay(name.ljust(width), process.stdout))


async def relay(label: str, stream: asyncio.StreamReader) -> None:
    """Pass a process's lines on, each with its name in front."""
    while line := await stream.readline():
        sys.stdout.write(f"{label} | {line.decode(errors='replace')}")
        sys.stdout.flush()


def send(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    try:
        os.killpg(process.pid, what)
    except ProcessLookupError:
        pass  # the whole group has ended


async def run(commands: dict[str, list[str]]) -> int:
    """Run commands until one ends or a signal asks to stop; the exit status."""
    stop = asyncio.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    width = max(map(len, commands))
    started = {name: await start(name, command, width) for name, command in commands.items()}
    processes = {name: process for name, (process, _) in started.items()}
    ends = {asyncio.create_task(process.wait()): name for name, process in processes.items()}
    asked_to_stop = asyncio.create_task(stop.wait())
    await asyncio.wait({asked_to_stop, *ends}, return_when=asyncio.FIRST_COMPLETED)

    died = [f"{name} ended with {task.result()}" for task, name in ends.items() if task.done()]
    for process in processes.values():
        send(process, signal.SIGTERM)
    await asyncio.wait(ends, timeout=GRACE_ON_FAILURE if died else GRACE_ON_REQUEST)
    for process in processes.values():
        send(process, signal.SIGKILL)
    await asyncio.wait(ends)
    await asyncio.wait([relaying for _, relaying in started.values()], timeout=1)
    if died and not stop.is_set():
        print(f"{' and '.join(died)}; the rest was ended.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run(read_procfile((ROOT / "Procfile").read_text()))))
