"""The files of one field of a multipart/form-data body, and the short texts of others.

Starlette's own form parser would cost little more: 44 microseconds instead of 29 for a picture of 5 KB, 13 milliseconds
instead of 9 for one of 9 MB. But to it a form that was cut off is whole, and too many files, a missing boundary and a
broken form differ only in the words of its message; and other files count towards the limit of those asked for.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.api.errors import BrokenForm, MissingBoundary, MissingFile, TooManyFields, TooManyFiles, UnfinishedForm

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_OTHER_FIELDS: Final = 16
"""Fields besides the files; a form with more was not made for this API."""

MAX_BOUNDARIES: Final = 4096
"""A boundary is chosen so that nothing in a file looks like it; what does costs a microsecond each time."""


class Form(NamedTuple):
    files: list[bytes]
    texts: dict[str, list[str]]


def read(body: bytes, content_type: str, *, files: str, limit: int, texts: Mapping[str, int]) -> Form:
    """The contents of all files in the field `files`, and by field, of all texts in the fields `texts`, the beginnings,
    of as many bytes as these say, in order.

    A part without a file name is no file. What is no UTF-8 in a text is replaced by U+FFFD, as in a query.

    Raises:
        BrokenForm, MissingBoundary, MissingFile
        UnfinishedForm: the form was cut off.
        TooManyFiles: there are more than `limit`.
        TooManyFields: there are more than `MAX_OTHER_FIELDS` others.
    """
    form = _Form(files.encode(), limit, {name.encode(): room for name, room in texts.items()})
    try:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise MissingBoundary
        if body.count(b"\r\n--" + boundary) > MAX_BOUNDARIES:
            raise BrokenForm
        parser = MultipartParser(boundary, form.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise BrokenForm from None
    if not form.complete:
        raise UnfinishedForm
    if not form.files:
        raise MissingFile(files)
    return Form(
        form.files,
        {name.decode(): [text.decode("utf-8", "replace") for text in found] for name, found in form.texts.items()},
    )


class _Form:
    """Takes the parser's callbacks and keeps what was sent for the fields that are asked for."""

    def __init__(self, files_field: bytes, limit: int, rooms: Mapping[bytes, int]) -> None:
        self.files: list[bytes] = []
        self.texts: dict[bytes, list[bytes]] = {name: [] for name in rooms}
        self.complete = False
        self._files_field = files_field
        self._limit = limit
        self._rooms = rooms
        self._others = 0
        self._header = b""
        self._disposition = b""
        self._kept: list[bytes] | None = None
        self._content: list[bytes] = []
        self._room = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._disposition = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = data[start:end].lower()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        if self._header == b"content-disposition":
            self._disposition = data[start:end]

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"")
        self._content = []
        if name == self._files_field and b"filename" in options:
            if len(self.files) == self._limit:
                raise TooManyFiles(self._limit)
            self._kept, self._room = self.files, sys.maxsize
            return
        self._others += 1
        if self._others > MAX_OTHER_FIELDS:
            raise TooManyFields(MAX_OTHER_FIELDS)
        self._kept, self._room = (self.texts[name], self._rooms[name]) if name in self._rooms else (None, 0)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._room:
            piece = data[start : min(end, start + self._room)]
            self._room -= len(piece)
            self._content.append(piece)

    def _part_end(self) -> None:
        if self._kept is not None:
            self._kept.append(b"".join(self._content))

    def _end(self) -> None:
        self.complete = True
