"""What a run would do, told beforehand."""

from __future__ import annotations

from typing import Any

from app.api.wire.shape import Wire
from worker.job import Mode, Write


class NewColumn(Wire):
    name: str
    type: str


class StreamOutlook(Wire):
    """What the next run would do to the stream's target. A count is null where it could not be found.

    `partial`: not all that a run would read was read, and what is counted concerns those rows. `would_hold` is what a
    guard would say. `sample` is of the first rows as they would be written; `error` what keeps the stream from running.
    """

    target: str
    mode: Mode
    write: Write
    read: int
    would_insert: int | None
    would_update: int | None
    would_delete: int | None
    would_create: bool
    would_add_columns: list[NewColumn]
    would_hold: str | None
    from_checkpoint: bool
    partial: bool
    notes: list[str]
    columns: list[str]
    sample: list[dict[str, Any]]
    error: str | None


class DryRun(Wire):
    """`streams` by name; `partial` where any of them is."""

    streams: dict[str, StreamOutlook]
    partial: bool
    ms: int
