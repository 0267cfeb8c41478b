"""Run the API, `python -m app.api`, as the settings say."""

import logging
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app import settings
from app.api import logs
from app.leaving import SIGNAL
from app.listening import KEEP_ALIVE, bound, shared
from app.samples import tending
from app.settings import Settings

log = logging.getLogger(__name__)

GRACE = 6
"""Seconds that requests in flight have after SIGTERM; less than the launcher waits."""

FIGURES_BYTES = 320 * 1024
"""What the files of one worker's figures take, with room to spare."""

YOUNG = 30.0
"""Seconds after its start within which a worker's death counts as one at once."""

MOST_DEATHS = 5
"""Workers that may die young, one after the other, before all is ended."""


def configuration(config: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "app.api.main:served_app",
        factory=True,
        workers=config.workers,
        loop="uvloop",
        http="app.api.protocol:Protocol",
        ws="none",
        lifespan="on",
        log_config=logs.configuration(config.log_level),
        access_log=False,
        server_header=False,
        proxy_headers=False,  # app.callers reads them, and believes less of them
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )


def folder_of_figures(workers: int) -> tempfile.TemporaryDirectory[str]:
    """A folder with room for the figures of all workers; ends the program with a sentence where there is none.

    Workers map its files into memory: one that finds the disk full there is killed by the system.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="metrics-")
        trial = Path(folder.name, "trial")
        trial.write_bytes(bytes(FIGURES_BYTES * workers))
        trial.unlink()
    except OSError as error:
        print(
            f"The API's workers need {FIGURES_BYTES // 1024} KB each in a folder for temporary files: "
            f"{error.strerror}. Set TMPDIR to another, or DIGITS_WORKERS to 1.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    return folder


class Workers(Multiprocess):
    """Takes the dead out of the figures, and does not start workers for ever that die at once."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._born: dict[int | None, float] = {}
        self._died_young = 0

    @property
    def failed(self) -> bool:
        broken = any(process.exitcode == STARTUP_FAILURE for process in self.processes)
        return broken or self._died_young >= MOST_DEATHS

    def handle_usr1(self) -> None:
        """Called upon that signal, which is `app.leaving`'s."""
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, SIGNAL)

    def keep_subprocess_alive(self) -> None:
        """Called twice a second. An old worker's death begins the count anew."""
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        alive, now = {process.pid for process in self.processes}, time.monotonic()
        for dead in before - alive:
            young = now - self._born.get(dead, now) < YOUNG
            self._died_young = self._died_young + 1 if young else 0
        for gone in (self._born.keys() | before) - alive:
            mark_process_dead(gone)  # type: ignore[no-untyped-call]
        self._born = {process: self._born.get(process, now) for process in alive}
        if self._died_young >= MOST_DEATHS:
            log.critical("The API ends: %d workers died right after their start, one after the other.", MOST_DEATHS)
            self.should_exit.set()


def main() -> None:
    config = settings.load()
    with bound("The API", config.api_host, config.api_port) as listener:
        server = configuration(config)
        if config.samples_database:
            tending.start()
        if config.workers == 1:
            uvicorn.Server(server).run(sockets=shared(listener))
            return
        listener.set_inheritable(True)
        with folder_of_figures(config.workers) as folder:
            # All processes add their metrics up through files in this folder: see app.api.metrics.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            os.environ["DIGITS_API_STARTED"] = str(time.time())  # for app.api.watch, which would import the metrics
            # One that took many connections at once would leave the others none.
            workers = Workers(server, sockets=[listener])
            workers.run()
        if workers.failed:
            raise SystemExit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
