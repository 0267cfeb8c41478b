"""What of Streamlit's own addresses the page needs; the rest is nobody's business."""

from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

STREAMLIT: Final = ("/_stcore", "/component")
"""Where Streamlit has its own: also figures of all sessions, an API for agents, files of components."""

UPLOADS: Final = "/_stcore/upload_file/"

BOXES: Final = "/_stcore/bidi-components/streamlit-drawable-canvas."
"""The script and the style of the canvas for corrections; the page's own components send theirs with the page."""

USED: Final = ("/_stcore/health", "/_stcore/host-config", "/_stcore/stream", UPLOADS, BOXES)


class UsedPaths:
    """Answers 404 to all that begins with `STREAMLIT`, but to what begins with `USED`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        unused = scope["type"] == "http" and scope["path"].startswith(STREAMLIT) and not scope["path"].startswith(USED)
        await (PlainTextResponse("Not Found", 404) if unused else self._app)(scope, receive, send)
