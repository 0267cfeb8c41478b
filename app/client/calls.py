"""Each call of the API as a value: what is sent, and how the answer is understood; how it travels is not known here."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.client.errors import ApiError, Busy, Incompatible, Refused, ServerFailed, TooManyRequests, WrongKey
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
from app.client.pictures import Picture, encoded
from app.client.retries import seconds_in
from app.client.watching import Drifts, Watched

PART_FILES: Final = 32
"""Pictures that are sent in one call at most: servers take 64 unless they are told otherwise."""

PART_BYTES: Final = 8 * 1024 * 1024
"""Bytes of all pictures in a call, if there are several: servers take 10 MB unless they are told otherwise."""

Box = tuple[float, float, float, float]

Answered = TypeVar("Answered")
Body = TypeVar("Body")

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


@dataclass(frozen=True, slots=True)
class Call(Generic[Answered]):
    """`understood`: status and body -> the answer; raises Incompatible and Refused. `harmless`: whether to do it twice
    is as good as once. `files`, each with its field's name, and `form` are a form's; without files, `json` is sent.
    """

    method: str
    path: str
    understood: Callable[[int, bytes], Answered]
    harmless: bool = True
    query: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, bytes]] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    json: Any = None


def predict(picture: Picture, alphabet: str | None, glyph: bool, trial: bool) -> Call[Answer | Problem]:
    return Call("POST", "/predict/", _is(_ONE), query=_query(alphabet, glyph, trial), files=_file(picture))


def predict_part(
    pictures: Sequence[bytes], alphabet: str | None, glyph: bool, trial: bool
) -> Call[list[Recognized | Failed]]:
    """Of one of `parts`."""
    query = _query(alphabet, glyph, trial)
    if len(pictures) == 1:
        return Call("POST", "/predict/", lambda *answer: [_is(_ONE)(*answer)], query=query, files=_file(pictures[0]))
    return Call(
        "POST",
        "/predict/batch/",
        lambda *answer: _accepted(_MANY, *answer).results,
        query=query,
        files=_files(pictures),
    )


def read(picture: Picture, alphabet: str | None, boxes: Sequence[Box] | None) -> Call[ReadAnswer | Problem]:
    form = {"boxes": json.dumps(boxes)} if boxes else {}
    return Call("POST", "/read/", _is(_TEXT), query=_query(alphabet), files=_file(picture), form=form)


def read_part(pictures: Sequence[bytes], alphabet: str | None) -> Call[list[Read | Failed]]:
    """Of one of `parts`."""
    query = _query(alphabet)
    if len(pictures) == 1:
        return Call("POST", "/read/", lambda *answer: [_is(_TEXT)(*answer)], query=query, files=_file(pictures[0]))
    return Call(
        "POST", "/read/batch/", lambda *answer: _accepted(_TEXTS, *answer).results, query=query, files=_files(pictures)
    )


def parts(pictures: Iterable[Picture]) -> Iterator[list[bytes]]:
    """Pictures, encoded, in parts that servers take in one call."""
    part: list[bytes] = []
    for picture in map(encoded, pictures):
        if len(part) == PART_FILES or (part and sum(map(len, part)) + len(picture) > PART_BYTES):
            yield part
            part = []
        part.append(picture)
    if part:
        yield part


def alphabets() -> Call[list[Alphabet]]:
    return Call("GET", "/alphabets/", lambda *answer: _accepted(_ALPHABETS, *answer).alphabets)


def sample(
    picture: Picture,
    id: str | None,
    label: str | None,
    alphabet: str | None,
    answer: str | None,
    confidence: float | None,
    model: str | None,
    source: str,
) -> Call[str]:
    """With an id from here, where the caller has none: sent twice, it is one sample."""
    known = {
        "id": id or secrets.token_hex(16),
        "label": label,
        "answer": answer,
        "confidence": None if confidence is None else str(confidence),
        "model": model,
        "source": source,
    }
    form = {name: value for name, value in known.items() if value is not None}
    return Call(
        "POST",
        "/samples/",
        lambda *answer: _accepted(_KEPT, *answer).id,
        query=_query(alphabet),
        files=_file(picture),
        form=form,
    )


def delete_mine() -> Call[int]:
    """Not to be asked twice, though nothing more would be deleted: the number would be wrong."""
    return Call("DELETE", "/samples/mine", lambda *answer: _accepted(_DELETED, *answer).deleted, harmless=False)


def samples(filters: Mapping[str, object]) -> Call[SamplePage]:
    query = {name: _written(value) for name, value in filters.items() if value is not None}
    return Call("GET", "/samples/", lambda *answer: _accepted(_SAMPLES, *answer), query=query)


def relabel(id: str, label: str) -> Call[SampleFields]:
    return Call(
        "PATCH", f"/samples/{id}", lambda *answer: _accepted(_RELABELLED, *answer).sample, json={"label": label}
    )


def delete_sample(id: str) -> Call[int]:
    """As `delete_mine`."""
    return Call("DELETE", f"/samples/{id}", lambda *answer: _accepted(_DELETED, *answer).deleted, harmless=False)


def export() -> Call[Problem]:
    """Understood where it is refused; what is exported comes line by line."""
    return Call("GET", "/samples/export", lambda *answer: _accepted(_PROBLEM, *answer))


def drifts() -> Call[list[Watched]]:
    return Call("GET", "/health/drift", lambda *answer: _accepted(_DRIFTS, *answer).alphabets)


def ready() -> Call[None]:
    return Call("GET", "/health/ready", lambda status, body: None)


def failure(status: int, retry_after: str) -> ApiError | None:
    """What keeps the API from answering; of its own words nothing is told, they may come from a proxy."""
    says = f"The API answers with status {status}"
    match status:
        case 401:
            return WrongKey(f"{says}: it does not know this key.")
        case 429:
            return TooManyRequests(f"{says}: too many requests.", seconds_in(retry_after))
        case 503:
            return Busy(f"{says}: it has too much to do.", seconds_in(retry_after))
        case status if status >= 500:
            return ServerFailed(f"{says}.")
    return None


def _is(kind: TypeAdapter[Body]) -> Callable[[int, bytes], Body]:
    def understood(status: int, body: bytes) -> Body:
        try:
            return kind.validate_json(body)
        except ValidationError:
            raise Incompatible(
                f"The API answers with status {status} and what this client does not understand."
            ) from None

    return understood


def _accepted(kind: TypeAdapter[Body | Problem], status: int, body: bytes) -> Body:
    answer = _is(kind)(status, body)
    if isinstance(answer, Problem):
        raise Refused(f"The API answers with status {status}: {answer.error}", answer.code)
    return answer


def _query(alphabet: str | None, glyph: bool = False, trial: bool = False) -> dict[str, str]:
    asked = {"glyph": "true"} if glyph else {}
    return asked | ({"alphabet": alphabet} if alphabet else {}) | ({"trial": "true"} if trial else {})


def _written(value: object) -> str:
    """As a query has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _file(picture: Picture) -> list[tuple[str, bytes]]:
    return [("file", encoded(picture))]


def _files(pictures: Sequence[bytes]) -> list[tuple[str, bytes]]:
    return [("files", picture) for picture in pictures]
