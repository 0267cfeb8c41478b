"""Pictures as they were sent, for the browser to show.

It decodes and shrinks them itself: here one file of a few kilobytes might take hundreds of megabytes.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from streamlit import runtime

_SHOWN: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
"""What browsers show, by how a file begins; WebP is told by its ninth byte."""


@dataclass(frozen=True)
class Picture:
    name: str
    data: bytes


def address_of(data: bytes) -> str:
    """Where the visitor's browser gets a file for as long as the page shows it; empty for what it would not show."""
    kind = _kind(data)
    if not kind or not runtime.exists():
        return ""
    return runtime.get_instance().media_file_mgr.add(data, kind, coordinates=sha256(data).hexdigest())


def _kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in _SHOWN.items() if data.startswith(begin)), None)
