"""Chinese characters for browsers and pictures without a font that has them: a part of Noto Sans CJK, `han.otf`.

It holds what labels and texts are written with, and is made by `make font`; its licence, OFL.txt, lies beside it.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILE: Final = Path(__file__).with_name("han.otf")

FAMILY: Final = "Noto Sans CJK SC"

RANGES: Final = ((0x2E80, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))
"""Radicals and punctuation, two blocks of characters, and wide forms. Who reads none of these fetches no font."""

_PATH: Final = f"/fonts/{sha256(FILE.read_bytes()).hexdigest()[:16]}.otf"
"""Changes with the content, so that a browser may keep it for good."""

FACE: Final = (
    f'@font-face {{ font-family: "{FAMILY}"; font-display: swap; src: url("{_PATH}") format("opentype"); '
    f"unicode-range: {', '.join(f'U+{first:X}-{last:X}' for first, last in RANGES)}; }}\n"
)
"""The rule that makes it known to a browser."""


async def _font(_: Request) -> Response:
    return FileResponse(FILE, media_type="font/otf", headers={"Cache-Control": "public, max-age=31536000, immutable"})


ROUTE: Final = Route(_PATH, _font)
