"""What a first visit needs of Streamlit's scripts: asked for at once instead of one after the other, and compressed.

Streamlit sends them as they are, 2.3 MB where 0.6 do, since it would compress them again for every visit.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

ENTRY: Final = "index.html"

LATER: Final = ("BidiComponent", "Html")
"""What shows the pad and HTML; Streamlit asks for these only when the page's script has run."""

_KINDS: Final = {".js": "text/javascript", ".css": "text/css"}

_HEADERS: Final = {
    "Cache-Control": "public, immutable, max-age=31536000",
    "Content-Encoding": "gzip",
    "Vary": "Accept-Encoding",
}
"""The first as Streamlit has it: the files' names change with their content."""


class Assets:
    """Sends them to who takes them compressed, which is done once for all visits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["method"] == "GET" and takes_gzip(scope):
            file = scope["path"].removeprefix("/")
            if file in first() or file in later():
                body = await run_in_threadpool(_compressed, file)
                app = Response(body, headers=_HEADERS, media_type=_KINDS[Path(file).suffix])
        await app(scope, receive, send)


def takes_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("Accept-Encoding", "")


@cache
def _compressed(file: str) -> bytes:
    return gzip.compress((_folder() / file).read_bytes())


def preloads() -> str:
    """HTML that has a browser ask for what Streamlit's own does not tell it of."""
    return "".join(f'<link rel="modulepreload" crossorigin href="./{file}">' for file in sorted(later() - first()))


@cache
def first() -> frozenset[str]:
    """What Streamlit's HTML tells a browser to load."""
    return frozenset(_files(_manifest(), ENTRY))


@cache
def later() -> frozenset[str]:
    manifest = _manifest()
    chunks = [chunk for chunk, known in manifest.items() if known.get("isDynamicEntry") and known["name"] in LATER]
    return frozenset(file for chunk in chunks for file in _files(manifest, chunk))


def _files(manifest: dict[str, Any], chunk: str) -> set[str]:
    """A chunk's own and those of all that it imports, by Vite's manifest."""
    files, waiting, seen = set[str](), [chunk], set[str]()
    while waiting:
        known = manifest[one := waiting.pop()]
        seen.add(one)
        files |= {known["file"], *known.get("css", ())}
        waiting += set(known.get("imports", ())) - seen
    return files


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((_folder() / "manifest.json").read_text())
    return manifest


def _folder() -> Path:
    return Path(file_util.get_static_dir())
