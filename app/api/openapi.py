"""What the OpenAPI document tells beyond the schemas: bodies, an example of every error, how to present a key."""

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI

from app.api import errors, uploads
from app.client.models import ALPHABET, BOXES, Picture, PictureOfLines, Problem, Relabel, SampleSent
from app.reading.lines import EmptyBox
from app.reading.rows import TooMuchWriting
from app.samples.errors import SampleDeleted, SampleDiffers, UnknownSample, WrongCursor
from app.samples.sample import MOST_BYTES
from app.settings import Settings

Responses = dict[int | str, dict[str, Any]]

REQUEST_ID = "5f0c2a9be1d44c37"

_TITLES = {
    400: "The body or the picture is broken, or there is nothing on it",
    401: "No API key, or a wrong one",
    404: "No such alphabet, or nothing of the kind here",
    408: "The request took too long to arrive",
    409: "Another sample has this id",
    410: "The sample was deleted",
    413: "Too many bytes or pixels",
    415: "No picture, or a body of the wrong kind",
    422: "The picture or a parameter is missing or wrong, or the picture takes too much work",
    429: "Too many requests",
    503: "Too much to do, or nothing to do it with",
}


def _responses(*examples: Exception) -> Responses:
    """One entry for each status, with an example for each code."""
    result: Responses = {}
    for example in examples:
        status, problem, _ = errors.problem(example, REQUEST_ID)
        if status not in result:
            result[status] = {"model": Problem, "description": _TITLES[status]}
            result[status]["content"] = {"application/json": {"examples": {}}}
            if isinstance(example, errors.Later):
                result[status]["headers"] = {
                    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
                }
        result[status]["content"]["application/json"]["examples"][problem.code] = {"value": problem.model_dump()}
    return result


_DEFAULTS = Settings.model_construct()
"""The limits that the examples name, whatever this server's own are."""


def _of_bodies(field: str, accepted: str, limit: int) -> tuple[Exception, ...]:
    """What a call can be refused with that takes at most `limit` files in a form's `field`."""
    return (
        errors.BrokenForm(),
        errors.TooManyFiles(limit),
        errors.UnsupportedMediaType(accepted),
        errors.BodyTooLarge(_DEFAULTS.max_body_bytes),
        errors.MissingFile(field),
        errors.SlowSender(_DEFAULTS.body_seconds),
        errors.UnknownAlphabet(["digits"]),
        errors.SeveralAlphabets(),
        errors.Overloaded(),
    )


GUARDED = _responses(
    errors.MissingKey(), errors.WrongKey(), errors.TooManyRequests(_DEFAULTS.rate_per_address, seconds=1)
)
_ONE = (*errors.OF_PICTURES, *_of_bodies("file", uploads.ONE_FILE, 1))
_SEVERAL = _of_bodies("files", uploads.SEVERAL_FILES, _DEFAULTS.max_batch_files)
_GLYPH = errors.InvalidParameter([("glyph", "Input should be a valid boolean, unable to interpret input")])
_NO_LINES = errors.NoLines("ukrainian", ["digits"])
PREDICT = _responses(*_ONE, _GLYPH)
BATCH = _responses(*_SEVERAL, _GLYPH)
READ = _responses(*_ONE, TooMuchWriting(), EmptyBox(1), errors.WrongBoxes("number 1 is no box"), _NO_LINES)
READ_BATCH = _responses(*_SEVERAL, _NO_LINES)
_NOWHERE = (errors.NoSamples(), errors.SamplesUnavailable())
SAMPLE = _responses(
    *errors.OF_PICTURES,
    *_of_bodies("file", uploads.SAMPLE_FILE, 1),
    errors.SampleTooLarge(MOST_BYTES),
    errors.InvalidParameter([("source", "String should match pattern '^[a-z0-9_-]{1,32}$'")]),
    errors.UnknownLabel("0123456789"),
    SampleDiffers(),
    SampleDeleted(),
    *_NOWHERE,
)
DELETE_MINE = _responses(errors.MissingVisitor(), *_NOWHERE)
SAMPLES = _responses(WrongCursor(), *_NOWHERE)
ONE_SAMPLE = _responses(UnknownSample(), *_NOWHERE)
RELABEL = _responses(
    errors.BrokenJSON(),
    errors.SlowSender(_DEFAULTS.body_seconds),
    errors.BodyTooLarge(_DEFAULTS.max_body_bytes),
    errors.UnsupportedMediaType(uploads.A_LABEL),
    errors.WrongJSON("The JSON body must be an object with a text in 'label', and nothing else."),
    errors.UnknownLabel("0123456789"),
    errors.UnknownAlphabet(["digits"]),
    UnknownSample(),
    errors.Overloaded(),
    *_NOWHERE,
)
EXPORT: Responses = _responses(*_NOWHERE) | {
    200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}, "description": "A sample a line"}
}
ADMIN = "samples, for admins"
"""The tag of calls that take an admin's key."""
READY = _responses(errors.NotReady())
METRICS: Responses = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "In Prometheus's text format"}
}

_EXAMPLE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAQAAAACkhYXAAAAAXklEQVR42o3PwQnCUBgD4O/9CPXYER"
    "zF7Vyro3SEHgRbEOOhluexEEJICCEtUM7zirK1UeH58yV5RJIhhWtvZe+Ois+ubz1937tekSxJsVC0v/WZOjBRXJC8knb6xRc1Ih"
    "6gFQx5BQAAAABJRU5ErkJggg=="
)

_BINARY = {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF."}
_ENCODING = "image/png, image/jpeg, image/webp, image/avif, image/gif, image/bmp, image/tiff"


def _text(description: str) -> dict[str, Any]:
    # Without a default the page at /docs would fill the field in, with the name of no alphabet.
    return {"type": "string", "description": description, "default": ""}


def _form(field: str, schema: dict[str, Any], **texts: dict[str, Any]) -> dict[str, Any]:
    properties = {field: schema, "alphabet": _text(ALPHABET), **texts}
    return {
        "schema": {"type": "object", "required": [field], "properties": properties},
        "encoding": {field: {"contentType": _ENCODING}},
    }


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


FILE = _body(
    {
        "multipart/form-data": _form("file", _BINARY),
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Picture"},
            "examples": {"of the default alphabet": {"value": {"image": _EXAMPLE}}},
        },
    }
)
PAGE = _body(
    {
        "multipart/form-data": _form("file", _BINARY, boxes=_text("A list in JSON: " + BOXES)),
        "application/json": {
            "schema": {"$ref": "#/components/schemas/PictureOfLines"},
            "examples": {
                "lines": {"value": {"image": _EXAMPLE}},
                "a character in a box": {"value": {"image": _EXAMPLE, "boxes": [[5, 5, 35, 35]]}},
            },
        },
    }
)
FILES = _body({"multipart/form-data": _form("files", {"type": "array", "minItems": 1, "items": _BINARY})})

_OF_SAMPLES = {name: _text(str(field.description)) for name, field in SampleSent.model_fields.items()}
_OF_SAMPLES["label"] = {key: text for key, text in _OF_SAMPLES["label"].items() if key != "default"} | {"example": "7"}
SAMPLE_FILE = _body({"multipart/form-data": _form("file", _BINARY, **_OF_SAMPLES)})

LABEL = _body({"application/json": {"schema": {"$ref": "#/components/schemas/Relabel"}}})

_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def complete(
    app: FastAPI, alphabets: Collection[str], of_lines: Collection[str], default: str, keys_needed: bool, admins: bool
) -> None:
    """Add to the document what FastAPI does not know: the JSON bodies' schemas, the alphabets served here and those of
    which lines are read, the keys.
    """
    plain = app.openapi
    told = {"unknown_alphabet": str(errors.UnknownAlphabet(alphabets))}
    if of_none := next((name for name in alphabets if name not in of_lines), None):
        told["no_lines"] = str(errors.NoLines(of_none, of_lines))
    another = next((name for name in alphabets if name != default), None)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for model in (Picture, PictureOfLines, Relabel):
                document["components"]["schemas"][model.__name__] = model.model_json_schema()
            for path in document["paths"].values():
                for answer in path.get("post", {}).get("responses", {}).values():
                    for code, example in answer["content"].get("application/json", {}).get("examples", {}).items():
                        example["value"]["error"] = told.get(code, example["value"]["error"])
            if another:
                predict = document["paths"]["/predict/"]["post"]
                examples = predict["requestBody"]["content"]["application/json"]["examples"]
                examples["of another alphabet"] = {"value": {"image": _EXAMPLE, "alphabet": another}}
            if keys_needed or admins:
                document["components"]["securitySchemes"] = _SCHEMES
                for path in document["paths"].values():
                    for operation in path.values():
                        if "401" in operation["responses"] and (keys_needed or ADMIN in operation["tags"]):
                            operation["security"] = [{name: []} for name in _SCHEMES]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
