"""The files in a request's body: multipart/form-data, or JSON with a base64 data URL."""

import binascii
from typing import Final

from fastapi import Request
from pydantic import ValidationError

from app.api.errors import BrokenJSON, MissingImage, UnsupportedMediaType, WrongJSON
from app.api.forms import files_of
from app.client.models import Picture

ONE_FILE: Final = "multipart/form-data with a field 'file', or application/json with a data URL in 'image'"
SEVERAL_FILES: Final = "multipart/form-data with a field 'files' for each picture"
NO_OBJECT: Final = "The JSON body must be an object with the picture as a data URL in 'image', and nothing else."

MAX_JSON_VALUES: Final = 64
"""More in a JSON body are not parsed: each would cost a thousand times its bytes, to be told that it is too many."""


async def single_file(request: Request) -> bytes:
    """The file of field `file`, or the picture of a JSON body. Raises CallerError."""
    kind = _media_type(request)
    if kind == "application/json":
        return _from_json(await request.body())
    if kind != "multipart/form-data":
        raise UnsupportedMediaType(ONE_FILE)
    return files_of(await request.body(), request.headers["content-type"], "file", limit=1)[0]


async def several_files(request: Request, limit: int) -> list[bytes]:
    """The files of the repeated field `files`. Raises CallerError."""
    if _media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType(SEVERAL_FILES)
    return files_of(await request.body(), request.headers["content-type"], "files", limit)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _from_json(body: bytes) -> bytes:
    # Every value but the first comes after one of these, none of which a data URL of a picture needs more than once.
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise WrongJSON(NO_OBJECT)
    try:
        url = Picture.model_validate_json(body).image
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if problem["type"] == "json_invalid":
            raise BrokenJSON from None
        if problem["type"] == "missing":
            raise MissingImage from None
        if problem["type"] == "extra_forbidden":
            raise WrongJSON("The JSON body has fields other than 'image'.") from None
        if problem["loc"] == ("image",):
            raise WrongJSON(
                "image: it must be a data URL of a picture, such as data:image/png;base64,iVBORw0KGgo..."
            ) from None
        raise WrongJSON(NO_OBJECT) from None
    try:
        return binascii.a2b_base64(url.partition(",")[2], strict_mode=True)
    except binascii.Error:
        raise WrongJSON("image: the base64 in the data URL is broken.") from None
