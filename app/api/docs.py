"""The interactive documentation at /docs: Swagger UI, the only page that may load scripts."""

import base64
import hashlib
import re
from importlib import metadata
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse

PACKAGE: Final = metadata.distribution("fastapi-standalone-docs")
"""Has Swagger UI's files, as they are in the npm registry, and its licence. Nothing of its own code runs here."""

FILES: Final = Path(str(PACKAGE.locate_file("fastapi_standalone_docs/static/swagger")))
SCRIPT, STYLE = "swagger-ui-bundle.js", "swagger-ui.css"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page."""
    template = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url=f"/docs/{SCRIPT}",
        swagger_css_url=f"/docs/{STYLE}",
        swagger_favicon_url="data:,",
    )
    page = bytes(template.body).decode()
    return HTMLResponse(page, headers={"Content-Security-Policy": _policy(page)})


@router.get(f"/docs/{SCRIPT}")
@router.get(f"/docs/{STYLE}")
async def file(request: Request) -> FileResponse:
    """What the page loads."""
    return FileResponse(FILES / request.url.path.rpartition("/")[2])


def _policy(page: str) -> str:
    """Files of this server, the page's own scripts by their hashes, and nothing else."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:; "
        f"style-src 'self' 'unsafe-inline'; script-src 'self' {hashes}"
    )
