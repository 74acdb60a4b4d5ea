"""Instances, the lease, and the state of the whole."""

from __future__ import annotations

from app.api.moment import Moment
from app.api.wire.runs import Run
from app.api.wire.shape import Wire
from worker.finding import Kind


class Instance(Wire):
    """`slots`: runs it works on at once. `draining`: it was asked to take no more, and neither leads nor claims."""

    id: str
    host: str
    pid: int
    version: str
    mode: str
    started_at: Moment
    seen_at: Moment
    active_runs: list[str]
    live: bool
    slots: int = 0
    rss_bytes: int | None = None
    draining: bool = False


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


class Setting(Wire):
    """A variable as this process goes by it; of a secret `value` is "set", null where it is unset."""

    name: str
    value: str | None
    secret: bool


class SettingList(Wire):
    items: list[Setting]
    next: str | None


class Readiness(Wire):
    ready: bool
    reasons: list[str]
