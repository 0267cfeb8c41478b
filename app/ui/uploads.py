"""Bounds on what visitors upload: who may, how much of it is kept, and in which time it must arrive."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app.callers import LOCAL
from app.ui import sign_in, texts
from app.ui.paths import UPLOADS
from app.ui.texts import N_

MEGABYTE: Final = 1024 * 1024

MOST: Final = 64 * MEGABYTE
"""Files of all visitors together: they are kept in memory as long as a page shows them."""

MOST_EACH: Final = 32 * MEGABYTE
"""Files of one address other than this machine."""

MOST_RESIDENT: Final = 240_000_000
"""Bytes of memory that this process may take with one more file, whatever for."""

LEAST: Final = 64 * 1024
"""Bytes that a file counts at least: more is held of a small one than its content."""

SECONDS: Final = 120.0
"""In which a file must have arrived: 10 MB at less than a megabit a second."""

File = tuple[str, str]
"""Session and file, as they stand in an upload's path."""


class UploadLimits:
    """Refuses a file before it is read, when there is no room for it or its visitor has not signed in.

    Streamlit refuses one that is too large or belongs to no session, and forgets those that a page no longer shows.
    Files of sessions without a page, which Streamlit keeps in case it comes back, make room for those with one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving: Counter[str] = Counter()
        self._arrived: dict[File, tuple[str, int]] = {}
        """Who sent a file, and what it counts."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or not scope["path"].startswith(UPLOADS):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        length = request.headers.get("content-length", "")
        visitor, size = scope["client"][0], max(LEAST, int(length)) if length.isdecimal() else 0
        if refusal := self._refusal(request, visitor, size):
            await _refused(request, *refusal)(scope, receive, send)
            return
        self._arriving[visitor] += size
        try:
            if await self._passed_on(scope, receive, send):
                session, _, file = scope["path"].removeprefix(UPLOADS).partition("/")
                self._arrived[session, file] = visitor, size
        finally:
            self._arriving[visitor] -= size
            self._arriving += Counter()  # forgets whom it counts as 0

    def _refusal(self, request: HTTPConnection, visitor: str, size: int) -> tuple[int, str] | None:
        """Status and sentence."""
        if sign_in.provider() and not sign_in.has_signed_in(request):
            return 403, N_("Please sign in first.")
        if not size:
            return 411, N_("A file's length must be told before it.")
        if not self._has_room(visitor, size):
            self._forget_sessions_without_page()
        if not self._has_room(visitor, size):
            return 413, N_("There is no room for this file. Please remove some, or try again later.")
        return None

    def _has_room(self, visitor: str, size: int) -> bool:
        files = _manager().file_storage
        self._arrived = {key: value for key, value in self._arrived.items() if key[1] in files.get(key[0], {})}
        held = self._arriving.copy()
        for owner, counted in self._arrived.values():
            held[owner] += counted
        return (
            held.total() + size <= MOST
            and (visitor == LOCAL or held[visitor] + size <= MOST_EACH)
            and _resident() + size <= MOST_RESIDENT
        )

    def _forget_sessions_without_page(self) -> None:
        for session in {session for session, _ in self._arrived}:
            if not get_instance().is_active_session(session):
                _manager().remove_session_files(session)
                get_instance().media_file_mgr.clear_session_refs(session)
        get_instance().media_file_mgr.remove_orphaned_files()

    async def _passed_on(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the file was taken."""
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            async with asyncio.timeout(SECONDS):
                await self._app(scope, receive, watched_send)
        except TimeoutError:
            if not status:
                late = _refused(HTTPConnection(scope), 408, N_("The file took too long to arrive."))
                late.headers["Connection"] = "close"
                await late(scope, receive, send)
        return status == 204


def _refused(request: HTTPConnection, status: int, sentence: str) -> PlainTextResponse:
    language = texts.of_visitor(request.cookies, request.headers)
    return PlainTextResponse(texts.catalogue(language).gettext(sentence), status)


def _resident() -> int:
    """Bytes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _manager() -> MemoryUploadedFileManager:
    manager = get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager
