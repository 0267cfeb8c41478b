"""The calls that keep samples, let people take them back, and let admins look after them."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from starlette.responses import Response, StreamingResponse

from app.api import metrics, openapi, watch
from app.api.deps import InQuery, TheService, admit, admit_admin, named_in_query
from app.api.errors import InvalidParameter, MissingVisitor, NoSamples, SamplesUnavailable, SampleTooLarge, UnknownLabel
from app.api.service import Service
from app.api.uploads import label_sent, sample_file
from app.client.models import (
    ONE_LINE,
    SAMPLE_ID,
    SOURCE,
    VISITOR,
    Deleted,
    Kept,
    Order,
    Relabelled,
    SamplePage,
    SampleSent,
    Verdict,
)
from app.reading.pipeline import BlankImage
from app.reading.recognizer import Recognizer
from app.samples.errors import Unavailable
from app.samples.keeper import Keeper
from app.samples.sample import MOST_BYTES, NOT_A_CHARACTER, Sample, hashed, new_id, now
from app.samples.wire import fields_of, line_of, shown

router = APIRouter(dependencies=[Depends(admit)], responses=openapi.GUARDED, tags=["samples"])

for_admins = APIRouter(dependencies=[Depends(admit_admin)], responses=openapi.GUARDED, tags=[openapi.ADMIN])

Result = TypeVar("Result")

KEEP_SECONDS: Final = 20.0
"""After which a caller is told to come back, should a disk or a database not answer."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_VISITOR: Final = re.compile(VISITOR)


class Figures:
    """Tells the metrics what becomes of samples."""

    def sample(self, outcome: str) -> None:
        metrics.SAMPLES.labels(outcome).inc()

    def moved(self, samples: int, waiting: int) -> None:
        metrics.SAMPLES_MOVED.inc(samples)
        metrics.SAMPLES_WAITING.set(waiting)

    def away(self, reason: str) -> None:
        metrics.SAMPLES_AWAY.set(bool(reason))


async def _keeper(service: TheService) -> Keeper:
    """Raises NoSamples."""
    if service.keeper is None:
        raise NoSamples
    return service.keeper


TheKeeper = Annotated[Keeper, Depends(_keeper)]

Visitor = Annotated[
    str | None,
    Header(
        alias="X-Visitor",
        description="A secret of the visitor's, 16 to 128 characters, with which the samples can be deleted. Only its "
        "SHA-256 is kept.",
    ),
]


AnId = Annotated[str, Path(pattern=SAMPLE_ID)]


def _moment(text: object) -> object:
    """What a query says, in UTC where it does not say. Raises ValueError."""
    if not isinstance(text, str) or not _DATE.match(text):
        raise ValueError("a date and time are needed, such as 2026-11-27T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise ValueError("the year must be one from 1 to 9999") from None


class Asked(BaseModel):
    """Which samples, and how."""

    alphabet: Annotated[str | None, Field(pattern=ONE_LINE)] = None
    label: Annotated[str | None, Field(pattern=ONE_LINE, description="Empty: no character.")] = None
    answer: Annotated[str | None, Field(pattern=ONE_LINE)] = None
    source: Annotated[str | None, Field(pattern=SOURCE)] = None
    verdict: Annotated[
        Verdict | None, Field(description="Whether the label is the answer; none: nobody has said what it is.")
    ] = None
    reviewed: Annotated[bool | None, Field(description="Whether an admin has given the label.")] = None
    before: Annotated[
        datetime | None, BeforeValidator(_moment), Field(description="Taken before this moment, in UTC unless it says.")
    ] = None
    order: Annotated[
        Order,
        Field(
            description="doubtful: the least confident answers first. suspect: those first to whose label the model "
            "gave the least probability; samples without label, answer and confidence are not among them."
        ),
    ] = "doubtful"
    limit: Annotated[int, Field(ge=1, le=200, description="A page of large pictures has fewer.")] = 50
    after: Annotated[str | None, Field(description="`next` of the page before, in the same order.")] = None


@router.post("/samples", include_in_schema=False, status_code=201)
@router.post(
    "/samples/", status_code=201, response_model=Kept, responses=openapi.SAMPLE, openapi_extra=openapi.SAMPLE_FILE
)
async def keep(
    request: Request, service: TheService, keeper: TheKeeper, alphabet: InQuery = None, visitor: Visitor = None
) -> Response:
    """Keep a picture to learn from, with what it really is where that is known.

    Ask the person who drew it first. To send a sample again with its `id` does no harm, and another `label` takes the
    former one's place, unless an admin has reviewed that.
    """
    named, whose = named_in_query(request), _hashed(visitor)
    upload = await sample_file(request)
    if len(upload.files[0]) > MOST_BYTES:
        raise SampleTooLarge(MOST_BYTES)
    recognizer = service.recognizer([*named, *upload.alphabets])
    sent = _sent(upload.texts)
    _check_label(sent.label, recognizer)
    await _check_picture(service, upload.files[0], recognizer, sent.label)
    sample = Sample(
        **sent.model_dump() | {"id": sent.id or new_id()},
        picture=upload.files[0],
        alphabet=recognizer.record.alphabet,
        visitor=whose,
        time=now(),
    )
    id = await _in_time(keeper.keep(sample))
    watch.count_verdict(sample, service.models.known)
    return _json(Kept(id=id, request_id=request.state.request_id), 201)


@router.delete("/samples/mine", response_model=Deleted, responses=openapi.DELETE_MINE)
async def delete_mine(request: Request, keeper: TheKeeper, visitor: Visitor = None) -> Response:
    """Delete all samples that were sent with this `X-Visitor`, for good.

    Where the database is away, those that are there are deleted as soon as it is back, and not counted here.
    """
    whose = _hashed(visitor)
    if whose is None:
        raise MissingVisitor
    deleted = await _in_time(keeper.forget(whose, now()))
    return _json(Deleted(deleted=deleted, request_id=request.state.request_id))


def _named_once(request: Request) -> None:
    """Raises InvalidParameter where a query says a thing twice: nobody could tell which counts."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    if twice := [name for name, count in names.items() if count > 1]:
        raise InvalidParameter([(name, "it is there more than once") for name in twice])


@for_admins.get("/samples/", response_model=SamplePage, responses=openapi.SAMPLES, dependencies=[Depends(_named_once)])
async def list_samples(request: Request, keeper: TheKeeper, asked: Annotated[Asked, Query()]) -> Response:
    """List samples, a page at a time: the most doubtful answers first, likely errors of labels, or the newest."""
    filters = asked.model_dump(exclude={"order", "limit", "after"})

    def page() -> bytes:
        from app.samples.selection import Filters

        found = keeper.store().page(Filters(**filters), asked.order, asked.limit, asked.after)
        answer = SamplePage(
            samples=[shown(sample) for sample in found.samples], next=found.next, request_id=request.state.request_id
        )
        return answer.model_dump_json().encode()

    return Response(await _in_thread(page), media_type="application/json")


@for_admins.get("/samples/export", response_class=StreamingResponse, responses=openapi.EXPORT)
async def export(keeper: TheKeeper) -> Response:
    """Stream all samples, the oldest first, one a line in JSON: all their fields, and the file in base64."""

    def begun() -> Iterator[bytes]:
        """Once the first sample has been read: what fails before can be told."""
        lines = map(line_of, keeper.store().each())
        return chain(list(islice(lines, 1)), lines)

    return StreamingResponse(await _in_thread(begun), media_type="application/x-ndjson")


@for_admins.patch("/samples/{id}", response_model=Relabelled, responses=openapi.RELABEL, openapi_extra=openapi.LABEL)
async def relabel(request: Request, service: TheService, keeper: TheKeeper, id: AnId) -> Response:
    """Say what a sample really is. That label stays, whatever its visitor says later."""
    said = await label_sent(request)
    alphabet = (await _in_thread(lambda: keeper.store().sample(id))).alphabet
    _check_label(said.label, service.recognizer([alphabet]))
    sample = await _in_thread(lambda: keeper.store().relabel(id, said.label))
    return _json(Relabelled(sample=fields_of(sample), request_id=request.state.request_id))


@for_admins.delete("/samples/{id}", response_model=Deleted, responses=openapi.ONE_SAMPLE)
async def delete(request: Request, keeper: TheKeeper, id: AnId) -> Response:
    """Delete a sample for good."""
    receipt = await _in_thread(lambda: keeper.store().delete(id))
    return _json(Deleted(deleted=len(receipt.ids), request_id=request.state.request_id))


async def _in_time(work: "Future[Result]") -> Result:
    """What the keeper says. Raises SamplesUnavailable, SampleDiffers, SampleDeleted."""
    try:
        async with asyncio.timeout(KEEP_SECONDS):
            return await asyncio.wrap_future(work)
    except (Unavailable, TimeoutError):
        raise SamplesUnavailable from None


async def _in_thread(work: Callable[[], Result]) -> Result:
    """What the database says, which may take it long. Raises SamplesUnavailable."""
    try:
        return await asyncio.to_thread(work)
    except Unavailable:
        raise SamplesUnavailable from None


def _hashed(visitor: str | None) -> str | None:
    """What is kept of a visitor's token. Raises MissingVisitor where it is no such token."""
    if visitor is None:
        return None
    if not _VISITOR.fullmatch(visitor):
        raise MissingVisitor
    return hashed(visitor)


def _sent(texts: Mapping[str, list[str]]) -> SampleSent:
    """What a form says; of a field that is there twice, the last counts. Only an empty label says something.

    Raises InvalidParameter.
    """
    last = {name: texts[name][-1] for name in SampleSent.model_fields if texts.get(name)}
    fields = {name: text for name, text in last.items() if text or name == "label"}
    try:
        return SampleSent.model_validate(fields)
    except ValidationError as error:
        raise InvalidParameter([(str(wrong["loc"][0]), wrong["msg"]) for wrong in error.errors()]) from None


def _check_label(label: str | None, recognizer: Recognizer) -> None:
    """Raises UnknownLabel."""
    if label not in (None, NOT_A_CHARACTER) and label not in recognizer.labels:
        raise UnknownLabel(recognizer.labels)


async def _check_picture(service: Service, picture: bytes, recognizer: Recognizer, label: str | None) -> None:
    """That it can be read; a blank one is no character. Raises app.reading's errors."""
    try:
        await service.lanes.read(picture, recognizer)
    except BlankImage:
        if label != NOT_A_CHARACTER:
            raise


def _json(answer: BaseModel, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, media_type="application/json")
