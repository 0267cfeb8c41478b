"""The calls of the API."""

import base64
import io
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from PIL import Image
from starlette.responses import Response

from app.api import documents, errors, metrics
from app.api.service import service_of
from app.api.uploads import several_files, single_file
from app.api.work import Reading
from app.client.models import (
    Alphabet,
    Alphabets,
    Alternative,
    Answer,
    BatchAnswer,
    Failed,
    Health,
    ModelName,
    Recognized,
    Welcome,
)
from app.reading.glyphs import Glyph
from app.reading.recognizer import Recognizer

router = APIRouter()

AlphabetName = Annotated[
    str | None,
    Query(description="Which alphabet to recognize, as GET /alphabets/ lists them.", examples=["digits"]),
]
WithGlyph = Annotated[bool, Query(description="Whether the answer shows the 28x28 picture that the model saw.")]


@router.get("/", tags=["about"])
async def welcome() -> Welcome:
    """Say hello."""
    return Welcome(message="Welcome to the Digit Recognition API")


@router.post("/predict", include_in_schema=False)
@router.post(
    "/predict/", tags=["recognition"], response_model=Answer, responses=documents.PREDICT, openapi_extra=documents.FILE
)
async def predict(request: Request, alphabet: AlphabetName = None, glyph: WithGlyph = False) -> Response:
    """Recognize one handwritten character.

    Dark on light, light on dark or drawn on transparency; PNG, JPEG, WebP, GIF (its first frame), BMP or TIFF, in a
    form's field `file`, or as a base64 data URL in JSON.
    """
    service = service_of(request)
    service.gate.admit(request)
    recognizer = service.recognizer(alphabet)
    reading = await service.workers.read(await single_file(request), recognizer)
    answer = Answer(request_id=request.state.request_id, **_recognized(recognizer, reading, glyph))
    return _json(answer)


@router.post("/predict/batch", include_in_schema=False)
@router.post(
    "/predict/batch/",
    tags=["recognition"],
    response_model=BatchAnswer,
    responses=documents.BATCH,
    openapi_extra=documents.FILES,
)
async def predict_batch(request: Request, alphabet: AlphabetName = None, glyph: WithGlyph = False) -> Response:
    """Recognize several characters, each in a file of its own.

    There is one result for each file, in their order. A file that cannot be recognized has its error in its place.
    """
    service = service_of(request)
    service.gate.admit(request)
    recognizer = service.recognizer(alphabet)
    files = await several_files(request, service.settings.max_batch_files)
    service.gate.admit(request, len(files) - 1)
    results: list[Recognized | Failed] = []
    for outcome in await service.workers.read_all(files, recognizer):
        if isinstance(outcome, Reading):
            results.append(Recognized(**_recognized(recognizer, outcome, glyph)))
        elif type(outcome) in errors.CODES:
            failed = errors.failed(outcome)
            metrics.ERRORS.labels(failed.code).inc()
            results.append(failed)
        else:
            raise outcome
    return _json(BatchAnswer(results=results, request_id=request.state.request_id))


@router.get("/alphabets", include_in_schema=False)
@router.get("/alphabets/", tags=["recognition"], responses=documents.GUARDED)
async def alphabets(request: Request) -> Alphabets:
    """List the alphabets that can be recognized, their models and what these reach on test data."""
    service = service_of(request)
    service.gate.admit(request)
    records = [recognizer.record for recognizer in service.recognizers.values()]
    return Alphabets(
        alphabets=[
            Alphabet(
                name=record.alphabet,
                labels=record.labels,
                version=record.version,
                sure_from=record.sure_from,
                figures=record.figures,
            )
            for record in records
        ]
    )


@router.get("/health/live", tags=["health"])
async def live() -> Health:
    """Tell that the process answers."""
    return Health(status="alive")


@router.get("/health/ready", tags=["health"], responses=documents.READY)
async def ready(request: Request) -> Health:
    """Tell that every model has answered a real glyph and those who ask them are at work."""
    if not service_of(request).workers.alive:
        raise errors.NotReady
    return Health(status="ready")


@router.get("/metrics", tags=["health"], response_class=Response, responses=documents.METRICS)
async def prometheus(request: Request) -> Response:
    """Give Prometheus its figures."""
    service_of(request).gate.admit(request)
    return metrics.exposition()


def _recognized(recognizer: Recognizer, reading: Reading, with_glyph: bool) -> dict[str, Any]:
    """The fields of Recognized."""
    prediction, record = reading.prediction, recognizer.record
    metrics.PREDICTIONS.labels(record.alphabet, prediction.label).inc()
    metrics.CONFIDENCE.labels(record.alphabet).observe(prediction.confidence)
    order = sorted(range(len(record.labels)), key=prediction.probabilities.__getitem__, reverse=True)
    return {
        "predicted_digit": int(prediction.label) if prediction.label.isdecimal() else prediction.index,
        "label": prediction.label,
        "confidence": _rounded(prediction.confidence),
        "sure": prediction.sure,
        "alternatives": [
            Alternative(label=record.labels[index], confidence=_rounded(prediction.probabilities[index]))
            for index in order
            if index != prediction.index
        ],
        "model": ModelName(alphabet=record.alphabet, version=record.version),
        "glyph": _data_url(reading.glyph) if with_glyph else None,
    }


def _rounded(probability: float) -> float:
    return round(min(1.0, probability), 6)


def _data_url(glyph: Glyph) -> str:
    png = io.BytesIO()
    Image.fromarray(np.rint(glyph * 255).astype(np.uint8)).save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def _json(answer: Answer | BatchAnswer) -> Response:
    """Made by pydantic in one step; FastAPI would validate it again first."""
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")
