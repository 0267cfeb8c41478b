"""What samples need besides being kept, in a short-lived process: a server's own stays as small as it is."""

import logging
import subprocess
import sys
from threading import Event, Thread
from typing import Final

DAILY: Final = 24 * 3600.0
AFTER_FAILURE: Final = 3600.0

SECONDS: Final = 600
"""That it may take."""

log = logging.getLogger(__name__)


def start() -> None:
    """Have it done now, and every day, as long as this process lives."""
    Thread(target=_tend, name="tending of samples", daemon=True).start()


def _tend() -> None:
    while True:
        Event().wait(DAILY if tended() else AFTER_FAILURE)


def tended() -> bool:
    """Migrate the database and delete what is too old; whether that was done."""
    command = [sys.executable, "-m", "app.samples", "tend"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603 - our own program
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("Samples are not tended.", extra={"fields": {"reason": type(error).__name__}})
        return False
    if done.returncode:
        log.error("Samples are not tended.", extra={"fields": {"reason": done.stderr.strip()[-500:]}})
    elif done.stdout.strip():
        log.info("Samples are tended.", extra={"fields": {"said": done.stdout.strip()}})
    return done.returncode == 0
