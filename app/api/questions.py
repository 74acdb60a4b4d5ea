"""What is asked: bodies and queries. A field that we do not know is refused by name.

What a job or a connection may say is checked by `worker.declaration`, the parser that the declarative file has too:
the drafts here only describe it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.api.moment import Moment
from app.api.wire import Guards, LogLevel, Retry, Schedule, StreamSpec
from worker.job import CatchUp, Overlap
from worker.run import RunState

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
    id: str


class JobChange(Draft):
    """A JSON merge patch of a job: null takes a field back to its default."""


class ConnectionDraft(Draft):
    """`type`, and the settings of that connector beside it; the shape of the declarative file."""

    type: str


class NewConnection(ConnectionDraft):
    id: str


class ConnectionChange(Draft):
    """A JSON merge patch of a connection: null removes a setting."""


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


class SchedulePreview(Question):
    """Exactly one of `cron` and `every`; `after` is exclusive, the database's now where it is left out."""

    cron: str | None = None
    every: str | float | None = None
    timezone: str = "UTC"
    jitter: str | float | None = None
    after: Moment | None = None
    count: int = Field(default=5, ge=1, le=100)


class Login(Question):
    password: str


class Nothing(Question):
    """No field at all."""


# Queries. Lists may be given as `a,b` or by repeating the parameter.


class Paging(Question):
    limit: int = Field(default=100, ge=1, le=MOST_ITEMS)
    after: str | None = None


class RunQuery(Question):
    lists: ClassVar[frozenset[str]] = frozenset({"state"})

    job: str | None = None
    state: list[RunState] | None = None
    since: Moment | None = None
    limit: int = Field(default=50, ge=1, le=MOST_ITEMS)
    after: str | None = None


class LogQuery(Question):
    after: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=500, ge=1, le=MOST_ITEMS)
    level: LogLevel | None = None


class FireTimesQuery(Question):
    n: int = Field(default=10, ge=1, le=100)


class PreviewQuery(Question):
    limit: int = Field(default=20, ge=1, le=100)


class EventsQuery(Question):
    """`last_event_id` is for those who cannot send the header `Last-Event-ID`."""

    last_event_id: str | None = None
