"""What the OpenAPI document tells beyond the schemas: bodies, an example of every error, how to present a key."""

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI

from app.api import errors, uploads
from app.client.models import ALPHABET, Picture, Problem
from app.settings import Settings

Responses = dict[int | str, dict[str, Any]]

REQUEST_ID = "5f0c2a9be1d44c37"

_TITLES = {
    400: "The body or the picture is broken, or there is nothing on it",
    401: "No API key, or a wrong one",
    404: "No such alphabet",
    408: "The request took too long to arrive",
    413: "Too many bytes or pixels",
    415: "No picture, or a body of the wrong kind",
    422: "The picture or a parameter is missing or wrong, or the picture takes too much work",
    429: "Too many requests",
    503: "Too much to do",
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
        errors.InvalidParameter([("glyph", "Input should be a valid boolean, unable to interpret input")]),
        errors.SlowSender(_DEFAULTS.body_seconds),
        errors.UnknownAlphabet(["digits"]),
        errors.SeveralAlphabets(),
        errors.Overloaded(),
    )


GUARDED = _responses(
    errors.MissingKey(), errors.WrongKey(), errors.TooManyRequests(_DEFAULTS.rate_per_address, seconds=1)
)
PREDICT = _responses(*errors.OF_PICTURES, *_of_bodies("file", uploads.ONE_FILE, 1))
BATCH = _responses(*_of_bodies("files", uploads.SEVERAL_FILES, _DEFAULTS.max_batch_files))
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


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    # Without a default the page at /docs would fill the field in, with the name of no alphabet.
    alphabet = {"type": "string", "description": ALPHABET, "default": ""}
    return {
        "schema": {"type": "object", "required": [field], "properties": {field: schema, "alphabet": alphabet}},
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
FILES = _body({"multipart/form-data": _form("files", {"type": "array", "minItems": 1, "items": _BINARY})})

_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def complete(app: FastAPI, alphabets: Collection[str], default: str, keys_needed: bool) -> None:
    """Add to the document what FastAPI does not know: the JSON body's schema, the alphabets served here, the keys."""
    plain = app.openapi
    unknown = str(errors.UnknownAlphabet(alphabets))
    another = next((name for name in alphabets if name != default), None)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            document["components"]["schemas"]["Picture"] = Picture.model_json_schema()
            one, many = (document["paths"][path]["post"] for path in ("/predict/", "/predict/batch/"))
            for call in (one, many):
                missing = call["responses"]["404"]["content"]["application/json"]["examples"]
                missing["unknown_alphabet"]["value"]["error"] = unknown
            if another:
                examples = one["requestBody"]["content"]["application/json"]["examples"]
                examples["of another alphabet"] = {"value": {"image": _EXAMPLE, "alphabet": another}}
            if keys_needed:
                document["components"]["securitySchemes"] = _SCHEMES
                for path in document["paths"].values():
                    for operation in path.values():
                        if "401" in operation["responses"]:
                            operation["security"] = [{name: []} for name in _SCHEMES]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
