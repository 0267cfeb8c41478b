"""Logs as JSON, one object a line on standard output. Pictures and keys never get into them."""

import json
import logging
import logging.config
import time
from typing import Any

ACCESS = logging.getLogger("app.access")


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
        return json.dumps(entry, ensure_ascii=False, default=str)


def configuration(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and so for uvicorn."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JSONFormatter}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
        "root": {"handlers": ["out"], "level": level.upper()},
        "loggers": {"python_multipart": {"level": "ERROR"}},  # callers' mistakes, which they are told of
    }
