"""What a request's body has, multipart/form-data or JSON with a base64 data URL: files, and what is said of them."""

import binascii
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from app.api import forms
from app.api.errors import BrokenJSON, MissingImage, UnsupportedMediaType, WrongBoxes, WrongJSON
from app.client.models import MAX_BOXES, Boxes, Picture, PictureOfLines, Relabel, SampleSent
from app.reading.picture import Box

ONE_FILE: Final = "multipart/form-data with a field 'file', or application/json with a data URL in 'image'"
A_LABEL: Final = "application/json with a text in 'label'"
SAMPLE_FILE: Final = "multipart/form-data with a field 'file'"
SEVERAL_FILES: Final = "multipart/form-data with a field 'files' for each picture"

MAX_JSON_VALUES: Final = 64
"""More in a JSON body are not parsed: each would cost a thousand times its bytes, to be told that it is too many."""

MAX_BOX_VALUES: Final = 5 * MAX_BOXES
"""Those of boxes come on top: a box and its limits."""

_ALPHABET: Final = {"alphabet": 256}
"""A form's text, and the bytes that are kept of it: more than any folder's name has, by which an alphabet is known."""

_ALPHABET_AND_BOXES: Final = _ALPHABET | {"boxes": 16 * 1024}
"""Likewise; the most boxes with all digits that their limits can have take a third of this."""

_ALPHABET_AND_SAMPLE: Final = _ALPHABET | dict.fromkeys(SampleSent.model_fields, 1024)
"""Likewise; what is longer than any of these may be is too long by then."""

_BOXES: TypeAdapter[list[Box]] = TypeAdapter(Boxes)


class Upload(NamedTuple):
    files: list[bytes]
    alphabets: list[str]
    """As the body names them; mostly none."""
    boxes: tuple[Box, ...] = ()
    """Of characters, where the caller knows them."""
    texts: Mapping[str, list[str]] = MappingProxyType({})
    """What else a form says, by field."""


async def single_file(request: Request) -> Upload:
    """The file of field `file`, or the picture of a JSON body. Raises CallerError."""
    return await _one(request, Picture, _ALPHABET)


async def page_file(request: Request) -> Upload:
    """As `single_file`, with boxes. Raises CallerError."""
    return await _one(request, PictureOfLines, _ALPHABET_AND_BOXES)


async def sample_file(request: Request) -> Upload:
    """The file of field `file`, with what else its form says. Raises CallerError."""
    if _media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType(SAMPLE_FILE)
    return await _from_form(request, "file", 1, _ALPHABET_AND_SAMPLE)


async def several_files(request: Request, limit: int) -> Upload:
    """The files of the repeated field `files`. Raises CallerError."""
    if _media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType(SEVERAL_FILES)
    return await _from_form(request, "files", limit, _ALPHABET)


async def label_sent(request: Request) -> Relabel:
    """An admin's, in JSON. Raises CallerError."""
    if _media_type(request) != "application/json":
        raise UnsupportedMediaType(A_LABEL)
    try:
        return Relabel.model_validate_json(await request.body())
    except ValidationError as error:
        if _first(error)[0] == "json_invalid":
            raise BrokenJSON from None
        raise WrongJSON("The JSON body must be an object with a text in 'label', and nothing else.") from None


async def _one(request: Request, in_json: type[Picture], in_form: Mapping[str, int]) -> Upload:
    kind = _media_type(request)
    if kind == "application/json":
        return _from_json(await request.body(), in_json)
    if kind != "multipart/form-data":
        raise UnsupportedMediaType(ONE_FILE)
    return await _from_form(request, "file", 1, in_form)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _from_form(request: Request, field: str, limit: int, texts: Mapping[str, int]) -> Upload:
    body, kind = await request.body(), request.headers["content-type"]
    files, found = forms.read(body, kind, files=field, limit=limit, texts=texts)
    return Upload(files, found["alphabet"], _boxes_of(found.get("boxes", ())), found)


def _boxes_of(texts: Iterable[str]) -> tuple[Box, ...]:
    """Those of a form's field, which may be empty. Raises WrongBoxes."""
    given = [text for text in texts if text]
    if len(given) > 1:
        raise WrongBoxes("they are given more than once")
    try:
        return tuple(_BOXES.validate_json(given[0])) if given else ()
    except ValidationError as error:
        raise _wrong_boxes(*_first(error)) from None


def _from_json(body: bytes, model: type[Picture]) -> Upload:
    most = MAX_JSON_VALUES + (MAX_BOX_VALUES if model is PictureOfLines else 0)
    # Every value but the first comes after one of these, none of which a data URL of a picture needs more than once.
    if sum(map(body.count, (b",", b"[", b"{"))) > most:
        raise _no_object(model)
    try:
        picture = model.model_validate_json(body)
    except ValidationError as error:
        raise _wrong_json(*_first(error), model) from None
    try:
        file = binascii.a2b_base64(picture.image.partition(",")[2], strict_mode=True)
    except binascii.Error:
        raise WrongJSON("image: the base64 in the data URL is broken.") from None
    boxes = picture.boxes if isinstance(picture, PictureOfLines) else None
    return Upload([file], [picture.alphabet] if picture.alphabet else [], tuple(boxes or ()))


def _first(error: ValidationError) -> tuple[str, tuple[Any, ...]]:
    """What is wrong, and where."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return problem["type"], problem["loc"]


def _wrong_json(kind: str, place: tuple[Any, ...], model: type[Picture]) -> Exception:
    if kind == "json_invalid":
        return BrokenJSON()
    if kind == "missing" and place == ("image",):
        return MissingImage()
    if kind == "extra_forbidden":
        return WrongJSON(f"The JSON body has fields other than {_listed(model.model_fields)}.")
    match place:
        case ("image",):
            return WrongJSON("image: it must be a data URL of a picture, such as data:image/png;base64,iVBORw0KGgo...")
        case ("alphabet",):
            return WrongJSON("alphabet: it must be a text, one of those that GET /alphabets/ lists.")
        case ("boxes", *inside):
            return _wrong_boxes(kind, tuple(inside))
    return _no_object(model)


def _wrong_boxes(kind: str, place: tuple[Any, ...]) -> WrongBoxes:
    if place:
        return WrongBoxes(f"number {place[0] + 1} is no box")
    return WrongBoxes("there are too many" if kind == "too_long" else "this is no list of boxes")


def _no_object(model: type[Picture]) -> WrongJSON:
    others = [name for name in model.model_fields if name != "image"]
    return WrongJSON(
        "The JSON body must be an object with the picture as a data URL in 'image', and nothing else but "
        f"{_listed(others)}."
    )


def _listed(names: Iterable[str]) -> str:
    *others, last = (f"'{name}'" for name in names)
    return f"{', '.join(others)} and {last}" if others else last
