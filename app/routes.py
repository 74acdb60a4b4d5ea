"""ROUTES: every URL on one screen, and the application made of them."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from app import dashboard
from app.api import (
    auth,
    connections,
    connectors,
    health,
    instances,
    jobs,
    live,
    metrics,
    openapi,
    problems,
    protection,
    questions,
    runs,
    schedules,
    wire,
)
from app.api.context import Context
from app.api.operation import LONG_PATIENCE, Ask, Operation


def describe(ask: Ask[Any, None]) -> Response:
    """This description, as OpenAPI 3.1."""
    return JSONResponse(openapi.describe(ROUTES))


def _on(method: str, path: str, handler: Any, answer: type[wire.Wire] | None = None, **more: Any) -> Operation:
    return Operation(method=method, path=path, handler=handler, answer=answer, **more)


ROUTES: tuple[Operation, ...] = (
    _on("GET", "/healthz", health.healthz, wire.Readiness, inline=True),
    _on("GET", "/readyz", health.readyz, wire.Readiness, inline=True),
    _on("GET", "/metrics", metrics.metrics, media_type="text/plain", patience=LONG_PATIENCE),
    _on("POST", "/api/login", auth.login, wire.Session, body=questions.Login),
    _on("POST", "/api/logout", auth.logout, status=204),
    _on("GET", "/api/openapi.json", describe),
    _on("GET", "/api/status", health.status, wire.Status),
    _on("GET", "/api/events", live.events, query=questions.EventsQuery, media_type="text/event-stream", inline=True),
    _on("GET", "/api/instances", instances.list_, wire.InstanceList),
    _on("GET", "/api/connectors", connectors.list_, wire.ConnectorList, query=questions.Paging),
    _on("GET", "/api/connections", connections.list_, wire.ConnectionList, query=questions.Paging),
    _on("POST", "/api/connections", connections.create, wire.Connection, body=questions.NewConnection, status=201),
    _on("GET", "/api/connections/{id}", connections.get, wire.Connection),
    _on("PUT", "/api/connections/{id}", connections.put, wire.Connection, body=questions.ConnectionDraft),
    _on("PATCH", "/api/connections/{id}", connections.patch, wire.Connection, body=questions.ConnectionChange),
    _on("DELETE", "/api/connections/{id}", connections.delete, status=204),
    _on("POST", "/api/connections/{id}/test", connections.test, wire.ConnectionTest, patience=LONG_PATIENCE),
    _on(
        "GET",
        "/api/connections/{id}/streams",
        connections.streams,
        wire.StreamList,
        query=questions.Paging,
        patience=LONG_PATIENCE,
    ),
    _on(
        "GET",
        "/api/connections/{id}/streams/{name:path}/preview",
        connections.preview,
        wire.Preview,
        query=questions.PreviewQuery,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/jobs", jobs.list_, wire.JobList, query=questions.Paging),
    _on("POST", "/api/jobs", jobs.create, wire.Job, body=questions.NewJob, status=201),
    _on("GET", "/api/jobs/{id}", jobs.get, wire.Job),
    _on("PUT", "/api/jobs/{id}", jobs.put, wire.Job, body=questions.JobDraft),
    _on("PATCH", "/api/jobs/{id}", jobs.patch, wire.Job, body=questions.JobChange),
    _on("DELETE", "/api/jobs/{id}", jobs.delete, status=204),
    _on("POST", "/api/jobs/{id}/run", jobs.run, wire.Run, status=202),
    _on("POST", "/api/jobs/{id}/undo", jobs.undo, wire.Run, body=questions.Undo, status=202),
    _on("POST", "/api/jobs/{id}/verify", jobs.verify, wire.Run, body=questions.Verify, status=202),
    _on("POST", "/api/jobs/{id}/enable", jobs.enable, wire.Job),
    _on("POST", "/api/jobs/{id}/disable", jobs.disable, wire.Job),
    _on("POST", "/api/jobs/{id}/reset", jobs.reset, wire.ResetDone, body=questions.Reset),
    _on("GET", "/api/jobs/{id}/fire-times", jobs.fire_times, wire.FireTimes, query=questions.FireTimesQuery),
    _on("POST", "/api/schedules/preview", schedules.preview, wire.SchedulePreviewed, body=questions.SchedulePreview),
    _on("GET", "/api/runs", runs.list_, wire.RunList, query=questions.RunQuery),
    _on("GET", "/api/runs/{id}", runs.get, wire.Run),
    _on("GET", "/api/runs/{id}/logs", runs.logs, wire.LogPage, query=questions.LogQuery),
    _on("POST", "/api/runs/{id}/cancel", runs.cancel, wire.Run, status=202),
    _on("POST", "/api/runs/{id}/retry", runs.retry, wire.Run, status=202),
    _on("POST", "/api/runs/{id}/approve", runs.approve, wire.Run),
    _on("POST", "/api/runs/{id}/discard", runs.discard, wire.Run),
)


def create_app(context: Context) -> Starlette:
    """The API and the dashboard of this process, closed to whoever has no credentials where any are set."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in ROUTES:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes: list[BaseRoute] = [Route(path, _Endpoint(found, context)) for path, found in by_path.items()]
    handlers: dict[Any, Any] = {Exception: _problem, HTTPException: _problem}
    middleware = [
        Middleware(protection.Protection, host=context.settings.host),
        Middleware(auth.Guard, context=context),
    ]
    routes.append(Mount("/", dashboard.Dashboard()))
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.feed = live.Feed(context)
    app.state.login_limit = auth.Limit()
    return app


class _Endpoint:
    """The operations of one path, by method."""

    def __init__(self, operations: dict[str, Operation], context: Context) -> None:
        self._operations = operations
        self._context = context
        self._allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else [])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        operation = self._operations.get("GET" if request.method == "HEAD" else request.method)
        try:
            if operation is None:
                raise HTTPException(405, headers={"Allow": self._allowed})
            response = await operation.respond(request, self._context)
        except Exception as error:
            response = problems.answer(request, error)
        await response(scope, receive, send)


async def _problem(request: Request, error: Exception) -> Response:
    return problems.answer(request, error)
