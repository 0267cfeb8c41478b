"""The calls that keep samples and let people take them back."""

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.api import metrics, openapi
from app.api.deps import NamedInQuery, TheService, admit
from app.api.errors import InvalidParameter, MissingVisitor, NoSamples, SamplesUnavailable, UnknownLabel
from app.api.service import Service
from app.api.uploads import sample_file
from app.client.models import VISITOR, Deleted, Kept, SampleSent
from app.reading.pipeline import BlankImage
from app.reading.recognizer import Recognizer
from app.samples.errors import Unavailable
from app.samples.keeper import Keeper
from app.samples.sample import NOT_A_CHARACTER, Sample, hashed, new_id, now

router = APIRouter(dependencies=[Depends(admit)], responses=openapi.GUARDED, tags=["samples"])

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


@router.post("/samples", include_in_schema=False, status_code=201)
@router.post(
    "/samples/", status_code=201, response_model=Kept, responses=openapi.SAMPLE, openapi_extra=openapi.SAMPLE_FILE
)
async def keep(
    request: Request, service: TheService, keeper: TheKeeper, named: NamedInQuery, visitor: Visitor = None
) -> Response:
    """Keep a picture to learn from, with what it really is where that is known.

    Ask the person who drew it first. To send a sample again with its `id` does no harm, and another `label` takes the
    former one's place, unless an admin has reviewed that.
    """
    whose = _hashed(visitor)
    upload = await sample_file(request)
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
    try:
        id = await asyncio.wrap_future(keeper.keep(sample))
    except Unavailable:
        raise SamplesUnavailable from None
    return _json(Kept(id=id, request_id=request.state.request_id), 201)


@router.delete("/samples/mine", response_model=Deleted, responses=openapi.DELETE_MINE)
async def delete_mine(request: Request, keeper: TheKeeper, visitor: Visitor = None) -> Response:
    """Delete all samples that were sent with this `X-Visitor`, for good.

    Where the database is away, those that are there are deleted as soon as it is back, and not counted here.
    """
    whose = _hashed(visitor)
    if whose is None:
        raise MissingVisitor
    try:
        deleted = await asyncio.wrap_future(keeper.forget(whose, now()))
    except Unavailable:
        raise SamplesUnavailable from None
    return _json(Deleted(deleted=deleted, request_id=request.state.request_id))


def _hashed(visitor: str | None) -> str | None:
    """What is kept of a visitor's token. Raises MissingVisitor where it is no such token."""
    if visitor is None:
        return None
    if not _VISITOR.fullmatch(visitor):
        raise MissingVisitor
    return hashed(visitor)


def _sent(texts: Mapping[str, list[str]]) -> SampleSent:
    """What a form says; of a field that is there twice, the last counts. Raises InvalidParameter."""
    fields = {name: texts[name][-1] for name in SampleSent.model_fields if texts.get(name)}
    if fields.get("id") == "":
        del fields["id"]
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


def _json(answer: Kept | Deleted, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, media_type="application/json")
