"""What is asked: bodies and queries. A field that we do not know is refused by name.

What a job or a connection may say is checked by `worker.declaration`, the parser that the declarative file has too:
the drafts here only describe it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.moment import Moment
from app.api.wire import Guards, LogLevel, Retry, Schedule, StreamSpec
from worker.access import Scope
from worker.alert import Format
from worker.declaration.alerts import MOST_FAILURES
from worker.job import ID_PATTERN, CatchUp, Overlap
from worker.run import RunState, Trigger

MOST_ITEMS = 1000


class Question(BaseModel):
    """A body or a query: a field that we do not know is refused by name."""

    model_config = ConfigDict(extra="forbid")


class Draft(BaseModel):
    """A body that `worker.declaration` checks; this only describes it."""

    model_config = ConfigDict(extra="allow")


class JobDraft(Draft):
    """What a person says of a job; the shape of the declarative file."""

    source: str
    destination: str
    streams: list[StreamSpec]
    schedule: Schedule | None = None
    retry: Retry = Retry()
    timeout: str | None = None
    catch_up: CatchUp = CatchUp.LATEST
    overlap: Overlap = Overlap.SKIP
    guards: Guards | Literal[False] = Guards()
    verify: bool = False
    enabled: bool = True


class NewJob(JobDraft):
    id: str = Field(pattern=f"^{ID_PATTERN}$")


class JobChange(Draft):
    """A JSON merge patch of a job: null takes a field back to its default."""


class ConnectionDraft(Draft):
    """`type`, and the settings of that connector beside it; the shape of the declarative file."""

    type: str


class NewConnection(ConnectionDraft):
    id: str = Field(pattern=f"^{ID_PATTERN}$")


class ConnectionChange(Draft):
    """A JSON merge patch of a connection: null removes a setting."""


class Trial(Question):
    """What the connection must be good for; where nothing is named, what its jobs use it for."""

    end: Literal["source", "destination"] | None = None


class TrialDraft(Draft):
    """A connection as it would be saved. `id`: of a saved one, whose secrets stand in for those that are left out."""

    type: str
    id: str | None = None


class AlertDraft(Draft):
    """What a person says of an alert; the shape of the declarative file.

    `failures` null or "off": never told; so is stale data where `stale` is null. `url` and `secret` stay as they
    are where they are left out, or sent as they were told.
    """

    url: str | None = None
    format: Format | None = Format.JSON
    secret: str | None = None
    jobs: list[str] | None = None
    failures: Annotated[int, Field(ge=1, le=MOST_FAILURES)] | Literal["off"] | None = 1
    recovery: bool | None = True
    held: bool | None = True
    stale: str | float | None = None
    enabled: bool | None = True


class NewAlert(AlertDraft):
    id: str = Field(pattern=f"^{ID_PATTERN}$")
    url: str


class AlertChange(Draft):
    """A JSON merge patch of an alert: null takes a field back to its default, `failures` and `stale` to never."""


class AlertTrial(AlertDraft):
    """An alert as it would be saved. `id`: of a saved one, whose secrets stand in for those that are left out."""

    id: str | None = None


class JobText(Question):
    """YAML of one job."""

    text: str


class PrintedJob(Question):
    """A draft of a job, as it is saved."""

    id: str
    job: dict[str, Any]


class DeclarationText(Question):
    """A declarative file; `prune` deletes what it does not name."""

    text: str
    prune: bool = False


class Reset(Question):
    """Which stream is read from its beginning again; all of them where none is named."""

    stream: str | None = None


class Undo(Question):
    """Which stream goes back to what it was before its last replace; all that can where none is named."""

    stream: str | None = None


class Verify(Question):
    """Which stream is compared, all where none is named; with `repair` the rows that differ are sent again."""

    stream: str | None = None
    repair: bool = False


class DryRunOf(Question):
    """Which stream is looked at, all where none is named; `limit`: how many of its rows, all that fit the time.

    `draft`: the job as it would be saved, in place of the saved one.
    """

    stream: str | None = None
    limit: int | None = Field(default=None, ge=1, le=10_000_000)
    draft: dict[str, Any] | None = None


class SchedulePreview(Question):
    """Exactly one of `cron` and `every`; `after` is exclusive, the database's now where it is left out."""

    cron: str | None = None
    every: str | float | None = None
    timezone: str = "UTC"
    jitter: str | float | None = None
    after: Moment | None = None
    count: int = Field(default=5, ge=1, le=100)


class Login(Question):
    """There is one account, `admin`: `user` may be left out."""

    password: str = Field(max_length=1024)
    user: str | None = Field(default=None, max_length=100)


class TokenDraft(Question):
    """`expires_in` is a duration like `30d`; a token without one lasts until it is revoked."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
    scope: Scope
    expires_in: str | float | None = None


class Nothing(Question):
    """No field at all."""


# Queries. Lists may be given as `a,b` or by repeating the parameter.


class Paging(Question):
    limit: int = Field(default=100, ge=1, le=MOST_ITEMS)
    after: str | None = None


class JobsQuery(Paging):
    """`q` is a search in words: `shop source:lake is:failed -stream:orders`."""

    q: str | None = Field(default=None, max_length=500)


class WindowQuery(Question):
    """A span of time, in `buckets` parts; both ends are counted from now where they are left out."""

    since: Moment | None = None
    until: Moment | None = None
    buckets: int = Field(default=120, ge=1, le=1000)


class TimelineQuery(WindowQuery):
    q: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=50, ge=1, le=200)
    after: str | None = None


class ThroughputQuery(WindowQuery):
    job: str | None = None


class NeedsQuery(Question):
    limit: int = Field(default=20, ge=1, le=200)


class RunQuery(Question):
    lists: ClassVar[frozenset[str]] = frozenset({"state", "trigger"})

    job: str | None = None
    state: list[RunState] | None = None
    trigger: list[Trigger] | None = None
    since: Moment | None = None
    limit: int = Field(default=50, ge=1, le=MOST_ITEMS)
    after: str | None = None


class LinesQuery(Question):
    """Which lines of a log: after number `after`, at least as grave as `level`, with `q` in them, of one attempt."""

    after: int = Field(default=0, ge=0, le=2**53)
    level: LogLevel | None = None
    q: str | None = Field(default=None, max_length=200)
    attempt: int | None = Field(default=None, ge=1, le=2**31)


class LogQuery(LinesQuery):
    limit: int = Field(default=500, ge=1, le=MOST_ITEMS)


class MarksQuery(LinesQuery):
    """`every`: how many lines lie from one mark to the next."""

    every: int = Field(default=200, ge=50, le=MOST_ITEMS)


class FireTimesQuery(Question):
    n: int = Field(default=10, ge=1, le=100)


class AuditQuery(Question):
    """`subject` and `action` find what begins with them too: `jobs` finds `jobs/orders`, `job` finds `job.update`."""

    subject: str | None = None
    who: str | None = None
    action: str | None = None
    since: Moment | None = None
    limit: int = Field(default=50, ge=1, le=MOST_ITEMS)
    after: str | None = None


class PreviewQuery(Question):
    limit: int = Field(default=20, ge=1, le=100)


class EventsQuery(Question):
    """`last_event_id` is for those who cannot send the header `Last-Event-ID`."""

    last_event_id: str | None = None
