"""What a browser must not be talked into: other sites' requests, other names for this machine, foreign content.

It does not ask who is calling; `app.api.auth` does. There is no CORS: no other origin is ever allowed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import answer, problem

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
    # What has another word on this says so itself: the files of the page, and the stream of events.
    "Cache-Control": "no-store",
}


class Protection:
    """Around all that answers, its failures too. `host` is where the server listens, `allowed` are further names."""

    def __init__(self, app: ASGIApp, host: str, allowed: Sequence[str] = ()) -> None:
        self._app = app
        self._names = Names(host, allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_protected(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if not self._names.answer_to(headers.getlist("host")):
            refusal = problem(421, "This server answers to no such name; ALLOWED_HOSTS may name more.")
            await refusal(scope, receive, send_protected)
            return
        if scope["method"] not in SAFE and not _same_origin(headers):
            other = headers.get("origin", "")[:200] or "unnamed"
            refusal = problem(403, f"Another site ({other}) may not change anything here.")
            await refusal(scope, receive, send_protected)
            return
        try:
            await self._app(scope, receive, send_protected)
        except Exception as error:
            if begun:  # nothing can be taken back; the server breaks the response off
                raise
            await answer(Request(scope), error)(scope, receive, send_protected)


class Names:
    """What this server may be called in `Host`: the guard against names that were made to point at this machine.

    On loopback: loopback names and those allowed. Elsewhere: any, or where some are allowed, those, loopback's and
    plain addresses; a page of another site has a name, and never an address of ours.
    """

    def __init__(self, host: str, allowed: Sequence[str]) -> None:
        self._any = not is_loopback(host) and not allowed
        self._addresses = not is_loopback(host)
        self._exact = frozenset(name for name in allowed if not name.startswith("*."))
        self._ends = tuple(name[1:] for name in allowed if name.startswith("*."))

    def answer_to(self, hosts: Sequence[str]) -> bool:
        """Whether the request's Host headers are one, and one of ours."""
        if len(hosts) != 1:
            return False
        name = _split(hosts[0], "http")[0].removesuffix(".")
        if not name:
            return False
        return (
            self._any
            or is_loopback(name)
            or name in self._exact
            or name.endswith(self._ends or ("\0",))
            or (self._addresses and _is_address(name))
        )


def is_loopback(host: str) -> bool:
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def behind_tls(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy in front.

    Anybody may claim it: all that follows is that his own cookie is sent over TLS alone.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return request.url.scheme == "https" or forwarded == "https"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(headers: Headers) -> bool:
    """The Origin of the very host that was asked, or none (no browser), and no browser says otherwise."""
    if any(site not in {"none", "same-origin"} for site in headers.getlist("sec-fetch-site")):
        return False
    origins = headers.getlist("origin")
    if not origins:
        return True
    scheme, _, authority = origins[0].partition("://")
    if len(origins) > 1 or scheme.lower() not in {"http", "https"}:
        return False
    asked = _split(headers.get("host", ""), scheme.lower())
    return asked[0] != "" and _split(authority, scheme.lower()) == asked


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
