"""Every failure a caller can meet, and the one table that gives it a status and a code.

The exceptions know nothing of HTTP's statuses; their message is the sentence the caller reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import answers
from app.client.models import MAX_BOXES, Failed, Problem
from app.reading import picture
from app.reading.limits import Limit
from app.reading.lines import EmptyBox
from app.reading.pipeline import BlankImage
from app.reading.rows import TooMuchWriting
from app.samples.errors import SampleDeleted, SampleDiffers, UnknownSample, WrongCursor


class CallerError(Exception):
    """A request that cannot be served; `headers` go with the answer."""

    headers: Mapping[str, str] | None = None


class MissingFile(CallerError):
    def __init__(self, field: str) -> None:
        super().__init__(f"The form has no file in a field '{field}'.")


class MissingImage(CallerError):
    def __init__(self) -> None:
        super().__init__("The JSON body has no field 'image' with the picture as a data URL.")


class TooManyFiles(CallerError):
    def __init__(self, limit: int) -> None:
        accepted = "Only one picture is" if limit == 1 else f"At most {limit} pictures are"
        super().__init__(f"{accepted} accepted in this call.")


class TooManyFields(CallerError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"The form has more than {limit} fields besides the pictures.")


class BrokenForm(CallerError):
    def __init__(self) -> None:
        super().__init__("The form in the body is broken.")


class BrokenBody(CallerError):
    def __init__(self) -> None:
        super().__init__("The request's body is broken: its chunks are not as HTTP has them.")


class MissingBoundary(CallerError):
    def __init__(self) -> None:
        super().__init__("The Content-Type of the form names no boundary.")


class UnfinishedForm(CallerError):
    def __init__(self) -> None:
        super().__init__("The form in the body has no end: it was cut off on the way.")


class BrokenJSON(CallerError):
    def __init__(self) -> None:
        super().__init__("The body is no valid JSON.")


class WrongJSON(CallerError):
    """Valid JSON, and not what is asked for; the sentence says what is."""


class InvalidParameter(CallerError):
    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Takes pairs of a parameter's name and what is wrong with it."""
        wrong = "; ".join(f"{name}: {problem}" for name, problem in problems)
        super().__init__(f"A parameter is wrong. {wrong}.")


class WrongBoxes(CallerError):
    def __init__(self, problem: str) -> None:
        super().__init__(
            f"boxes: {problem}. At most {MAX_BOXES} are accepted, each as [left, top, right, bottom] in pixels, left "
            "smaller than right and top than bottom."
        )


class UnsupportedMediaType(CallerError):
    def __init__(self, accepted: str) -> None:
        super().__init__(f"Please send {accepted}.")


class BodyTooLarge(CallerError):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The request is too large; at most {max_bytes:,} bytes are accepted.")


class SampleTooLarge(CallerError):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The picture is too large to be kept; at most {max_bytes:,} bytes are accepted.")


class HeadersTooLarge(CallerError):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"At most {max_bytes:,} bytes of headers are accepted.")


class SlowSender(CallerError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"The request did not arrive within {seconds:g} seconds. Please send it faster.")


class SlowHeaders(CallerError):
    def __init__(self) -> None:
        super().__init__("The request's headers did not arrive in time.")


class NotHTTP(CallerError):
    def __init__(self) -> None:
        super().__init__("This is no HTTP request that can be understood.")


class UnknownAlphabet(CallerError):
    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(f"There is no such alphabet. There are: {', '.join(sorted(known))}.")


class NoLines(CallerError):
    """There is a model of the alphabet's characters and none of its lines."""

    def __init__(self, alphabet: str, readable: Iterable[str]) -> None:
        others = ", ".join(sorted(readable))
        there_are = f"Alphabets that can be read so: {others}." if others else "No alphabet here can be read so."
        super().__init__(f"Lines of the alphabet {alphabet} cannot be read, only single characters. {there_are}")


class SeveralAlphabets(CallerError):
    def __init__(self) -> None:
        super().__init__("More than one alphabet is named. Please name one, in the query or in the body.")


class UnknownLabel(CallerError):
    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(
            f"The alphabet has no such label. It has: {', '.join(known)}; an empty one says that it is no character."
        )


class MissingVisitor(CallerError):
    def __init__(self) -> None:
        super().__init__("The header X-Visitor is needed, with 16 to 128 characters that only the visitor knows.")


class NoSamples(CallerError):
    def __init__(self) -> None:
        super().__init__("No samples are kept here.")


class UnknownPath(CallerError):
    def __init__(self) -> None:
        super().__init__("Not Found. All calls are listed at /docs.")


class WrongMethod(CallerError):
    def __init__(self, methods: Iterable[str]) -> None:
        """Takes the methods that there are."""
        super().__init__("Method Not Allowed. All calls are listed at /docs.")
        self.methods = frozenset(methods)
        self.headers = {"Allow": ", ".join(sorted(self.methods))}


class Unauthorized(CallerError):
    headers: Mapping[str, str] | None = {"WWW-Authenticate": "Bearer"}


class MissingKey(Unauthorized):
    def __init__(self) -> None:
        super().__init__("An API key is needed, in the header X-API-Key.")


class WrongKey(Unauthorized):
    def __init__(self) -> None:
        super().__init__("This API key is not known here.")


class Later(CallerError):
    """Right request, wrong moment."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.headers = {"Retry-After": str(seconds)}


class TooManyRequests(Later):
    def __init__(self, per_minute: int, seconds: int) -> None:
        super().__init__(f"More than {per_minute} pictures a minute. Please slow down.", seconds)


class Overloaded(Later):
    def __init__(self) -> None:
        super().__init__("The server has more to do than it can. Please try again in a moment.", seconds=1)


class TooManyConnections(Later):
    def __init__(self) -> None:
        super().__init__("Too many connections are open. Please try again in a moment.", seconds=1)


class NotReady(Later):
    def __init__(self) -> None:
        super().__init__("The server cannot recognize anything at present.", seconds=5)


class SamplesUnavailable(Later):
    def __init__(self) -> None:
        super().__init__("Samples can neither be kept nor shown at present. Please try again later.", seconds=30)


class InternalError(CallerError):
    """Stands for any exception without a place in the table, of which nothing is told."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. Please try again, and tell us the request_id if it stays.")


class Kind(NamedTuple):
    status: int
    code: str


CODES: dict[type[Exception], Kind] = {
    BlankImage: Kind(400, answers.CODES[BlankImage]),
    picture.EmptyFile: Kind(400, answers.CODES[picture.EmptyFile]),
    picture.DamagedPicture: Kind(400, answers.CODES[picture.DamagedPicture]),
    picture.NotAPicture: Kind(415, answers.CODES[picture.NotAPicture]),
    picture.TooManyPixels: Kind(413, answers.CODES[picture.TooManyPixels]),
    picture.TooLaborious: Kind(422, answers.CODES[picture.TooLaborious]),
    TooMuchWriting: Kind(422, answers.CODES[TooMuchWriting]),
    EmptyBox: Kind(422, answers.CODES[EmptyBox]),
    MissingFile: Kind(422, "missing_file"),
    MissingImage: Kind(422, "missing_file"),
    TooManyFiles: Kind(400, "too_many_files"),
    TooManyFields: Kind(400, "too_many_files"),
    BrokenForm: Kind(400, "malformed_body"),
    BrokenBody: Kind(400, "malformed_body"),
    MissingBoundary: Kind(400, "malformed_body"),
    UnfinishedForm: Kind(400, "malformed_body"),
    BrokenJSON: Kind(400, "malformed_body"),
    WrongJSON: Kind(422, "invalid_parameter"),
    InvalidParameter: Kind(422, "invalid_parameter"),
    WrongBoxes: Kind(422, "invalid_parameter"),
    UnsupportedMediaType: Kind(415, "unsupported_media_type"),
    BodyTooLarge: Kind(413, "too_large"),
    SampleTooLarge: Kind(413, "too_large"),
    HeadersTooLarge: Kind(431, "headers_too_large"),
    SlowSender: Kind(408, "too_slow"),
    SlowHeaders: Kind(408, "too_slow"),
    NotHTTP: Kind(400, "bad_request"),
    UnknownAlphabet: Kind(404, "unknown_alphabet"),
    NoLines: Kind(422, "no_lines"),
    SeveralAlphabets: Kind(422, "several_alphabets"),
    UnknownLabel: Kind(422, "unknown_label"),
    MissingVisitor: Kind(422, "invalid_parameter"),
    NoSamples: Kind(404, "no_samples"),
    SampleDiffers: Kind(409, "sample_differs"),
    SampleDeleted: Kind(410, "sample_deleted"),
    UnknownSample: Kind(404, "unknown_sample"),
    WrongCursor: Kind(422, "invalid_parameter"),
    SamplesUnavailable: Kind(503, "samples_unavailable"),
    UnknownPath: Kind(404, "not_found"),
    WrongMethod: Kind(405, "method_not_allowed"),
    MissingKey: Kind(401, "missing_key"),
    WrongKey: Kind(401, "wrong_key"),
    TooManyRequests: Kind(429, "too_many_requests"),
    Overloaded: Kind(503, "overloaded"),
    TooManyConnections: Kind(503, "overloaded"),
    NotReady: Kind(503, "not_ready"),
    InternalError: Kind(500, "internal_error"),
}
"""A class that stands not here itself has the place of the nearest that it descends from."""

OF_PICTURES = (
    BlankImage(),
    picture.EmptyFile(),
    picture.DamagedPicture(),
    picture.NotAPicture(),
    picture.TooManyPixels(Limit(picture.MAX_PIXELS), (12_000, 12_000)),
    picture.TooLaborious(),
)
"""One of each that a picture can be refused with, as the OpenAPI document shows them."""


def kind_of(error: Exception) -> Kind | None:
    """An exception's place in the table; None where it has none."""
    return next((CODES[ancestor] for ancestor in type(error).__mro__ if ancestor in CODES), None)


def failed(error: Exception) -> Failed:
    """What a caller reads of one failure among several results. One without a place in the table is raised."""
    kind = kind_of(error)
    if kind is None:
        raise error
    return Failed(error=str(error), code=kind.code)


def problem(error: Exception, request_id: str) -> tuple[int, Problem, Mapping[str, str]]:
    """The status, body and further headers of the answer to any exception."""
    told = _told(error)
    kind = kind_of(told)
    if kind is None:
        told, kind = InternalError(), CODES[InternalError]
    headers = told.headers if isinstance(told, CallerError) else None
    return kind.status, Problem(error=str(told), code=kind.code, request_id=request_id), headers or {}


def _told(error: Exception) -> Exception:
    """The framework's own errors in the words of this table."""
    if isinstance(error, RequestValidationError):
        return InvalidParameter([(wrong["loc"][-1], wrong["msg"]) for wrong in error.errors()])
    if isinstance(error, HTTPException) and error.status_code == 404:
        return UnknownPath()
    if isinstance(error, HTTPException) and error.status_code == 405:
        return WrongMethod((error.headers or {}).get("Allow", "").split(", "))
    return error


def response(error: Exception, state: dict[str, Any]) -> Response:
    """The answer to any exception; of one without a place in the table nothing is told.

    Args:
        error: what was raised while the request was served.
        state: the request's own; its `request_id` is read and its `code` set, for the log.
    """
    status, body, headers = problem(error, state["request_id"])
    state["code"] = body.code
    return Response(body.model_dump_json(), status, headers, media_type="application/json")


async def answer(request: Request, error: Exception) -> Response:
    """FastAPI's handler of these. What has no place in the table is raised again, for the log to have it."""
    if kind_of(told := _told(error)) is None:
        raise error
    if isinstance(told, WrongMethod):  # of several calls at one path the router names the first one's alone
        path = getattr(request.scope.get("route"), "path", None)
        others = [route.methods for route in request.app.state.calls if route.path == path]
        told = WrongMethod(told.methods.union(*others))
    return response(told, request.scope["state"])


HANDLERS: dict[int | type[Exception], Any] = dict.fromkeys((*CODES, RequestValidationError, HTTPException), answer)
