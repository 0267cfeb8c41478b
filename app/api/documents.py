"""What the OpenAPI document tells beyond the schemas: bodies, an example of every error, how to present a key."""

from typing import Any

from fastapi import FastAPI

from app.api import errors
from app.client.models import Picture, Problem
from app.reading import ink

Responses = dict[int | str, dict[str, Any]]

REQUEST_ID = "5f0c2a9be1d44c37"

_SENTENCES: dict[type[Exception], str] = {
    ink.BlankImage: str(ink.BlankImage()),
    ink.EmptyFile: str(ink.EmptyFile()),
    ink.DamagedPicture: str(ink.DamagedPicture()),
    ink.NotAPicture: str(ink.NotAPicture()),
    ink.TooManyPixels: "The picture has 9000 x 9000 pixels; at most 25 million are accepted.",
    errors.MissingFile: "The form has no file in a field 'file'.",
    errors.TooManyFiles: "Only one picture is accepted in this call.",
    errors.MalformedBody: "The form in the body is broken.",
    errors.InvalidParameter: "A parameter is wrong. glyph: Input should be a valid boolean.",
    errors.UnsupportedMediaType: "Please send multipart/form-data with a field 'file'.",
    errors.BodyTooLarge: "The request is too large; at most 10,485,760 bytes are accepted.",
    errors.SlowSender: "The request did not arrive within 20 seconds. Please send it faster.",
    errors.UnknownAlphabet: "There is no such alphabet. There are: digits.",
    errors.MissingKey: "An API key is needed, in the header X-API-Key.",
    errors.WrongKey: "This API key is not known here.",
    errors.TooManyRequests: "More than 600 pictures a minute. Please slow down.",
    errors.Overloaded: str(errors.Overloaded()),
    errors.NotReady: str(errors.NotReady()),
}

_TITLES = {
    400: "The body or the picture is broken, or there is nothing on it",
    401: "No API key, or a wrong one",
    404: "No such alphabet",
    408: "The request took too long to arrive",
    413: "Too many bytes or pixels",
    415: "No picture, or a body of the wrong kind",
    422: "The picture or a parameter is missing or wrong",
    429: "Too many requests",
    503: "Too much to do",
}


def _responses(*kinds: type[Exception]) -> Responses:
    """One entry for each status, with an example for each code."""
    result: Responses = {}
    for kind in kinds:
        status, code = errors.CODES[kind]
        if status not in result:
            result[status] = {"model": Problem, "description": _TITLES[status]}
            result[status]["content"] = {"application/json": {"examples": {}}}
            if issubclass(kind, errors.Later):
                result[status]["headers"] = {
                    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
                }
        result[status]["content"]["application/json"]["examples"][code] = {
            "value": {"error": _SENTENCES[kind], "code": code, "request_id": REQUEST_ID}
        }
    return result


_ACCESS = (errors.MissingKey, errors.WrongKey, errors.TooManyRequests)
_BODY = (
    errors.MalformedBody,
    errors.TooManyFiles,
    errors.UnsupportedMediaType,
    errors.BodyTooLarge,
    errors.MissingFile,
    errors.InvalidParameter,
    errors.SlowSender,
    errors.UnknownAlphabet,
    errors.Overloaded,
)
_PICTURE = (ink.BlankImage, ink.EmptyFile, ink.DamagedPicture, ink.NotAPicture, ink.TooManyPixels)

GUARDED = _responses(*_ACCESS)
PREDICT = _responses(*_PICTURE, *_BODY, *_ACCESS)
BATCH = _responses(*_BODY, *_ACCESS)
READY = _responses(errors.NotReady)
METRICS: Responses = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "In Prometheus's text format"},
    **GUARDED,
}

_EXAMPLE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACgAAAAoAQAAAACkhYXAAAAAXklEQVR42o3PwQnCUBgD4O/9CPXYER"
    "zF7Vyro3SEHgRbEOOhluexEEJICCEtUM7zirK1UeH58yV5RJIhhWtvZe+Ois+ubz1937tekSxJsVC0v/WZOjBRXJC8knb6xRc1Ih"
    "6gFQx5BQAAAABJRU5ErkJggg=="
)

_BINARY = {"type": "string", "format": "binary", "description": "PNG, JPEG, WebP, GIF, BMP or TIFF."}
_ENCODING = "image/png, image/jpeg, image/webp, image/gif, image/bmp, image/tiff"


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": {"type": "object", "required": [field], "properties": {field: schema}},
        "encoding": {field: {"contentType": _ENCODING}},
    }


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


FILE = _body(
    {
        "multipart/form-data": _form("file", _BINARY),
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Picture"},
            "example": {"image": _EXAMPLE},
        },
    }
)
FILES = _body({"multipart/form-data": _form("files", {"type": "array", "minItems": 1, "items": _BINARY})})

_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def complete(app: FastAPI, keys_needed: bool) -> None:
    """Add to the document what FastAPI does not know: the JSON body's schema and the keys."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            document["components"]["schemas"]["Picture"] = Picture.model_json_schema()
            if keys_needed:
                document["components"]["securitySchemes"] = _SCHEMES
                for path in document["paths"].values():
                    for operation in path.values():
                        if "401" in operation["responses"]:
                            operation["security"] = [{name: []} for name in _SCHEMES]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
