"""An id for every request: in its response, in what it logs, in its problem and in the audit.

A caller's own `X-Request-Id` is kept where it is harmless to write down; it proves nothing about the caller.
"""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.log_fields import bind, bound

HEADER = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9-]{1,64}")


class RequestId:
    """The outermost layer: notes the id in the scope and in the context."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist(HEADER)
        request_id = given[0] if len(given) == 1 and _SANE.fullmatch(given[0]) else secrets.token_hex(8)
        scope["request_id"] = request_id

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with bind(request=request_id):
            await self._app(scope, receive, send_named)


def request_id() -> str | None:
    """The id of the request that is being answered here."""
    found = bound().get("request")
    return found if isinstance(found, str) else None
