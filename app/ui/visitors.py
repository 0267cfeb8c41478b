"""Who visits the page, how many pages one may have open, and how many answers one gets."""

import asyncio
from collections import Counter
from functools import cache
from typing import Final

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import settings
from app.callers import LOCAL, caller
from app.client.errors import TooManyRequests
from app.rates import RateLimit

MOST_PAGES: Final = 256
"""Open at once, of all visitors. Each has a session of 120 KB here, and of 300 KB after many answers."""

MOST_PAGES_EACH: Final = 64
"""Open at once from one address other than this machine; a school may have only one."""

MESSAGES_PER_MINUTE: Final = 3000
"""That the pages of one address may send; a stroke is one. More are read later."""


class Visitors:
    """Puts a visitor's address, as `app.callers` understands it, in the place of the peer's, which may be a proxy's.

    A page too many is refused its websocket, without which it does nothing.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: int) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._pages: Counter[str] = Counter()
        self._messages = RateLimit(MESSAGES_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        visitor = caller(HTTPConnection(scope), self._trusted_proxies)
        scope["client"] = visitor, 0
        if scope["type"] == "http":
            await self._app(scope, receive, send)
        elif self._pages.total() >= MOST_PAGES or (visitor != LOCAL and self._pages[visitor] >= MOST_PAGES_EACH):
            await send({"type": "websocket.close"})
        else:
            self._pages[visitor] += 1

            async def paced_receive() -> Message:
                message = await receive()
                if message["type"] == "websocket.receive" and visitor != LOCAL:
                    while seconds := self._messages.take(visitor, 1):
                        await asyncio.sleep(seconds)
                return message

            try:
                await self._app(scope, paced_receive, send)
            finally:
                self._pages[visitor] -= 1
                self._pages += Counter()  # forgets whom it counts as 0


@cache
def _rate() -> RateLimit:
    return RateLimit(settings.load().rate_per_address)


def count(pictures: int) -> None:
    """Count what the running script's visitor asks for, by the API's rule. Raises TooManyRequests.

    The API itself does not: it is called from here, for all.
    """
    visitor = st.context.ip_address or LOCAL
    if visitor != LOCAL and (seconds := _rate().take(visitor, pictures)):
        raise TooManyRequests("This visitor asks for more than the page may answer.", seconds)
