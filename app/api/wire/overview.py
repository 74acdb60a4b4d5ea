"""What the pages show of many jobs and runs at once."""

from __future__ import annotations

from typing import Literal

from app.api.moment import Moment
from app.api.wire.runs import RunBrief
from app.api.wire.shape import Wire
from worker.run import RunState
from worker.standing import Standing


class Summary(Wire):
    """`standings` counts every job once; `next_fire_time` is the soonest of all."""

    jobs: int
    standings: dict[Standing, int]
    next_fire_time: Moment | None
    next_job: str | None


class Need(Wire):
    """What waits: `heals` by itself (at `heals_at`, where that is known), or needs a person.

    `deed` is what mends it: for `edit_job` and `edit_connection` `field` says where.
    """

    kind: Literal["held", "misconfigured", "failed", "late", "stale", "retrying"]
    job_id: str
    run: RunBrief | None
    since: Moment | None
    message: str
    heals: bool
    heals_at: Moment | None
    deed: Literal["approve", "retry", "run", "edit_job", "edit_connection", "wait"]
    field: str | None


class NeedList(Wire):
    """The gravest first; `total` counts those beyond the list too, `summary` all jobs at the same moment."""

    items: list[Need]
    total: int
    summary: Summary


class Span(Wire):
    """Runs of one state that lie closer together than a picture can show: `count` of them from `start` to `end`.

    `end` null: it goes on. `run_id` is the newest of them.
    """

    run_id: str
    state: RunState
    start: Moment
    end: Moment | None
    count: int


class Ahead(Wire):
    """`count` fire times from `start` on; `seconds`: what one is likely to take; `note`: of a clock change."""

    start: Moment
    count: int
    seconds: float | None
    note: str | None


class TimelineRow(Wire):
    job_id: str
    enabled: bool
    source: str
    destination: str
    past: list[Span]
    ahead: list[Ahead]
    typical_seconds: float | None


class Timeline(Wire):
    since: Moment
    until: Moment
    now: Moment
    items: list[TimelineRow]
    next: str | None


class Bucket(Wire):
    """What ended within `seconds` from `start`; rows and bytes are those of the runs that ended."""

    start: Moment
    runs: int
    failed: int
    read: int
    written: int
    deleted: int
    bytes: int


class Throughput(Wire):
    since: Moment
    until: Moment
    seconds: float
    items: list[Bucket]
