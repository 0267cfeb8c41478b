"""Serve the page, `python -m app.ui`, in this very process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from app import settings
from app.ui import sign_in
from app.ui.headers import SecurityHeaders

PAGE = Path(__file__).with_name("page.py")


@asynccontextmanager
async def announce(_: st.App) -> AsyncIterator[None]:
    known = settings.load()
    host = "localhost" if known.ui_host in ("0.0.0.0", "::", "127.0.0.1") else known.ui_host  # noqa: S104
    print(f"Open http://{host}:{known.ui_port}", flush=True)
    yield


def main() -> None:
    known = settings.load()
    app = st.App(PAGE, secrets=sign_in.secrets(), lifespan=announce, middleware=[Middleware(SecurityHeaders)])
    app.run(
        config={
            "server.address": known.ui_host,
            "server.port": known.ui_port,
            "logger.level": known.log_level,
        }
    )


if __name__ == "__main__":
    main()
