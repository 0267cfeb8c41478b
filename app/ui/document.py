"""The HTML that a visit begins with: Streamlit's, with what this page is called, its style and a first view.

Streamlit's own tells link previews "Streamlit", and is empty until its scripts have run.
"""

import gzip
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from app.ui import assets, fonts, texts
from app.ui.texts import N_

NAME: Final = N_("Digit Recognition")

ICON: Final = "✍️"

ASSETS: Final = "/static/"
"""Where Streamlit has its scripts and fonts; with names that change with their content."""


class View(NamedTuple):
    """One of the pages, in texts that are yet to be translated."""

    name: str
    heading: str
    description: str

    def title(self, language: str) -> str:
        """What a browser calls it."""
        translated = texts.catalogue(language).gettext
        return " · ".join([translated(self.name)] * (self is not DRAW) + [translated(NAME)])


DRAW: Final = View(
    N_("Draw"), N_("Draw, and lift the pen"), N_("Draw a character in the browser and see at once which one it is.")
)
NUMBER: Final = View(
    N_("Number"), N_("Write a number"), N_("Write a number in the browser and see at once which one it is.")
)
UPLOAD: Final = View(
    N_("Upload"),
    N_("Upload pictures"),
    N_("Send photos, scans or drawings of handwritten characters, get the answers."),
)
QUALITY: Final = View(
    N_("How good is it?"),
    N_("How good is it?"),
    N_("How often the recognizer is right, measured on pictures by others."),
)
HEALTH: Final = View(N_("Health"), N_("Health"), N_("Whether the recognizer is still as good as it was."))
SAMPLES: Final = View(N_("Samples"), N_("Samples"), N_("Look after the drawings that were kept."))
API: Final = View(N_("API"), N_("The API"), N_("Send a picture of a handwritten character, get the answer as JSON."))

VIEWS: Final = {
    "/number": NUMBER,
    "/upload": UPLOAD,
    "/how-good": QUALITY,
    "/health-of-model": HEALTH,
    "/api": API,
    "/review": SAMPLES,
}
"""By path; all other paths show `DRAW`."""


class Document:
    """Answers with it where Streamlit would with its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ASSETS):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_replaced(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 200 and _is_html(message):
                replaced = True
                request = HTTPConnection(scope)
                language = texts.of_visitor(request.cookies, request.headers)
                compressed = assets.takes_gzip(scope)
                html = _html(VIEWS.get(scope["path"], DRAW), language, compressed)
                encoding = {"Content-Encoding": "gzip"} if compressed else {}
                await HTMLResponse(html, headers=_HEADERS | encoding)(scope, receive, send)
            elif not replaced:
                await send(message)

        # Without these, "not modified" would be said of Streamlit's own.
        headers = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
        await self._app({**scope, "headers": headers}, receive, send_replaced)


_CONDITIONS: Final = (b"if-none-match", b"if-modified-since")
_HEADERS: Final = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding, Accept-Language, Cookie"}


def _is_html(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


@cache
def _html(view: View, language: str, compressed: bool) -> bytes:
    html = _written(view, language).encode()
    return gzip.compress(html) if compressed else html


def _written(view: View, language: str) -> str:
    """Streamlit's head, and a body that shows what is coming; the style stands last, to have the last word."""
    translated = texts.catalogue(language).gettext
    head, _, _ = (Path(file_util.get_static_dir()) / "index.html").read_text().partition("</head>")
    name, heading, description = (escape(translated(text)) for text in (NAME, view.heading, view.description))
    style, *scripts = (Path(__file__).with_name(file).read_text() for file in ("style.css", *_SCRIPTS))
    needed = escape(translated(N_("{name} needs JavaScript."))).format(name=name)
    return (
        head.replace(_LANGUAGE, f'<html lang="{language}">')
        .replace(_TITLE, _META.format(title=escape(view.title(language)), description=description, name=name))
        .replace(_ICON, f'<link rel="icon" href="{_drawn(ICON)}" />')
        + f"{assets.preloads()}</head><body><noscript><p>{needed}</p></noscript>"
        f'<div id="root"><div class="coming"><p class="coming-heading">{heading}</p><p>{description}</p></div></div>'
        f"<style>{fonts.FACE}{style}</style>"
        + "".join(f'<script type="module">{script}</script>' for script in scripts)
        + "</body></html>"
    )


_SCRIPTS: Final = ("intake.js", "corrections.js")
_LANGUAGE: Final = '<html lang="en">'
_TITLE: Final = "<title>Streamlit</title>"
_ICON: Final = '<link rel="shortcut icon" href="./favicon.png" />'
_META: Final = """<title>{title}</title>
    <meta name="description" content="{description}" />
    <meta property="og:title" content="{title}" />
    <meta property="og:description" content="{description}" />
    <meta property="og:type" content="website" />
    <meta property="og:site_name" content="{name}" />"""


def _drawn(emoji: str) -> str:
    """An emoji as a picture, in an address of its own."""
    return (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'%3E"
        f"%3Ctext y='.9em' font-size='90'%3E{emoji}%3C/text%3E%3C/svg%3E"
    )
