"""What a browser must not be talked into: other sites' requests, other names for this machine, foreign content.

It does not ask who is calling; `app.api.auth` does. There is no CORS: no other origin is ever allowed.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Protection:
    """The outermost layer. `host` is where the server listens."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._loopback_only = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if self._loopback_only and not _names_loopback(headers):
            refusal = problem(421, "This server listens on loopback and answers to no other name.")
            await refusal(scope, receive, send_protected)
        elif scope["method"] not in SAFE and not _same_origin(headers):
            other = headers.get("origin", "")[:200] or "unnamed"
            refusal = problem(403, f"Another site ({other}) may not change anything here.")
            await refusal(scope, receive, send_protected)
        else:
            await self._app(scope, receive, send_protected)


def is_loopback(host: str) -> bool:
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def behind_tls(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy in front."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return request.url.scheme == "https" or forwarded == "https"


def _names_loopback(headers: Headers) -> bool:
    hosts = headers.getlist("host")
    return len(hosts) == 1 and is_loopback(_split(hosts[0], "http")[0])


def _same_origin(headers: Headers) -> bool:
    """The Origin of the very host that was asked, or none (no browser), and no browser says otherwise."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    scheme = origin.partition("://")[0].lower()
    if scheme not in {"http", "https"}:
        return False
    asked = _split(headers.get("host", ""), scheme)
    return asked[0] != "" and _split(origin.partition("://")[2], scheme) == asked


def _split(authority: str, scheme: str) -> tuple[str, int]:
    """Name in lower case and port; an empty name for what is none."""
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port or (443 if scheme == "https" else 80)
    except ValueError:
        return "", 0
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return "", 0
    return (parts.hostname or "").lower(), port
