"""Calls of the API: with time limits, answers checked, every failure an exception of `app.client.errors`."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import requests
from pydantic import TypeAdapter, ValidationError

from app.client.errors import (
    ApiError,
    Busy,
    Incompatible,
    Refused,
    ServerFailed,
    TimedOut,
    TooManyRequests,
    Unreachable,
    WrongKey,
)
from app.client.models import (
    Alphabet,
    Alphabets,
    Answer,
    BatchAnswer,
    Deleted,
    Failed,
    Kept,
    Problem,
    Read,
    ReadAnswer,
    ReadBatchAnswer,
    Recognized,
    Relabelled,
    SampleFields,
    SamplePage,
)
from app.client.watching import Drifts, Watched
from app.samples.sample import Sample
from app.samples.wire import sample_of

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0

_PIECE = 64 * 1024
"""Bytes of a long answer that are read at once."""

Known = TypeVar("Known")

_ONE: TypeAdapter[Answer | Problem] = TypeAdapter(Answer | Problem)
_MANY: TypeAdapter[BatchAnswer | Problem] = TypeAdapter(BatchAnswer | Problem)
_TEXT: TypeAdapter[ReadAnswer | Problem] = TypeAdapter(ReadAnswer | Problem)
_TEXTS: TypeAdapter[ReadBatchAnswer | Problem] = TypeAdapter(ReadBatchAnswer | Problem)
_KEPT: TypeAdapter[Kept | Problem] = TypeAdapter(Kept | Problem)
_DELETED: TypeAdapter[Deleted | Problem] = TypeAdapter(Deleted | Problem)
_SAMPLES: TypeAdapter[SamplePage | Problem] = TypeAdapter(SamplePage | Problem)
_RELABELLED: TypeAdapter[Relabelled | Problem] = TypeAdapter(Relabelled | Problem)
_PROBLEM: TypeAdapter[Problem] = TypeAdapter(Problem)
_DRIFTS: TypeAdapter[Drifts | Problem] = TypeAdapter(Drifts | Problem)
_ALPHABETS: TypeAdapter[Alphabets | Problem] = TypeAdapter(Alphabets | Problem)


class Client:
    """Safe to share between threads: it keeps connections, and nothing of what was sent."""

    def __init__(
        self,
        address: str,
        key: str | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        visitor: str | None = None,
    ) -> None:
        """
        Args:
            address: of the API, such as http://127.0.0.1:8000.
            key: to show with each call, where the API wants one.
            connect_seconds: until the API must have taken the call.
            answer_seconds: in which it may then send nothing.
            visitor: a secret of 16 to 128 characters, by which samples are known as somebody's, and deleted.
        """
        self._address = address.rstrip("/")
        self._seconds = connect_seconds, answer_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # the API is next door: no proxy leads there
        if key:
            self._session.headers["X-API-Key"] = key
        if visitor:
            self._session.headers["X-Visitor"] = visitor

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def predict(
        self, picture: bytes, alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> Answer | Problem:
        """What an encoded picture shows, or why it cannot be read. Raises ApiError, but never Refused.

        With `glyph` the answer has the picture as the model saw it; as a `trial` it is of no account for drift.
        """
        response = self._call("POST", "/predict/", _query(alphabet, glyph, trial), _file(picture))
        return _understood(_ONE, response)

    def predict_batch(
        self, pictures: Sequence[bytes], alphabet: str | None = None, glyph: bool = False, trial: bool = False
    ) -> list[Recognized | Failed]:
        """As `predict`, for each picture in order. Raises ApiError."""
        response = self._call("POST", "/predict/batch/", _query(alphabet, glyph, trial), _files(pictures))
        return _accepted(_understood(_MANY, response), response).results

    def read(
        self,
        picture: bytes,
        alphabet: str | None = None,
        boxes: Sequence[tuple[float, float, float, float]] | None = None,
    ) -> ReadAnswer | Problem:
        """The lines on an encoded picture, or why they cannot be read. Raises ApiError, but never Refused.

        With `boxes`, left, top, right and bottom limit each, the character in each of them, in their order.
        """
        form = {"boxes": json.dumps(boxes)} if boxes else None
        return _understood(_TEXT, self._call("POST", "/read/", _query(alphabet), _file(picture), form))

    def read_batch(self, pictures: Sequence[bytes], alphabet: str | None = None) -> list[Read | Failed]:
        """As `read`, for each picture in order. Raises ApiError."""
        response = self._call("POST", "/read/batch/", _query(alphabet), _files(pictures))
        return _accepted(_understood(_TEXTS, response), response).results

    def alphabets(self) -> list[Alphabet]:
        """What can be recognized, with the models' records. Raises ApiError."""
        response = self._call("GET", "/alphabets/")
        return _accepted(_understood(_ALPHABETS, response), response).alphabets

    def sample(
        self,
        picture: bytes,
        *,
        id: str | None = None,
        label: str | None = None,
        alphabet: str | None = None,
        answer: str | None = None,
        confidence: float | None = None,
        model: str | None = None,
        source: str = "api",
    ) -> str:
        """Have an encoded picture kept as a sample, and get its id. Raises ApiError.

        Args:
            picture: the file.
            id: to send it again with the same does no harm; the API makes one where there is none.
            label: what it really is; "": no character; None: nobody has said.
            alphabet: the default one where none is named.
            answer: what the model said.
            confidence: how sure it was.
            model: its version.
            source: where it comes from, such as canvas or upload.
        """
        known = {
            "id": id,
            "label": label,
            "answer": answer,
            "confidence": None if confidence is None else str(confidence),
            "model": model,
            "source": source,
        }
        form = {name: value for name, value in known.items() if value is not None}
        response = self._call("POST", "/samples/", _query(alphabet), _file(picture), form)
        return _accepted(_understood(_KEPT, response), response).id

    def delete_mine(self) -> int:
        """Delete all samples of this client's `visitor`, and count them. Raises ApiError."""
        response = self._call("DELETE", "/samples/mine")
        return _accepted(_understood(_DELETED, response), response).deleted

    def samples(self, **filters: object) -> SamplePage:
        """A page of samples, for an admin's key. Raises ApiError.

        Args:
            filters: as the API has them: `alphabet`, `label`, `answer`, `source`, `verdict`, `reviewed`, `before`,
                `order`, `limit` and, for the page after another one, that one's `next` as `after`.
        """
        query = {name: _written(value) for name, value in filters.items() if value is not None}
        response = self._call("GET", "/samples/", query)
        return _accepted(_understood(_SAMPLES, response), response)

    def relabel(self, id: str, label: str) -> SampleFields:
        """Say what a sample really is, for good, with an admin's key. Raises ApiError."""
        response = self._call("PATCH", f"/samples/{id}", json={"label": label})
        return _accepted(_understood(_RELABELLED, response), response).sample

    def delete_sample(self, id: str) -> int:
        """Delete one for good, with an admin's key. Raises ApiError."""
        response = self._call("DELETE", f"/samples/{id}")
        return _accepted(_understood(_DELETED, response), response).deleted

    def export(self) -> Iterator[Sample]:
        """All samples, the oldest first, for an admin's key. Raises ApiError, also where the connection breaks."""
        with self._call("GET", "/samples/export", stream=True) as response:
            if not response.ok:
                _accepted(_understood(_PROBLEM, response), response)
            try:
                for line in response.iter_lines(_PIECE, delimiter=b"\n"):
                    if line:
                        yield sample_of(line)
            except requests.RequestException as error:
                raise Unreachable(f"The API ends amid the samples ({type(error).__name__}).") from None
            except ValueError:
                raise Incompatible("The API sends a sample that this client does not understand.") from None

    def drifts(self) -> list[Watched]:
        """What has been answered lately, against the models' records. Raises ApiError."""
        response = self._call("GET", "/health/drift")
        return _accepted(_understood(_DRIFTS, response), response).alphabets

    def is_ready(self) -> bool:
        try:
            self._call("GET", "/health/ready")
        except ApiError:
            return False
        return True

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        files: Any = None,
        form: dict[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        address = self._address + path
        try:
            response = self._session.request(
                method, address, params=query, files=files, data=form, timeout=self._seconds, **more
            )
        except requests.Timeout as error:
            raise TimedOut(f"The API does not answer in time ({type(error).__name__}).") from None
        except requests.RequestException as error:
            raise Unreachable(f"The API does not answer ({type(error).__name__}).") from None
        if failure := _failure(response):
            raise failure
        return response


def _query(alphabet: str | None, glyph: bool = False, trial: bool = False) -> dict[str, str]:
    asked = {"glyph": "true"} if glyph else {}
    return asked | ({"alphabet": alphabet} if alphabet else {}) | ({"trial": "true"} if trial else {})


def _written(value: object) -> str:
    """As a query has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _file(picture: bytes) -> Any:
    return {"file": ("picture", picture)}


def _files(pictures: Sequence[bytes]) -> Any:
    return [("files", ("picture", picture)) for picture in pictures]


def _failure(response: requests.Response) -> ApiError | None:
    """What keeps the API from answering; of its own words nothing is told, they may come from a proxy."""
    says = f"The API answers with status {response.status_code}"
    match response.status_code:
        case 401:
            return WrongKey(f"{says}: it does not know this key.")
        case 429:
            return TooManyRequests(f"{says}: too many requests.", _retry_after(response))
        case 503:
            return Busy(f"{says}: it has too much to do.", _retry_after(response))
        case status if status >= 500:
            return ServerFailed(f"{says}.")
    return None


def _retry_after(response: requests.Response) -> float | None:
    try:
        return float(response.headers.get("Retry-After", ""))
    except ValueError:  # there is none, or it is a date
        return None


def _understood(kind: TypeAdapter[Known], response: requests.Response) -> Known:
    try:
        return kind.validate_json(response.content)
    except ValidationError:
        raise Incompatible(
            f"The API answers with status {response.status_code} and what this client does not understand."
        ) from None


def _accepted(answer: Known | Problem, response: requests.Response) -> Known:
    if isinstance(answer, Problem):
        raise Refused(f"The API answers with status {response.status_code}: {answer.error}", answer.code)
    return answer
