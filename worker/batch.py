"""Records moved together from a source to a destination.

Frozen; the only place where row payloads and (later) columnar ones meet. It moves nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

TARGET_ROWS = 5_000
TARGET_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`rows` in the source's order, values in the canonical Python form of `worker.sync.types`.

    `bytes` is an estimate of the batch's size in memory or on the wire; it bounds the queue between reading
    and writing. `checkpoint` is where reading goes on *after* this batch (the connector's own JSON), or None
    where the source cannot resume. `first_row` counts rows of the stream from 1, for error messages. `removed` are rows
    that the source calls deleted: their keys are to go, after `rows` were written.
    """

    stream: str
    rows: list[Row]
    bytes: int
    checkpoint: Any = None
    first_row: int = 1
    removed: list[Row] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows)
