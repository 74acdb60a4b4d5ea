"""Jobs and schedules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.moment import Moment
from app.api.wire.runs import RunBrief, RunMark, Spent
from app.api.wire.shape import Wire
from worker.job import CatchUp, Mode, Overlap, Write
from worker.run import RunState
from worker.standing import Standing


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
    key: list[str] = Field([])
    lookback: str | float | None = None
    columns: list[str] | None = None
    exclude: list[str] = Field([])
    rename: dict[str, str] = Field({})
    hash: list[str] = Field([])
    metadata: list[Literal["_synced_at", "_run_id"]] = Field([])


class Retry(Wire):
    attempts: int = 3
    backoff: str = "10s"
    max_backoff: str = "10m"


class Guards(Wire):
    """The largest part of a target that one run may remove, as "20%"; false turns a guard off."""

    max_delete: str | Literal[False] = "20%"
    max_shrink: str | Literal[False] = "20%"


class Job(Wire):
    """`words` is the schedule in words; `owner` the file that says what this job is.

    `data_as_of`: when the newest run began that moved all of its data. `typical_seconds` and `rows_per_day` are of the
    last runs that succeeded: the median, and what they wrote by the time between them.
    """

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
    standing: Standing
    data_as_of: Moment | None
    typical_seconds: float | None
    rows_per_day: int | None
    last_run: RunBrief | None
    recent_runs: list[RunMark]


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


class Checkpoint(Wire):
    """Where reading goes on; `value` is the connector's own, null where it is sealed, for hashed columns."""

    stream: str
    value: Any
    sealed: bool
    run_id: str | None


class UsualStream(Wire):
    """Medians of one stream's last runs that succeeded."""

    read: int
    written: int
    bytes: int
    spent: Spent


class Usual(Wire):
    """What the last `runs` that succeeded were like, to compare one with; null medians where there were none."""

    runs: int
    seconds: float | None
    streams: dict[str, UsualStream]


class CheckpointList(Wire):
    items: list[Checkpoint]
    next: str | None


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
