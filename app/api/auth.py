"""Who is asking: a program with a bearer token, a person with a session, or nobody; and whether they may.

The guard stands before everything: 401 for nobody, 403 for who may too little, both before anything says what is there.
Where no credentials are set (in development on loopback, or with AUTH=none) everybody is `anyone` and may all.
A session's cookie is bound to the password of its time: a new password ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from app.api.context import Context, Settings
from app.api.operation import Answer, Ask, dump, in_thread
from app.api.password import Password
from app.api.problems import Refused, answer, problem
from app.api.protection import behind_tls
from app.api.questions import Login
from app.api.wire import Session
from worker.access import ANYONE, How, Scope, Who
from worker.errors import SyncworkerError

COOKIE = "syncworker_session"
ACCOUNT = "admin"
ADMIN = Who(name=ACCOUNT, scope=Scope.ADMIN, how=How.SESSION)
AUTH_TOKEN = Who(name="AUTH_TOKEN", scope=Scope.ADMIN, how=How.TOKEN)

Needed = Callable[[str, str], Scope | None]


class Guard:
    """Answers 401 or 403 to whoever may not; else notes in the scope who it is. `needed` is `Rights.needed`."""

    def __init__(self, app: ASGIApp, context: Context, needed: Needed, door: Door) -> None:
        self._app = app
        self._context = context
        self._needed = needed
        self._door = door

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # there are none; what is not checked here must not get through
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            refusal = await self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Connection) -> Response | None:
        """Note who it is; or the answer to who may not enter."""
        request = Request(scope)
        who = ANYONE
        needed = self._needed(scope["method"], scope["path"])
        if self._door.guarded and needed is not None:
            try:
                found = await self._who(request)
            except SyncworkerError as error:
                return answer(request, error)
            if found is None:
                return problem(401, "Send a bearer token, or log in.", headers={"WWW-Authenticate": "Bearer"})
            who = found
            scope["again"] = partial(self._who, request)
            if not who.scope.covers(needed):
                return problem(403, f"This needs the scope {needed}; {who.name} has {who.scope}.")
        scope["who"] = replace(who, address=self._door.address(request), request=scope.get("request_id"))
        return None

    async def _who(self, request: Request) -> Who | None:
        """A bearer token speaks for itself, right or wrong; a cookie is looked at only without one."""
        headers = request.headers.getlist("authorization")
        if any(header.partition(" ")[0].lower() == "bearer" for header in headers):
            token = headers[0].partition(" ")[2].strip()
            if len(headers) > 1:
                return None
            if _same(token, self._context.settings.auth_token):
                return AUTH_TOKEN
            return await in_thread(self._context.store.tokens.who, token)
        cookie = request.cookies.get(COOKIE)
        if not cookie or await in_thread(self._context.store.sessions.who, self._door.sealed(cookie)) is None:
            return None
        return ADMIN


class Door:
    """What of the settings decides on entry; one a process, and the only one that keeps the password's hash."""

    def __init__(self, settings: Settings) -> None:
        given = settings.admin_password or settings.auth_token
        self.guarded = given is not None
        # Nobody can log in where nothing is set, and nobody needs to.
        self.password = Password(given) if given else None
        self._proxies = [ipaddress.ip_network(one) for one in settings.trusted_proxies]

    def sealed(self, session: str) -> str:
        """What is stored of a session's id: of no use without the password that it began with."""
        key = self.password.session_key if self.password else b""
        return hmac.new(key, session.encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    def address(self, request: Request) -> str:
        """Where the request came from: what a proxy says of it counts only where TRUSTED_PROXIES names that proxy."""
        peer = request.client.host if request.client else "unknown"
        hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
        while hops and self._trusted(peer):
            try:
                peer = str(ipaddress.ip_address(hops.pop()))
            except ValueError:
                break
        return peer

    def _trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)


def login(ask: Ask[Any, Login]) -> Answer | Response:
    """Begin a session with ADMIN_PASSWORD (where none is set, with AUTH_TOKEN)."""
    door: Door = ask.request.app.state.door
    if door.password is None:
        ask.note(subject=f"accounts/{ANYONE.name}")
        return Answer(shape=_session(ANYONE))
    logins, audit = ask.context.store.logins, ask.context.store.audit
    known = ask.body.user in (None, ACCOUNT)
    names = (f"account/{ACCOUNT if known else 'unknown'}", f"address/{_neighbourhood(ask.who.address or '')}")
    for name in names:
        wait = logins.begin(name)
        if wait:
            raise Refused(429, f"Too many failed logins; try again in {wait} s.", headers={"Retry-After": str(wait)})
    # An unknown account takes the same way, so that the time tells nothing.
    if not (door.password.right(ask.body.password) and known):
        nobody = replace(ask.who, name=ACCOUNT if known else "unknown", scope=Scope.READ)
        audit.record(nobody, "login.failed", f"accounts/{nobody.name}")
        raise Refused(401, "That is not the password.")
    for name in names:
        logins.forgive(name)
    _end(ask, door)  # whoever planted that cookie, or left it on a shared machine, has it no longer
    session = secrets.token_urlsafe(32)
    ask.context.store.sessions.begin(door.sealed(session), ACCOUNT)
    ask.noted.who = replace(ADMIN, address=ask.who.address, request=ask.who.request)
    ask.note(subject=f"accounts/{ACCOUNT}")
    response = Response(dump(_session(ADMIN)), media_type="application/json")
    response.set_cookie(COOKIE, session, httponly=True, samesite="lax", secure=behind_tls(ask.request), path="/")
    return response


def logout(ask: Ask[Any, Any]) -> Response:
    """End the session."""
    _end(ask, ask.request.app.state.door)
    ask.note(subject=f"accounts/{ask.who.name}")
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=behind_tls(ask.request), path="/")
    return response


def session(ask: Ask[Any, None]) -> Session:
    """Who you are here, and what you may."""
    return _session(ask.who)


def _session(who: Who) -> Session:
    return Session(who=who.name, scope=who.scope, how=who.how)


def _end(ask: Ask[Any, Any], door: Door) -> None:
    cookie = ask.request.cookies.get(COOKIE)
    if cookie:
        ask.context.store.sessions.end(door.sealed(cookie))


def _neighbourhood(address: str) -> str:
    """What one attacker is sure to have: an IPv4 address, or a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _same(given: str, wanted: str | None) -> bool:
    """In constant time, whatever the lengths."""
    digests = (hashlib.sha256((text or "").encode("utf-8", "surrogatepass")).digest() for text in (given, wanted))
    return hmac.compare_digest(*digests) and bool(wanted)
