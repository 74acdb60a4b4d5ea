"""Who may what: a table of routes and scopes made from ROUTES, and every way around it that we could think of."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.api.operation import Operation
from app.api.rights import Rights
from app.routes import ROUTES
from tests.app.api.conftest import MakeClient
from tests.app.api.raw import HOST, ask
from worker.access import Scope
from worker.store import Store

TOKEN = "a-token-of-the-tests"
CLOSED = [operation for operation in ROUTES if operation.needs is not None]
NEAR_MISSES = (
    *("/api", "/api/", "//api/jobs", "///api", "/api//jobs", "/api/jobs/", "/api/./jobs", "/api/../api/jobs"),
    *("/api/jobs;x=1", "/api/jobs/x/run/", "/api/nothing", "/api/\x00", "/api/jobs/%2e%2e/tokens", "//metrics"),
    *("/metrics/", "/api/login/", "/api/tokens/a/b"),
)


def path_of(operation: Operation) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "x", operation.path)


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def bearer(token: str) -> list[tuple[str, str]]:
    return [HOST, ("authorization", f"Bearer {token}"), ("if-match", "*")]


@pytest.fixture
def app(make_client: MakeClient) -> Any:
    return make_client(auth_token=TOKEN).app


@pytest.fixture
def tokens(app: Any, store: Store) -> dict[Scope, str]:
    return {scope: store.tokens.create(str(scope), scope, None, "the tests")[1] for scope in Scope}


def test_every_route_and_every_scope(app: Any, tokens: dict[Scope, str]) -> None:
    wrong = []
    for operation in CLOSED:
        assert operation.needs is not None
        for scope, token in tokens.items():
            status = ask(app, operation.method, path_of(operation), bearer(token)).status
            allowed = scope.covers(operation.needs)
            if status == 401 or (status == 403) is allowed:
                wrong.append(f"{name_of(operation)} needs {operation.needs}, answers {status} to {scope}")
    assert wrong == []


def test_auth_token_and_a_session_may_all(make_client: MakeClient) -> None:
    client = make_client(auth_token=TOKEN, admin_password="correct horse")
    client.post("/api/login", json={"password": "correct horse"})
    session = [HOST, ("cookie", f"syncworker_session={client.cookies['syncworker_session']}"), ("if-match", "*")]
    for operation in sorted(CLOSED, key=lambda one: one.path == "/api/logout"):  # which ends the session
        for headers in (bearer(TOKEN), session):
            assert ask(client.app, operation.method, path_of(operation), headers).status not in (401, 403), operation


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "X"]
)
def test_nobody_gets_further_than_the_door(app: Any, method: str) -> None:
    for path in {*map(path_of, CLOSED), *NEAR_MISSES}:
        answer = ask(app, method, path)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"


def test_what_is_not_served_needs_the_least_to_look_and_the_most_to_change(app: Any, tokens: dict[Scope, str]) -> None:
    for path in NEAR_MISSES:
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
            assert ask(app, method, path, bearer(tokens[Scope.OPERATE])).status == 403, (method, path)
        assert ask(app, "GET", path, bearer(tokens[Scope.READ])).status in (404, 405), path


@pytest.mark.parametrize(
    "path", ["/API/jobs", "/Api/tokens", "/%2fapi/jobs", "/api%2fjobs", "/.%2e/api/jobs", "/ api/jobs"]
)
def test_what_only_looks_like_the_api_leads_to_no_handler(app: Any, path: str) -> None:
    """Those are paths of the page, or nothing: no spelling reaches a route past the door."""
    assert ask(app, "GET", path).status in (200, 401, 404)
    assert ask(app, "POST", path).status in (401, 404, 405)
    assert ask(app, "GET", path).headers["content-type"].startswith(("text/html", "application/problem+json"))


def test_only_health_and_login_are_open() -> None:
    assert {name_of(one) for one in ROUTES if one.needs is None} == {"GET /healthz", "GET /readyz", "POST /api/login"}


def test_a_route_whose_right_was_forgotten_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="needs"):
        Operation(method="GET", path="/api/new", handler=lambda _: Response())  # type: ignore[call-arg]


def test_what_changes_something_needs_more_than_to_read() -> None:
    lax = [one for one in ROUTES if one.audited and one.needs is Scope.READ]
    assert [name_of(one) for one in lax] == ["POST /api/logout"]


def test_scopes_are_what_the_documentation_says() -> None:
    """The contract's own words; a change here is a change of the outside."""
    needs = {name_of(one): one.needs for one in ROUTES}
    read = ("status", "jobs", "runs", "runs/{id}/logs", "events", "connectors", "connections", "openapi.json")
    assert {needs[f"GET /api/{path}"] for path in read} | {needs["GET /metrics"]} == {Scope.READ}
    operate = ("jobs/{id}/run", "jobs/{id}/enable", "jobs/{id}/disable", "connections/{id}/test")
    deeds = ("cancel", "retry", "approve", "discard")
    asked = [f"POST /api/{path}" for path in (*operate, *(f"runs/{{id}}/{deed}" for deed in deeds))]
    asked.append("GET /api/connections/{id}/streams/{name:path}/preview")
    assert {needs[path] for path in asked} == {Scope.OPERATE}
    admin = [
        f"{method} /api/{noun}/{{id}}" for method in ("PUT", "PATCH", "DELETE") for noun in ("jobs", "connections")
    ]
    admin += [
        "POST /api/jobs",
        "POST /api/connections",
        "POST /api/tokens",
        "GET /api/tokens",
        "DELETE /api/tokens/{id}",
    ]
    assert {needs[path] for path in admin} == {Scope.ADMIN}


def test_head_needs_what_get_needs_and_a_foreign_method_more() -> None:
    rights = Rights(ROUTES)
    assert rights.needed("HEAD", "/api/connections/x/streams") is Scope.OPERATE
    assert rights.needed("TRACE", "/api/jobs") is Scope.ADMIN and rights.needed("get", "/api/jobs") is Scope.ADMIN


def test_the_refusal_says_what_is_missing(make_client: MakeClient, store: Store) -> None:
    client: TestClient = make_client(auth_token=TOKEN)
    _, token = store.tokens.create("watcher", Scope.READ, None, "the tests")
    answer = client.post("/api/jobs/none/run", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403, "before any 404"
    assert answer.json()["detail"] == "This needs the scope operate; watcher has read."


def test_there_are_no_websockets(make_client: MakeClient) -> None:
    client: TestClient = make_client(auth_token=TOKEN)
    for path in ("/api/events", "/", "/api/jobs"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect(path):
            pytest.fail("it was accepted")
