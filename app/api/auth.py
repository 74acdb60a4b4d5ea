"""Who is asking: a program with a bearer token, a person with a session, or nobody.

Deny by default: where credentials are set, every path is closed that is not named open here or a file of the page.
A session's cookie is bound to the password of its time: a new password ends all sessions. It knows no roles.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.context import Context, Settings
from app.api.operation import Answer, Ask, dump, in_thread
from app.api.problems import Refused, answer, problem
from app.api.protection import behind_tls
from app.api.questions import Login
from app.api.wire import Session
from worker import clock
from worker.errors import SyncworkerError

COOKIE = "syncworker_session"
# First parts of the paths that are neither health nor files of the page.
CLOSED = frozenset({"api", "metrics"})
OPEN = frozenset({("POST", "/api/login")})
ATTEMPTS, WINDOW = 5, 60.0
MOST_ADDRESSES = 10_000


class Guard:
    """Answers 401 to whoever may not enter; else notes in the scope who it is."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_closed(scope["method"], scope["path"]) and is_set(self._context.settings):
            request = Request(scope)
            try:
                scope["who"] = await self._who(request)
            except SyncworkerError as error:
                await answer(request, error)(scope, receive, send)
                return
            if scope["who"] is None:
                refusal = problem(401, "Send a bearer token, or log in.", headers={"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _who(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(token.strip(), self._context.settings.auth_token):
            return "token"
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            return None
        return await in_thread(self._context.store.sessions.who, _sealed(cookie, self._context.settings))


class Limit:
    """At most `ATTEMPTS` failures an address within `WINDOW` seconds."""

    def __init__(self) -> None:
        self._failed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, address: str) -> None:
        """Count an attempt as failed until it is forgiven. Raises Refused 429."""
        now = clock.monotonic()
        with self._lock:
            recent = self._failed.pop(address, deque())
            while recent and recent[0] <= now - WINDOW:
                recent.popleft()
            self._failed[address] = recent
            if len(recent) >= ATTEMPTS:
                wait = int(recent[0] + WINDOW - now) + 1
                detail = f"Too many failed logins from {address}; try again in {wait} s."
                raise Refused(429, detail, headers={"Retry-After": str(wait)})
            recent.append(now)
            while len(self._failed) > MOST_ADDRESSES:
                del self._failed[next(iter(self._failed))]

    def forgive(self, address: str) -> None:
        with self._lock:
            self._failed.pop(address, None)


def login(ask: Ask[Any, Login]) -> Answer | Response:
    """Begin a session with ADMIN_PASSWORD (where none is set, with AUTH_TOKEN)."""
    settings = ask.context.settings
    if not is_set(settings):
        return Answer(shape=Session(who="anyone"))
    address = ask.request.client.host if ask.request.client else "unknown"
    limit: Limit = ask.request.app.state.login_limit
    limit.begin(address)
    if not _same(ask.body.password, settings.admin_password or settings.auth_token):
        raise Refused(401, "That is not the password.")
    limit.forgive(address)
    session = secrets.token_urlsafe(32)
    ask.context.store.sessions.begin(_sealed(session, settings), "admin")
    response = Response(dump(Session(who="admin")), media_type="application/json")
    response.set_cookie(COOKIE, session, httponly=True, samesite="lax", secure=behind_tls(ask.request), path="/")
    response.headers["Cache-Control"] = "no-store"
    return response


def logout(ask: Ask[Any, Any]) -> Response:
    """End the session."""
    cookie = ask.request.cookies.get(COOKIE)
    if cookie:
        ask.context.store.sessions.end(_sealed(cookie, ask.context.settings))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", path="/")
    return response


def is_set(settings: Settings) -> bool:
    return bool(settings.auth_token or settings.admin_password)


def is_closed(method: str, path: str) -> bool:
    """Whether this needs credentials."""
    return (method, path) not in OPEN and next((part for part in path.split("/") if part), "") in CLOSED


def _same(given: str, wanted: str | None) -> bool:
    """In constant time, whatever the lengths."""
    digests = (hashlib.sha256((text or "").encode("utf-8", "surrogatepass")).digest() for text in (given, wanted))
    return hmac.compare_digest(*digests) and bool(wanted)


def _sealed(session: str, settings: Settings) -> str:
    """What is stored of a session's id; another password makes another hash."""
    key = settings.admin_password or settings.auth_token or ""
    return hmac.new(key.encode(), session.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
