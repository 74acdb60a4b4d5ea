"""What is answered: the JSON shapes. OpenAPI and static/src/api/wire.ts are made from them and from the questions.

They print; nothing is checked here that came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.api.moment import Moment
from worker.finding import Kind
from worker.job import CatchUp, Mode, Overlap, Write
from worker.run import RunState, StreamState, Trigger

LogLevel = Literal["debug", "info", "warning", "error"]
Step = Literal["name", "tcp", "tls", "login", "permission", "query"]


class Wire(BaseModel):
    """An answer: what is stored besides does not go out."""

    model_config = ConfigDict(extra="ignore", ser_json_bytes="base64")


def document(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document as it goes out: `_id` is `id`."""
    return {"id" if name == "_id" else name: value for name, value in stored.items()}


class Fault(Wire):
    field: str
    message: str


class Problem(Wire):
    """RFC 9457. `current` is the document as it stands, where a revision was stale."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] = []
    current: dict[str, Any] | None = None


# Runs.


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


# Jobs.


class Schedule(Wire):
    """Exactly one of `cron` and `every` (as "15m")."""

    cron: str | None = None
    every: str | None = None
    timezone: str = "UTC"
    jitter: str | None = None


class StreamSpec(Wire):
    """One stream of a job; the connector's own options stand beside these."""

    model_config = ConfigDict(extra="allow")

    name: str
    mode: Mode = Mode.FULL
    write: Write = Write.REPLACE
    target: str | None = None
    cursor: str | None = None
    key: list[str] = []
    lookback: str | float | None = None
    columns: list[str] | None = None
    exclude: list[str] = []
    rename: dict[str, str] = {}
    hash: list[str] = []
    metadata: list[Literal["_synced_at", "_run_id"]] = []


class Retry(Wire):
    attempts: int = 3
    backoff: str = "10s"
    max_backoff: str = "10m"


class Guards(Wire):
    """The largest part of a target that one run may remove, as "20%"; false turns a guard off."""

    max_delete: str | Literal[False] = "20%"
    max_shrink: str | Literal[False] = "20%"


class Job(Wire):
    """`words` is the schedule in words; `owner` the file that says what this job is."""

    id: str
    source: str
    destination: str
    streams: list[StreamSpec]
    schedule: Schedule | None
    words: str
    retry: Retry
    timeout: str | None
    catch_up: CatchUp
    overlap: Overlap
    guards: Guards
    verify: bool
    enabled: bool
    owner: str | None
    next_fire_time: Moment | None
    created_at: Moment
    updated_at: Moment
    revision: int
    last_run: Run | None
    recent_runs: list[Run]


class JobList(Wire):
    items: list[Job]
    next: str | None


class ResetDone(Wire):
    streams: list[str]


class PastFireTime(Wire):
    """What became of a fire time; `until` and `count` where one document stands for a gap."""

    fire_time: Moment
    state: RunState
    run_id: str
    reason: str | None
    until: Moment | None = None
    count: int | None = None


class FireTimes(Wire):
    next: list[Moment]
    past: list[PastFireTime]


class Note(Wire):
    """A fire time that a clock change touches, and how."""

    fire_time: Moment
    note: str


class SchedulePreviewed(Wire):
    words: str
    fire_times: list[Moment]
    notes: list[Note]


# Connections.


class Connection(Wire):
    """The connector's settings stand beside these; secrets are asterisks."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    owner: str | None
    created_at: Moment
    updated_at: Moment
    revision: int


class ConnectionList(Wire):
    items: list[Connection]
    next: str | None


class ConnectionTest(Wire):
    """`step` is the last one that was tried: the one that failed, where `ok` is false."""

    ok: bool
    ms: int
    step: Step
    message: str
    hint: str | None


class Column(Wire):
    name: str
    type: str
    nullable: bool


class Stream(Wire):
    """`rows` may be an estimate."""

    name: str
    columns: list[Column]
    key: list[str]
    cursor: str | None
    rows: int | None


class StreamList(Wire):
    items: list[Stream]
    next: str | None


class Preview(Wire):
    columns: list[str]
    rows: list[dict[str, Any]]


class Connector(Wire):
    """`settings` is a JSON schema; a property with `secret` is never returned."""

    name: str
    settings: dict[str, Any]
    secrets: list[str]


class ConnectorList(Wire):
    items: list[Connector]
    next: str | None


# Instances and the whole.


class Instance(Wire):
    id: str
    host: str
    pid: int
    version: str
    mode: str
    started_at: Moment
    seen_at: Moment
    active_runs: list[str]
    live: bool


class Lease(Wire):
    holder: str | None
    instance: str | None
    token: int
    acquired_at: Moment | None
    renewed_at: Moment | None
    expires_at: Moment | None
    live: bool


class Term(Wire):
    id: int
    holder: str
    instance: str
    host: str
    pid: int
    gained_at: Moment
    ended_at: Moment | None
    how: str | None


class InstanceList(Wire):
    items: list[Instance]
    terms: list[Term]
    next: str | None


class NextFireTime(Wire):
    job_id: str
    fire_time: Moment


class Warning(Wire):
    """What the watchdog found wrong; `subject` is the id of the job, run or instance."""

    kind: Kind
    subject: str
    since: Moment | None
    message: str


class Status(Wire):
    """`instance` is the worker in the process that answers; null where none is inside."""

    version: str
    mode: str
    instance: str | None
    lease: Lease | None
    queue: dict[str, int]
    queue_depth: int
    running: list[Run]
    next_fire_times: list[NextFireTime]
    warnings: list[Warning]


class Readiness(Wire):
    ready: bool
    reasons: list[str]


class Session(Wire):
    who: str
