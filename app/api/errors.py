"""Every failure a caller can meet, and the one table that gives it a status and a code.

The exceptions know nothing of HTTP; their message is the sentence the caller reads.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.client.models import Failed, Problem
from app.reading import ink


class CallerError(Exception):
    """A request that cannot be served; `headers` go with the answer."""

    headers: Mapping[str, str] | None = None


class MissingFile(CallerError):
    pass


class TooManyFiles(CallerError):
    pass


class MalformedBody(CallerError):
    pass


class InvalidParameter(CallerError):
    pass


class UnsupportedMediaType(CallerError):
    pass


class BodyTooLarge(CallerError):
    pass


class SlowSender(CallerError):
    pass


class UnknownAlphabet(CallerError):
    pass


class Unauthorized(CallerError):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.headers = {"WWW-Authenticate": "Bearer"}


class MissingKey(Unauthorized):
    pass


class WrongKey(Unauthorized):
    pass


class Later(CallerError):
    """Right request, wrong moment."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.headers = {"Retry-After": str(seconds)}


class TooManyRequests(Later):
    pass


class Overloaded(Later):
    def __init__(self) -> None:
        super().__init__("The server has more to do than it can. Please try again in a moment.", seconds=1)


class NotReady(Later):
    def __init__(self) -> None:
        super().__init__("The server cannot recognize anything at present.", seconds=5)


CODES: dict[type[Exception], tuple[int, str]] = {
    ink.BlankImage: (400, "blank_image"),
    ink.EmptyFile: (400, "empty_file"),
    ink.DamagedPicture: (400, "damaged_picture"),
    ink.NotAPicture: (415, "not_a_picture"),
    ink.TooManyPixels: (413, "too_many_pixels"),
    MissingFile: (422, "missing_file"),
    TooManyFiles: (400, "too_many_files"),
    MalformedBody: (400, "malformed_body"),
    InvalidParameter: (422, "invalid_parameter"),
    UnsupportedMediaType: (415, "unsupported_media_type"),
    BodyTooLarge: (413, "too_large"),
    SlowSender: (408, "too_slow"),
    UnknownAlphabet: (404, "unknown_alphabet"),
    MissingKey: (401, "missing_key"),
    WrongKey: (401, "wrong_key"),
    TooManyRequests: (429, "too_many_requests"),
    Overloaded: (503, "overloaded"),
    NotReady: (503, "not_ready"),
}

UNEXPECTED = "Something went wrong on our side. Please try again, and tell us the request_id if it stays."


def failed(error: Exception) -> Failed:
    """What a caller reads of a failure that stands in the table."""
    return Failed(error=str(error), code=CODES[type(error)][1])


def response(error: Exception, state: dict[str, Any]) -> Response:
    """The answer to any exception; of one that stands in no table nothing is told.

    Args:
        error: what was raised while the request was served.
        state: the request's own; its `request_id` is read and its `code` set, for the log.
    """
    headers: Mapping[str, str] | None = None
    if isinstance(error, RequestValidationError):
        wrong = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors())
        error = InvalidParameter(f"A parameter is wrong. {wrong}.")
    if type(error) in CODES:
        status, code = CODES[type(error)]
        sentence = str(error)
        headers = error.headers if isinstance(error, CallerError) else None
    elif isinstance(error, HTTPException):  # the router's own: no such path, no such method
        status, code = error.status_code, HTTPStatus(error.status_code).name.lower()
        sentence, headers = f"{HTTPStatus(status).phrase}. All calls are listed at /docs.", error.headers
    else:
        status, code, sentence = 500, "internal_error", UNEXPECTED
    state["code"] = code
    body = Problem(error=sentence, code=code, request_id=state["request_id"]).model_dump_json()
    return Response(body, status, headers, media_type="application/json")


async def answer(request: Request, error: Exception) -> Response:
    return response(error, request.scope["state"])


HANDLERS: dict[int | type[Exception], Any] = dict.fromkeys((*CODES, RequestValidationError, HTTPException), answer)
