"""Every request gets an id, a line in the log, its figures, and an answer even if all else fails."""

import random
import re
import time
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import errors, metrics
from app.api.logs import ACCESS

_USABLE_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")

CLIENT_GONE: Final = 499
"""nginx's status for a caller who left before the answer; only in logs and figures."""


class Telemetry:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id = _request_id(scope)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:
            ACCESS.exception("The request failed.", extra={"fields": {"request_id": request_id}})
            if not status:
                await errors.response(error, state)(scope, receive, send_with_id)
        finally:
            _record(scope, state, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    """The caller's own where it is harmless, so that logs on both sides can be put together."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _USABLE_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode())
    return f"{random.getrandbits(64):016x}"


def _record(scope: Scope, state: dict[str, Any], status: int, seconds: float) -> None:
    route = scope.get("route")
    path = route.path if route is not None else "other"
    metrics.REQUESTS.labels(path, status).inc()
    metrics.SECONDS.labels(path).observe(seconds)
    if code := state.get("code"):
        metrics.ERRORS.labels(code).inc()
    fields = {
        "request_id": state["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 2),
        "caller": state.get("caller") or (scope["client"] or ("",))[0],
    }
    if code:
        fields["code"] = code
    ACCESS.info("request", extra={"fields": fields})
