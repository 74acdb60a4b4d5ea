"""Serve the dashboard's built files, and its index for every URL of a page.

It knows no data: the page asks the API. A missing file under /assets or /api is a 404, never the index.
"""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

import static

DIST = Path(static.__file__).parent / "dist"
IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache"
# First parts of paths that are never a page.
NO_PAGES = frozenset({"api", "assets", "healthz", "readyz", "metrics"})

_MISSING = """<!doctype html>
<html lang="en">
<title>syncworker</title>
<h1>The dashboard is not built</h1>
<p>The API is here and works. To build the dashboard, run <code>make dashboard</code> in the checkout (it needs
Node.js), then load this page again.</p>
<p>Without it, <code>syncworker status</code> shows the same on a terminal, and
<a href="/api/status">/api/status</a> as JSON.</p>
</html>
"""


class Dashboard:
    """An ASGI application over `folder`, which may be built while we run."""

    def __init__(self, folder: Path = DIST) -> None:
        self._folder = folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.url.path.strip("/")
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(404 if path.partition("/")[0] in NO_PAGES else 405, headers={"Allow": "GET, HEAD"})
        response = await run_in_threadpool(self._find, path)
        # Files are small and sent whole: what parses ranges has had its holes (CVE-2025-62727).
        whole = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        await response(whole, receive, send)

    def _find(self, path: str) -> Response:
        file = self._file(path)
        if file is not None:
            caching = IMMUTABLE if path.startswith("assets/") else FRESH
            return FileResponse(file, headers={"Cache-Control": caching})
        if path.partition("/")[0] in NO_PAGES or "." in path:  # no page's URL has a dot
            raise HTTPException(404)
        index = self._folder / "index.html"
        if not index.is_file():
            return HTMLResponse(_MISSING, headers={"Cache-Control": "no-store"})
        return FileResponse(index, headers={"Cache-Control": FRESH})

    def _file(self, path: str) -> Path | None:
        """The file of that name inside the folder; None for anything else, hidden files too."""
        parts = path.split("/")
        if "\0" in path or path == "index.html" or any(part == "" or part.startswith(".") for part in parts):
            return None
        file = self._folder.joinpath(*parts).resolve()
        return file if file.is_relative_to(self._folder) and file.is_file() else None
