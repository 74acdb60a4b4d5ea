"""Every error as `application/problem+json` (RFC 9457): one table from error class to status, one shape.

A message that goes out passes the log's redactor; an error that nobody foresaw says nothing of the inside.
"""

from __future__ import annotations

import http
import logging
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.api.request_id import request_id
from app.api.wire import Fault as WireFault
from app.api.wire import Problem
from worker import errors
from worker.errors import BadInput, Fault
from worker.logs import redact

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "2"

# The first that fits decides; the families stand last.
STATUS: tuple[tuple[type[errors.SyncworkerError], int], ...] = (
    (errors.StoreUnavailable, 503),
    (errors.SourceUnavailable, 502),
    (errors.DestinationUnavailable, 502),
    (errors.NotFound, 404),
    (errors.StreamNotFound, 404),
    (errors.StaleRevision, 412),
    (errors.Conflict, 409),
    (errors.BadInput, 422),
    (errors.Transient, 503),
    (errors.Permanent, 422),
    (errors.SyncworkerError, 500),
)


class Refused(Exception):
    """A request that is refused by its form; `status` says how."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


class Stale(Exception):
    """The revision in If-Match is not the current one; `current` is the document as it stands."""

    def __init__(self, detail: str, current: dict[str, Any]) -> None:
        super().__init__(detail)
        self.current = current


def problem(
    status: int,
    detail: str | None = None,
    *,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    current: dict[str, Any] | None = None,
) -> Response:
    shape = Problem(
        type="about:blank",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=redact(detail) if detail else None,
        errors=[WireFault(field=f.field, message=redact(f.message)) for f in faults],
        current=current,
        request_id=request_id(),
    )
    body = shape.model_dump_json(exclude={"current"} if current is None else set())
    return Response(body, status, headers={"Cache-Control": "no-store"} | (headers or {}), media_type=MEDIA_TYPE)


def status_of(error: errors.SyncworkerError) -> int:
    return next(status for family, status in STATUS if isinstance(error, family))


def faults_of(error: ValidationError) -> list[Fault]:
    """pydantic's errors in our words: `field` is a path like `streams[0].name`; no value is repeated."""
    return [Fault(field=_path(e["loc"]), message=_message(e)) for e in error.errors(include_url=False)]


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not known here"
    if error["type"] == "missing":
        return "is missing"
    message: str = error["msg"]
    return message[:1].lower() + message[1:]


def answer(request: Request, error: Exception) -> Response:
    """The response that tells of `error`; Starlette's exception handler for everything."""
    if isinstance(error, BadInput):
        return problem(422, "The request was understood, but cannot be used.", faults=error.faults)
    if isinstance(error, errors.SyncworkerError):
        status = status_of(error)
        headers = {"Retry-After": RETRY_AFTER} if status == 503 else None
        return problem(status, str(error), headers=headers)
    if isinstance(error, Refused):
        return problem(error.status, str(error), headers=error.headers)
    if isinstance(error, Stale):
        return problem(412, str(error), current=error.current)
    if isinstance(error, HTTPException):
        detail = {404: f"There is nothing at {request.url.path}.", 405: "That method is not served here."}
        return problem(error.status_code, detail.get(error.status_code), headers=dict(error.headers or {}))
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "Something went wrong here; the log of this process says what.")
