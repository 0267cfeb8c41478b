"""One picture with what is known of it."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

NOT_A_CHARACTER: Final = ""
"""The label of a picture with no character on it."""

MOST_BYTES: Final = 4_000_000
"""Of a picture that is kept; a drawing has a few thousand, a photo may be sent as it was taken."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

_SIGNATURES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"RIFF", "image/webp"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    id: str
    """1 to 64 letters, digits, hyphens and underscores."""
    picture: bytes
    """The file, as it was sent."""
    alphabet: str
    label: str | None = None
    """What it really is; `NOT_A_CHARACTER`; None where nobody has said."""
    reviewed: bool = False
    """Whether an admin has given the label, or confirmed it."""
    answer: str | None = None
    """What the model said."""
    confidence: float | None = None
    """How sure it was, 0 to 1."""
    model: str | None = None
    """The model's version."""
    source: str = "api"
    """Where it comes from, such as canvas, upload, camera or number."""
    visitor: str | None = None
    """`hashed` token of who drew it."""
    time: datetime
    """When it was taken, in UTC."""


def hashed(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal: of a visitor's token, which is kept nowhere, and of what was deleted."""
    return hashlib.sha256(text.encode()).hexdigest()


def new_id() -> str:
    return secrets.token_hex(16)


def now() -> datetime:
    return datetime.now(UTC)


def media_type(picture: bytes) -> str:
    """By a file's first bytes, of the formats that are read."""
    return next((kind for start, kind in _SIGNATURES if picture.startswith(start)), "image/avif")
