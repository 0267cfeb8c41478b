"""The calls of the API. A new one belongs on `guarded`, unless everybody may make it whenever they like."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from app import answers
from app.api import errors, metrics, openapi, watch
from app.api.deps import InQuery, IsTrial, TheSaid, TheService, TheWatch, WithGlyph, admit, named_in_query
from app.api.service import service_of
from app.api.uploads import page_file, several_files, single_file
from app.client.models import (
    Alphabet,
    Alphabets,
    Answer,
    BatchAnswer,
    Failed,
    Health,
    Read,
    ReadAnswer,
    ReadBatchAnswer,
    Recognized,
    Welcome,
)
from app.client.watching import Drifts
from app.reading.pipeline import Reading
from app.reading.recognizer import ModelRecord, Recognizer
from app.reading.text import Text

guarded = APIRouter(dependencies=[Depends(admit)], responses=openapi.GUARDED)
public = APIRouter()


@public.get("/", tags=["about"])
async def welcome() -> Welcome:
    """Say hello."""
    return Welcome(message="Welcome to the Digit Recognition API")


@guarded.post("/predict", include_in_schema=False)
@guarded.post(
    "/predict/", tags=["recognition"], response_model=Answer, responses=openapi.PREDICT, openapi_extra=openapi.FILE
)
async def predict(
    request: Request, alphabet: InQuery = None, glyph: WithGlyph = False, trial: IsTrial = False
) -> Response:
    """Recognize one handwritten character.

    Dark on light, light on dark or drawn on transparency; PNG, JPEG, WebP, AVIF, GIF (its first frame with something on
    it), BMP or TIFF, in a form's field `file`, or as a base64 data URL in JSON.
    """
    service, named = service_of(request), named_in_query(request)
    upload = await single_file(request)
    recognizer = service.recognizer([*named, *upload.alphabets])
    reading = await service.lanes.read(upload.files[0], recognizer)
    if not trial:
        watch.count(recognizer.record, reading.prediction)
    answer = Answer(request_id=request.state.request_id, **_recognized(recognizer, reading, glyph))
    return _json(answer)


@guarded.post("/predict/batch", include_in_schema=False)
@guarded.post(
    "/predict/batch/",
    tags=["recognition"],
    response_model=BatchAnswer,
    responses=openapi.BATCH,
    openapi_extra=openapi.FILES,
)
async def predict_batch(
    request: Request, alphabet: InQuery = None, glyph: WithGlyph = False, trial: IsTrial = False
) -> Response:
    """Recognize several characters of one alphabet, each in a file of its own.

    There is one result for each file, in their order. A file that cannot be recognized has its error in its place.
    """
    service, named = service_of(request), named_in_query(request)
    upload = await several_files(request, service.settings.max_batch_files)
    recognizer = service.recognizer([*named, *upload.alphabets])
    service.gate.admit(request, len(upload.files) - 1)  # one has been counted already
    outcomes = await service.lanes.read_all(upload.files, recognizer)
    for outcome in outcomes:
        if isinstance(outcome, Reading) and not trial:
            watch.count(recognizer.record, outcome.prediction)
    results = [
        Recognized(**_recognized(recognizer, outcome, glyph)) if isinstance(outcome, Reading) else _failed(outcome)
        for outcome in outcomes
    ]
    return _json(BatchAnswer(results=results, request_id=request.state.request_id))


@guarded.post("/read", include_in_schema=False)
@guarded.post(
    "/read/", tags=["recognition"], response_model=ReadAnswer, responses=openapi.READ, openapi_extra=openapi.PAGE
)
async def read(request: Request, alphabet: InQuery = None) -> Response:
    """Read several handwritten characters: a number, a word, lines of them.

    The picture is sent as to `/predict/`. Whoever knows where its characters are says so in `boxes`, in each of which
    one is then read.
    """
    service, named = service_of(request), named_in_query(request)
    upload = await page_file(request)
    recognizer = service.recognizer([*named, *upload.alphabets])
    line_reader = service.line_reader(recognizer)
    text = await service.lanes.read_page(upload.files[0], recognizer, line_reader, upload.boxes)
    return _json(ReadAnswer(request_id=request.state.request_id, **_read(recognizer.record, text)))


@guarded.post("/read/batch", include_in_schema=False)
@guarded.post(
    "/read/batch/",
    tags=["recognition"],
    response_model=ReadBatchAnswer,
    responses=openapi.READ_BATCH,
    openapi_extra=openapi.FILES,
)
async def read_batch(request: Request, alphabet: InQuery = None) -> Response:
    """Read several pictures of one alphabet.

    There is one result for each file, in their order. A file that cannot be read has its error in its place.
    """
    service, named = service_of(request), named_in_query(request)
    upload = await several_files(request, service.settings.max_batch_files)
    recognizer = service.recognizer([*named, *upload.alphabets])
    line_reader = service.line_reader(recognizer)
    service.gate.admit(request, len(upload.files) - 1)  # one has been counted already
    results = [
        Read(**_read(recognizer.record, outcome)) if isinstance(outcome, Text) else _failed(outcome)
        for outcome in await service.lanes.read_all_pages(upload.files, recognizer, line_reader)
    ]
    return _json(ReadBatchAnswer(results=results, request_id=request.state.request_id))


@guarded.get("/alphabets", include_in_schema=False)
@guarded.get("/alphabets/", tags=["recognition"])
async def alphabets(service: TheService) -> Alphabets:
    """List the alphabets that can be recognized, the default one first, and what their models reach on test data."""
    return Alphabets(
        alphabets=[
            Alphabet(
                name=record.alphabet,
                title=record.title or record.alphabet.capitalize(),
                labels=record.labels,
                names=record.names,
                cased=record.cased,
                version=record.version,
                sure_from=record.sure_from,
                lines=record.alphabet in service.models.of_lines,
                figures=record.figures,
            )
            for record in service.models.records
        ]
    )


@public.get("/health/live", tags=["health"])
async def live() -> Health:
    """Tell that the process answers."""
    return Health(status="alive")


@public.get("/health/ready", tags=["health"], responses=openapi.READY)
async def ready(request: Request, service: TheService) -> Health:
    """Tell that every model has answered a real glyph, those who ask them are at work, and the server is to stay."""
    if not service.lanes.alive or getattr(request.state, "leaving", False):
        raise errors.NotReady
    return Health(status="ready")


@guarded.get("/health/drift", tags=["health"])
async def drifts(request: Request, service: TheService, watching: TheWatch, said: TheSaid) -> Drifts:
    """Tell what has been answered lately, by label and confidence, and whether it has drifted from the models' records.

    What was only tried out, `trial`, is not counted. What people have said of the answers is up to 30 seconds old.
    """
    verdicts = await said.lately()
    counted = watch.counts()
    return Drifts(
        alphabets=[
            watching.watched(record, counted, verdicts.get(record.alphabet, [])) for record in service.models.records
        ],
        request_id=request.state.request_id,
    )


@guarded.get("/metrics", tags=["health"], response_class=Response, responses=openapi.METRICS)
async def prometheus(service: TheService, watching: TheWatch) -> Response:
    """Give Prometheus its figures."""
    counted = watch.counts()
    for record in service.models.records:
        watching.tell(record, counted)
    return metrics.exposition()


def _recognized(recognizer: Recognizer, reading: Reading, with_glyph: bool) -> dict[str, Any]:
    """The fields of Recognized; counted."""
    prediction, record = reading.prediction, recognizer.record
    metrics.PREDICTIONS.labels(record.alphabet, prediction.label).inc()
    metrics.CONFIDENCE.labels(record.alphabet).observe(prediction.confidence)
    return answers.recognized(record, reading, with_glyph)


def _read(record: ModelRecord, text: Text) -> dict[str, Any]:
    """The fields of Read; counted."""
    metrics.TEXTS.labels(record.alphabet).inc()
    metrics.TEXT_CONFIDENCE.labels(record.alphabet).observe(text.confidence)
    for line in text.lines:
        for character in line.characters:
            metrics.CHARACTERS.labels(record.alphabet, character.label).inc()
    return answers.read(record, text)


def _failed(error: Exception) -> Failed:
    """What stands in a picture's place among the results; counted as an answer with this error is."""
    failed = errors.failed(error)
    metrics.ERRORS.labels(failed.code).inc()
    return failed


def _json(answer: BaseModel) -> Response:
    """Made by pydantic in one step; FastAPI would validate it again first."""
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")
