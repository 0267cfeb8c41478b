"""Headers that keep browsers from doing more with an answer than they should."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSED = "default-src 'none'; frame-ancestors 'none'"

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class SecurityHeaders:
    """A response's own Content-Security-Policy stays; all others get the closed one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                headers += HEADERS
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", CLOSED.encode()))
            await send(message)

        await self._app(scope, receive, send_with_headers)
