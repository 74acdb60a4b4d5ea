"""Runs, their streams, attempts and lines."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from app.api.moment import Moment
from app.api.wire.shape import Wire
from worker.run import RunState, StreamState, Trigger

LogLevel = Literal["debug", "info", "warning", "error"]


class Spent(Wire):
    """Seconds of a stream by what it waited for: the source, our own mapping, the destination, the saved checkpoint."""

    source: float = 0
    transform: float = 0
    destination: float = 0
    checkpoint: float = 0


class Progress(Wire):
    state: StreamState
    read: int = 0
    written: int = 0
    deleted: int = 0
    bytes: int = 0
    checkpoint: Any = None
    total: int | None = None
    last_write_at: Moment | None = None
    spent: Spent = Spent()


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
    """`started_at` is when its first attempt was claimed, `attempt_started_at` its latest."""

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
    attempt_started_at: Moment | None = None
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


class RunBrief(Wire):
    """A run in a list of many: its streams are summed up. `removes`: the rows that a held run would remove."""

    id: str
    job_id: str
    trigger: Trigger
    fire_time: Moment | None
    state: RunState
    reason: str | None
    sequence: int
    attempt: int
    not_before: Moment | None
    queued_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    missed_until: Moment | None = None
    missed_count: int | None = None
    error: RunError | None
    cancel: Asked | None
    read: int
    written: int
    deleted: int
    bytes: int
    removes: int | None = None
    verifies: bool = False


class Neighbours(Wire):
    """The runs of a job just before and after one of them; null at the ends of its history."""

    older: RunBrief | None
    newer: RunBrief | None


class RunMark(Wire):
    """A run as a mark in a row of them: `at` is when it began, or was due; `seconds` what it took, null: no end yet."""

    id: str
    state: RunState
    at: Moment
    seconds: float | None
    written: int


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


class LogMarks(Wire):
    """`count` lines are sought; `marks` are the numbers of the first of them and of every so many after it.

    `lines` is the number of the log's last line, whether it is sought or not.
    """

    count: int
    marks: list[int]
    lines: int


class LogOutline(Wire):
    """`dropped` lines were said and not kept; the log says so where it happened."""

    lines: int
    levels: dict[LogLevel, int]
    first_error: int | None
    dropped: int


class LogPage(Wire):
    """`next` is the number to ask `after` for the lines that follow; null at the end of what was said so far."""

    items: list[LogLine]
    next: str | None
