"""What a request's body has, multipart/form-data or JSON with a base64 data URL: files, and the alphabet's name."""

import binascii
from typing import Final, NamedTuple

from fastapi import Request
from pydantic import ValidationError

from app.api import forms
from app.api.errors import BrokenJSON, MissingImage, UnsupportedMediaType, WrongJSON
from app.client.models import Picture

ONE_FILE: Final = "multipart/form-data with a field 'file', or application/json with a data URL in 'image'"
SEVERAL_FILES: Final = "multipart/form-data with a field 'files' for each picture"
NO_OBJECT: Final = (
    "The JSON body must be an object with the picture as a data URL in 'image', and nothing else but 'alphabet'."
)

MAX_JSON_VALUES: Final = 64
"""More in a JSON body are not parsed: each would cost a thousand times its bytes, to be told that it is too many."""


class Upload(NamedTuple):
    files: list[bytes]
    alphabets: list[str]
    """As the body names them; mostly none."""


async def single_file(request: Request) -> Upload:
    """The file of field `file`, or the picture of a JSON body. Raises CallerError."""
    kind = _media_type(request)
    if kind == "application/json":
        return _from_json(await request.body())
    if kind != "multipart/form-data":
        raise UnsupportedMediaType(ONE_FILE)
    return await _from_form(request, "file", limit=1)


async def several_files(request: Request, limit: int) -> Upload:
    """The files of the repeated field `files`. Raises CallerError."""
    if _media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType(SEVERAL_FILES)
    return await _from_form(request, "files", limit)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _from_form(request: Request, field: str, limit: int) -> Upload:
    body, kind = await request.body(), request.headers["content-type"]
    return Upload(*forms.read(body, kind, files=field, limit=limit, texts="alphabet"))


def _from_json(body: bytes) -> Upload:
    # Every value but the first comes after one of these, none of which a data URL of a picture needs more than once.
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise WrongJSON(NO_OBJECT)
    try:
        picture = Picture.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if problem["type"] == "json_invalid":
            raise BrokenJSON from None
        if problem["type"] == "missing":
            raise MissingImage from None
        if problem["type"] == "extra_forbidden":
            raise WrongJSON("The JSON body has fields other than 'image' and 'alphabet'.") from None
        if problem["loc"] == ("image",):
            raise WrongJSON(
                "image: it must be a data URL of a picture, such as data:image/png;base64,iVBORw0KGgo..."
            ) from None
        if problem["loc"] == ("alphabet",):
            raise WrongJSON("alphabet: it must be a text, one of those that GET /alphabets/ lists.") from None
        raise WrongJSON(NO_OBJECT) from None
    try:
        file = binascii.a2b_base64(picture.image.partition(",")[2], strict_mode=True)
    except binascii.Error:
        raise WrongJSON("image: the base64 in the data URL is broken.") from None
    return Upload([file], [picture.alphabet] if picture.alphabet else [])
