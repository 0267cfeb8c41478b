"""The interactive documentation at /docs: Swagger UI, the only page that may load scripts."""

import base64
import hashlib
import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

SWAGGER_UI: Final = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.30.2/"

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url=SWAGGER_UI + "swagger-ui-bundle.js",
        swagger_css_url=SWAGGER_UI + "swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body))
    return page


def _policy(page: bytes) -> str:
    """Its own scripts by their hashes, Swagger UI's from where it comes, and nothing else."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts)
    return (
        "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; img-src 'self' data:; "
        f"style-src {SWAGGER_UI} 'unsafe-inline'; script-src {SWAGGER_UI} {hashes}"
    )
