"""How far each stream of a run is: counted by the thread that writes, read by the one that reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker import clock
from worker.run import StreamState

STAGES = ("source", "transform", "destination", "checkpoint")


class Spent:
    """Where the time of the thread that writes went, in seconds by stage: laps of one clock, so that they add up.

    `source` is waiting for the next batch; what the source does meanwhile costs nothing.
    """

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        self._seconds = dict.fromkeys(STAGES, 0.0) | dict(seconds or {})
        self._since = clock.monotonic()

    def begin(self) -> None:
        """Start the clock; what passed before counts nowhere."""
        self._since = clock.monotonic()

    def lap(self, stage: str) -> None:
        """What passed since the last lap went into `stage`."""
        now = clock.monotonic()
        self._seconds[stage] += now - self._since
        self._since = now

    def document(self) -> dict[str, float]:
        return {stage: round(seconds, 3) for stage, seconds in self._seconds.items()}


@dataclass(kw_only=True)
class StreamProgress:
    """Counts of this run, all its attempts together; `bytes` as estimated by the source, `total` where it is known.

    `last_write_at` is this machine's time, for display.
    """

    state: StreamState = StreamState.PENDING
    read: int = 0
    written: int = 0
    deleted: int = 0
    bytes: int = 0
    checkpoint: Any = None
    total: int | None = None
    last_write_at: datetime | None = None
    spent: Spent = field(default_factory=Spent)

    def document(self) -> dict[str, Any]:
        return {
            "state": str(self.state),
            "read": self.read,
            "written": self.written,
            "deleted": self.deleted,
            "bytes": self.bytes,
            "checkpoint": self.checkpoint,
            "total": self.total,
            "last_write_at": self.last_write_at,
            "spent": self.spent.document(),
        }


def resumed(stored: Mapping[str, Any] | None) -> StreamProgress:
    """A stream's progress as an earlier attempt of the run left it."""
    if not stored:
        return StreamProgress()
    fields = {name: stored[name] for name in ("read", "written", "deleted", "bytes", "checkpoint", "total")}
    fields |= {"last_write_at": stored.get("last_write_at"), "spent": Spent(stored.get("spent"))}
    done = stored["state"] == StreamState.SUCCEEDED
    return StreamProgress(state=StreamState.SUCCEEDED if done else StreamState.PENDING, **fields)
