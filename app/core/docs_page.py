"""The page `/docs`: Swagger UI, whose files come from a package, so it works without the internet."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse

PAGE = "/docs"
_STORED = Path(str(files("fastapi_offline"))) / "static"
_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
_CACHED = {"Cache-Control": "public, max-age=3600"}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def show_document(app: FastAPI) -> None:
    """Adds the page and its files to `app`, which has no page of the framework's own."""
    app.add_route(PAGE, _page, include_in_schema=False)
    for name in _FILES:
        app.add_route(f"{PAGE}/{name}", _answer_with(_STORED / name), include_in_schema=False)


async def _page(request: Request) -> HTMLResponse:
    root = request.scope.get("root_path", "").rstrip("/")
    bundle, style, icon = (f"{root}{PAGE}/{name}" for name in _FILES)
    page = get_swagger_ui_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=request.app.title,
        swagger_js_url=bundle,
        swagger_css_url=style,
        swagger_favicon_url=icon,
        swagger_ui_parameters={"validatorUrl": None},  # else the page sends the document's address elsewhere
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())
    return page


def _policy(page: str) -> str:
    """Nothing is loaded from elsewhere. Of inline scripts the page's own run, known by their hashes.

    Swagger UI sets styles in attributes and shows its icons as data.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _answer_with(file: Path) -> Callable[[Request], Awaitable[FileResponse]]:
    async def answer(_: Request) -> FileResponse:
        return FileResponse(file, headers=_CACHED)

    return answer
