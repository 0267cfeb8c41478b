"""Run the API, `python -m app.api`, as the settings say."""

import os
import socket
import sys
import tempfile
from contextlib import ExitStack

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app import settings
from app.api import logs
from app.settings import Settings

GRACE = 6
"""Seconds that requests in flight have after SIGTERM; less than the launcher waits."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: longer than load balancers do, usually 60, so that none sends a request on
a connection that is just being closed here."""


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
        proxy_headers=False,  # app.api.access reads them, and believes less of them
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )


def listen(config: Settings) -> socket.socket:
    """The listening socket; ends the program with a sentence where it cannot be had."""
    family = socket.AF_INET6 if ":" in config.api_host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.api_host, config.api_port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "no such host"
        print(f"The API cannot listen on {config.api_host}:{config.api_port}: {reason}.", file=sys.stderr)
        raise SystemExit(1) from None
    listener.set_inheritable(True)
    return listener


def main() -> None:
    config = settings.load()
    with listen(config) as listener, ExitStack() as stack:
        if config.workers == 1:
            server = uvicorn.Server(configuration(config))
            server.run(sockets=[listener])
            return
        # All processes add their metrics up through files in this folder: see app.api.metrics.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="metrics-"))
        processes = Multiprocess(configuration(config), sockets=[listener])
        processes.run()
        if any(process.exitcode == STARTUP_FAILURE for process in processes.processes):
            raise SystemExit(STARTUP_FAILURE)


if __name__ == "__main__":
    main()
