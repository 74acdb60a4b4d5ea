"""ROUTES: every URL on one screen, and the application made of them."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, compile_path
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from app import dashboard
from app.api import (
    alerts,
    attention,
    audit,
    auth,
    configuration,
    connections,
    connectors,
    declarations,
    demo,
    dry_runs,
    health,
    history,
    instances,
    jobs,
    live,
    metrics,
    openapi,
    overview,
    problems,
    protection,
    questions,
    request_id,
    runs,
    schedules,
    tokens,
    wire,
)
from app.api.context import Context
from app.api.operation import LONG_PATIENCE, Ask, Operation
from app.api.rights import Rights
from worker.access import Scope


def describe(ask: Ask[Any, None]) -> Response:
    """This description, as OpenAPI 3.1."""
    return JSONResponse(openapi.describe(ROUTES))


OPEN, READ, OPERATE, ADMIN = None, Scope.READ, Scope.OPERATE, Scope.ADMIN


def _on(
    method: str,
    path: str,
    needs: Scope | None,
    handler: Any,
    answer: type[wire.Wire] | None = None,
    **more: Any,
) -> Operation:
    return Operation(method=method, path=path, needs=needs, handler=handler, answer=answer, **more)


ROUTES: tuple[Operation, ...] = (
    _on("GET", "/healthz", OPEN, health.healthz, wire.Readiness, inline=True),
    _on("GET", "/readyz", OPEN, health.readyz, wire.Readiness, inline=True),
    _on("GET", "/metrics", READ, metrics.scrape, media_type="text/plain", patience=LONG_PATIENCE),
    # One password is looked at at a time, on purpose slowly.
    _on("POST", "/api/login", OPEN, auth.login, wire.Session, body=questions.Login, patience=LONG_PATIENCE),
    _on("POST", "/api/logout", READ, auth.logout, status=204),
    _on("GET", "/api/session", READ, auth.session, wire.Session),
    _on("GET", "/api/tokens", ADMIN, tokens.list_, wire.TokenList),
    _on("POST", "/api/tokens", ADMIN, tokens.create, wire.NewToken, body=questions.TokenDraft, status=201),
    _on("DELETE", "/api/tokens/{id}", ADMIN, tokens.revoke, status=204, revisioned=False),
    _on("GET", "/api/audit", READ, audit.list_, wire.AuditPage, query=questions.AuditQuery),
    _on("GET", "/api/openapi.json", READ, describe),
    _on("GET", "/api/status", READ, health.status, wire.Status),
    _on(
        "GET",
        "/api/events",
        READ,
        live.events,
        query=questions.EventsQuery,
        media_type="text/event-stream",
        inline=True,
    ),
    _on("GET", "/api/settings", ADMIN, configuration.list_, wire.SettingList),
    _on("GET", "/api/instances", READ, instances.list_, wire.InstanceList),
    _on("POST", "/api/instances/{id}/drain", OPERATE, instances.drain, wire.Instance),
    _on("POST", "/api/instances/{id}/undrain", OPERATE, instances.undrain, wire.Instance),
    _on("GET", "/api/connectors", READ, connectors.list_, wire.ConnectorList, query=questions.Paging),
    _on("GET", "/api/connections", READ, connections.list_, wire.ConnectionList, query=questions.Paging),
    _on(
        "POST", "/api/connections", ADMIN, connections.create, wire.Connection, body=questions.NewConnection, status=201
    ),
    _on(
        "POST",
        "/api/connections/test",
        ADMIN,
        connections.try_draft,
        wire.ConnectionTest,
        body=questions.TrialDraft,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/connections/{id}", READ, connections.get, wire.Connection),
    _on("PUT", "/api/connections/{id}", ADMIN, connections.put, wire.Connection, body=questions.ConnectionDraft),
    _on("PATCH", "/api/connections/{id}", ADMIN, connections.patch, wire.Connection, body=questions.ConnectionChange),
    _on("DELETE", "/api/connections/{id}", ADMIN, connections.delete, status=204),
    _on(
        "POST",
        "/api/connections/{id}/test",
        OPERATE,
        connections.test,
        wire.ConnectionTest,
        body=questions.Trial,
        patience=LONG_PATIENCE,
    ),
    _on(
        "GET",
        "/api/connections/{id}/streams",
        OPERATE,
        connections.streams,
        wire.StreamList,
        query=questions.Paging,
        patience=LONG_PATIENCE,
    ),
    _on(
        "GET",
        "/api/connections/{id}/streams/{name:path}/preview",
        OPERATE,
        connections.preview,
        wire.Preview,
        query=questions.PreviewQuery,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/alerts", READ, alerts.list_, wire.AlertList, query=questions.Paging),
    _on("POST", "/api/alerts", ADMIN, alerts.create, wire.Alert, body=questions.NewAlert, status=201),
    _on(
        "POST",
        "/api/alerts/test",
        ADMIN,
        alerts.try_draft,
        wire.AlertTest,
        body=questions.AlertTrial,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/alerts/{id}", READ, alerts.get, wire.Alert),
    _on("PUT", "/api/alerts/{id}", ADMIN, alerts.put, wire.Alert, body=questions.AlertDraft),
    _on("PATCH", "/api/alerts/{id}", ADMIN, alerts.patch, wire.Alert, body=questions.AlertChange),
    _on("DELETE", "/api/alerts/{id}", ADMIN, alerts.delete, status=204),
    _on("POST", "/api/alerts/{id}/test", OPERATE, alerts.test, wire.AlertTest, patience=LONG_PATIENCE),
    _on("GET", "/api/alerts/{id}/events", READ, alerts.events, wire.AlertEventPage, query=questions.Paging),
    _on("GET", "/api/summary", READ, overview.summary, wire.Summary),
    _on("GET", "/api/needs", READ, attention.list_, wire.NeedList, query=questions.NeedsQuery),
    _on("GET", "/api/timeline", READ, overview.timeline, wire.Timeline, query=questions.TimelineQuery),
    _on("GET", "/api/throughput", READ, overview.throughput, wire.Throughput, query=questions.ThroughputQuery),
    _on("POST", "/api/demo", ADMIN, demo.create, wire.Job, status=201),
    _on("GET", "/api/jobs", READ, jobs.list_, wire.JobList, query=questions.JobsQuery),
    _on("POST", "/api/jobs", ADMIN, jobs.create, wire.Job, body=questions.NewJob, status=201),
    _on("GET", "/api/jobs/{id}", READ, jobs.get, wire.Job),
    _on("PUT", "/api/jobs/{id}", ADMIN, jobs.put, wire.Job, body=questions.JobDraft),
    _on("PATCH", "/api/jobs/{id}", ADMIN, jobs.patch, wire.Job, body=questions.JobChange),
    _on("DELETE", "/api/jobs/{id}", ADMIN, jobs.delete, status=204),
    _on("POST", "/api/jobs/{id}/run", OPERATE, jobs.run, wire.Run, status=202),
    _on("POST", "/api/jobs/{id}/undo", OPERATE, jobs.undo, wire.Run, body=questions.Undo, status=202),
    _on("POST", "/api/jobs/{id}/verify", OPERATE, jobs.verify, wire.Run, body=questions.Verify, status=202),
    _on(
        "POST",
        "/api/jobs/{id}/dry-run",
        OPERATE,
        dry_runs.look,
        wire.DryRun,
        body=questions.DryRunOf,
        patience=LONG_PATIENCE,
    ),
    _on("POST", "/api/jobs/{id}/enable", OPERATE, jobs.enable, wire.Job),
    _on("POST", "/api/jobs/{id}/disable", OPERATE, jobs.disable, wire.Job),
    _on("POST", "/api/jobs/{id}/reset", ADMIN, jobs.reset, wire.ResetDone, body=questions.Reset),
    _on("GET", "/api/jobs/{id}/usual", READ, history.usual, wire.Usual),
    _on("GET", "/api/jobs/{id}/checkpoints", READ, history.checkpoints, wire.CheckpointList),
    _on("GET", "/api/jobs/{id}/fire-times", READ, history.fire_times, wire.FireTimes, query=questions.FireTimesQuery),
    _on(
        "POST",
        "/api/schedules/preview",
        READ,
        schedules.preview,
        wire.SchedulePreviewed,
        body=questions.SchedulePreview,
        harmless=True,
    ),
    _on(
        "POST",
        "/api/declaration/read",
        READ,
        declarations.read,
        wire.JobRead,
        body=questions.JobText,
        harmless=True,
    ),
    _on(
        "POST",
        "/api/declaration/print",
        READ,
        declarations.print_,
        wire.JobPrinted,
        body=questions.PrintedJob,
        harmless=True,
    ),
    _on("GET", "/api/export", READ, declarations.export, media_type=declarations.MEDIA_TYPE, patience=LONG_PATIENCE),
    _on(
        "POST",
        "/api/plan",
        READ,
        declarations.plan,
        wire.Plan,
        body=questions.DeclarationText,
        harmless=True,
        patience=LONG_PATIENCE,
    ),
    _on(
        "POST",
        "/api/apply",
        ADMIN,
        declarations.apply,
        wire.Plan,
        body=questions.DeclarationText,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/runs", READ, runs.list_, wire.RunList, query=questions.RunQuery),
    _on("GET", "/api/runs/{id}", READ, runs.get, wire.Run),
    _on("GET", "/api/runs/{id}/logs", READ, runs.logs, wire.LogPage, query=questions.LogQuery, patience=LONG_PATIENCE),
    _on("GET", "/api/runs/{id}/neighbours", READ, runs.neighbours, wire.Neighbours),
    _on(
        "GET",
        "/api/runs/{id}/logs/marks",
        READ,
        runs.marks,
        wire.LogMarks,
        query=questions.MarksQuery,
        patience=LONG_PATIENCE,
    ),
    _on("GET", "/api/runs/{id}/logs/outline", READ, runs.outline, wire.LogOutline, patience=LONG_PATIENCE),
    _on("GET", "/api/runs/{id}/logs/text", READ, runs.download, media_type="text/plain"),
    _on("POST", "/api/runs/{id}/cancel", OPERATE, runs.cancel, wire.Run, status=202),
    _on("POST", "/api/runs/{id}/retry", OPERATE, runs.retry, wire.Run, status=202),
    _on("POST", "/api/runs/{id}/approve", OPERATE, runs.approve, wire.Run),
    _on("POST", "/api/runs/{id}/discard", OPERATE, runs.discard, wire.Run),
)


def create_app(context: Context) -> Starlette:
    """The API and the dashboard of this process, closed to whoever has no credentials where any are set."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in ROUTES:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes: list[BaseRoute] = [
        Route(path, _Endpoint(found, context), methods=_own_methods(path, by_path)) for path, found in by_path.items()
    ]
    handlers: dict[Any, Any] = {Exception: _problem, HTTPException: _problem}
    door = auth.Door(context.settings)
    middleware = [
        Middleware(request_id.RequestId),
        Middleware(protection.Protection, host=context.settings.host, allowed=context.settings.allowed_hosts),
        Middleware(auth.Guard, context=context, needed=Rights(ROUTES).needed, door=door),
    ]
    routes.append(Mount("/", dashboard.Dashboard()))
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.feed = live.Feed(context)
    app.state.door = door
    return app


def _own_methods(path: str, by_path: dict[str, dict[str, Operation]]) -> list[str] | None:
    """The methods that a plain path takes away from a pattern that fits it too: `test` may be a connection's id."""
    shares = "{" not in path and any("{" in other and compile_path(other)[0].match(path) for other in by_path)
    return list(by_path[path]) if shares else None


class _Endpoint:
    """The operations of one path, by method."""

    def __init__(self, operations: dict[str, Operation], context: Context) -> None:
        self._operations = operations
        self._context = context
        self._allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else [])])

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
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
