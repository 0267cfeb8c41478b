"""Logs as JSON, one object a line on standard output. Pictures and keys never get into them."""

import json
import logging
import logging.config
import sys
import time
from typing import Any, Final

from app.outlet import Outlet

logging._srcfile = None  # nobody is told where in the code a line comes from, nor
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # by whom: none of it is looked up
_encoded: Final = json.JSONEncoder(ensure_ascii=False, default=str).encode

ACCESS = logging.getLogger("app.access")

PARTING_SECONDS: Final = 1.0
"""How long the end of the program waits for the log's reader."""


class JSONFormatter(logging.Formatter):
    """`logger.info("message", extra={"fields": {...}})` puts the fields beside time, level and message."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _encoded(entry)


class OutletHandler(logging.Handler):
    """Writes to standard output, and never waits for its reader."""

    def __init__(self) -> None:
        super().__init__()
        self._outlet = Outlet(sys.stdout.fileno(), self._notice)

    def emit(self, record: logging.LogRecord) -> None:
        self._outlet.put(self.format(record).encode(errors="backslashreplace") + b"\n")

    def flush(self) -> None:
        self._outlet.flush(PARTING_SECONDS)

    def _notice(self, dropped: int) -> bytes:
        message = "Lines were dropped here, which the log's reader did not take in time."
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None)
        record.fields = {"dropped": dropped}
        return self.format(record).encode() + b"\n"


def flush() -> None:
    """Have all that has been logged written, as far as its reader takes it: a signal's end asks nobody."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def configuration(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and so for uvicorn."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JSONFormatter}},
        "handlers": {"out": {"()": OutletHandler, "formatter": "json"}},
        "root": {"handlers": ["out"], "level": level.upper()},
        "loggers": {"python_multipart": {"level": "ERROR"}},  # callers' mistakes, which they are told of
    }
