"""Serve the page, `python -m app.ui`, in this very process."""

from pathlib import Path

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from app import settings
from app.api.memory import return_large_blocks
from app.health import PAGE_PATH
from app.leaving import Leaving
from app.listening import bound, shared
from app.settings import Settings
from app.ui import fonts, server, sign_in
from app.ui.assets import Assets
from app.ui.document import Document
from app.ui.downloads import Downloads
from app.ui.headers import SecurityHeaders
from app.ui.paths import UsedPaths
from app.ui.uploads import UploadLimits
from app.ui.visitors import Visitors

PAGE = Path(__file__).with_name("page.py")


def page(config: Settings) -> st.App:
    return st.App(
        PAGE,
        secrets=sign_in.secrets(),
        routes=[fonts.ROUTE],
        middleware=[
            Middleware(Visitors, trusted_proxies=config.trusted_proxies),
            Middleware(Leaving, health_path=PAGE_PATH),
            Middleware(SecurityHeaders),
            Middleware(UsedPaths),
            Middleware(Document),
            Middleware(Assets),
            Middleware(UploadLimits),
            Middleware(Downloads),
        ],
    )


def main() -> None:
    known = settings.load()
    return_large_blocks()
    app = page(known)
    bootstrap.load_config_options(
        {"server.address": known.ui_host, "server.port": known.ui_port, "logger.level": known.log_level}
    )
    with bound("The page", known.ui_host, known.ui_port) as listener:
        listener.listen(server.BACKLOG)
        host = "localhost" if known.ui_host in ("0.0.0.0", "::", "127.0.0.1") else known.ui_host  # noqa: S104
        print(f"Open http://{host}:{known.ui_port}", flush=True)
        uvicorn.Server(server.configuration(app, known)).run(sockets=shared(listener))


if __name__ == "__main__":
    main()
