"""Runs, their streams, attempts and lines."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from app.api.moment import Moment
from app.api.wire.shape import Wire
from worker.run import RunState, StreamState, Trigger

LogLevel = Literal["debug", "info", "warning", "error"]


class Progress(Wire):
    state: StreamState
    read: int = 0
    written: int = 0
    deleted: int = 0
    bytes: int = 0
    checkpoint: Any = None
    total: int | None = None


class RunError(Wire):
    type: str
    message: str
    stream: str | None = None


class Attempt(Wire):
    attempt: int
    instance: str | None
    token: int
    started_at: Moment | None
    ended_at: Moment | None
    outcome: str
    error: RunError | None


class Claim(Wire):
    instance: str | None
    token: int
    expires_at: Moment | None


class Asked(Wire):
    """Who asked for it, and when."""

    at: Moment
    by: str


class Removal(Wire):
    """What a held run would remove from its destination."""

    model_config = ConfigDict(extra="allow")
    removes: int


class Run(Wire):
    id: str
    job_id: str
    trigger: Trigger
    fire_time: Moment | None
    state: RunState
    reason: str | None
    sequence: int
    attempt: int
    not_before: Moment | None
    claim: Claim
    lease_token: int | None
    queued_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    progress: dict[str, Progress]
    error: RunError | None
    attempts: list[Attempt]
    cancel: Asked | None
    retry_of: str | None
    held: Removal | None = None
    approved: Asked | None = None
    verified: dict[str, Any] | None = None
    missed_until: Moment | None = None
    missed_count: int | None = None


class RunList(Wire):
    items: list[Run]
    next: str | None


class LogLine(Wire):
    n: int
    at: Moment
    level: LogLevel
    message: str
    stream: str | None = None
    attempt: int | None = None


class LogPage(Wire):
    """`next` is the number to ask `after` for the lines that follow; null at the end of what was said so far."""

    items: list[LogLine]
    next: str | None
