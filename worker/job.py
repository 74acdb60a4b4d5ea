"""What the user saved as a job: streams from one connection to another, on a schedule.

Records only: `worker.declaration` parses them from a file or a request, `worker.store.jobs` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

ID_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"


class Mode(StrEnum):
    FULL = "full"
    INCREMENTAL = "incremental"


class Write(StrEnum):
    REPLACE = "replace"
    APPEND = "append"
    UPSERT = "upsert"
    MIRROR = "mirror"

    @property
    def keyed(self) -> bool:
        """Whether rows are found again by their key."""
        return self in (Write.UPSERT, Write.MIRROR)


# Columns that we add where asked: when and with which run a row came, and soft deletion.
SYNCED_AT, RUN_ID, DELETED_AT = "_synced_at", "_run_id", "_deleted_at"
STAMPS = frozenset({SYNCED_AT, RUN_ID, DELETED_AT})


class Delete(StrEnum):
    """How a mirror deletes: the row itself, or only in the words of a column `_deleted_at`."""

    HARD = "hard"
    SOFT = "soft"


class Drift(StrEnum):
    """What happens to columns that are new, or of another type than before: `schema` of a stream."""

    EVOLVE = "evolve"
    FREEZE = "freeze"
    DISCARD_ROW = "discard_row"
    DISCARD_VALUE = "discard_value"


class CatchUp(StrEnum):
    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    SKIP = "skip"
    QUEUE = "queue"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a job fires: exactly one of `cron` and `every` (seconds). Absent schedule: manual only."""

    cron: str | None = None
    every: float | None = None
    timezone: str = "UTC"
    jitter: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StreamSpec:
    """One stream of a job, all names in the source's spelling.

    `columns` (None: all), `exclude` and `rename` choose and name the columns at the destination; those in `hash` arrive
    as keyed hashes, `metadata` adds columns that say when a row came and with which run. `deleted` is the column by
    which the source itself says that a row is deleted. `undo`: for so many seconds what a `replace` took away is kept.
    `options` are the connector's own (CSV `types`, `glob`, …).
    """

    name: str
    mode: Mode = Mode.FULL
    write: Write = Write.REPLACE
    target: str | None = None
    cursor: str | None = None
    key: tuple[str, ...] = ()
    lookback: str | float | None = None
    columns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    rename: dict[str, str] = field(default_factory=dict)
    hash: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    schema: Drift = Drift.EVOLVE
    delete: Delete = Delete.HARD
    deleted: str | None = None
    undo: float | None = None
    options: dict[str, object] = field(default_factory=dict)

    @property
    def destination_name(self) -> str:
        return self.target or self.name


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How failed attempts are repeated; durations in seconds."""

    attempts: int = 3
    backoff: float = 10.0
    max_backoff: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Guards:
    """Largest part of the rows that one run may delete or shrink a target by, 0 to 1; None turns a guard off."""

    max_delete: float | None = 0.2
    max_shrink: float | None = 0.2


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as stored. Times are the database server's; `revision` grows with every change by a person.

    `data_as_of`: when the newest run began that moved all of its data.
    """

    id: str
    source: str
    destination: str
    streams: tuple[StreamSpec, ...]
    schedule: Schedule | None = None
    retry: Retry = Retry()
    timeout: float | None = None
    catch_up: CatchUp = CatchUp.LATEST
    overlap: Overlap = Overlap.SKIP
    guards: Guards = Guards()
    verify: bool = False
    enabled: bool = True
    owner: str | None = None
    next_fire_time: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 1
    last_sequence: int = 0
    data_as_of: datetime | None = None
