"""How far each stream of a run is: counted by the thread that writes, read by the one that reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.run import StreamState


@dataclass(kw_only=True)
class StreamProgress:
    """Counts of this run, all its attempts together; `bytes` as estimated by the source, `total` where it is known."""

    state: StreamState = StreamState.PENDING
    read: int = 0
    written: int = 0
    deleted: int = 0
    bytes: int = 0
    checkpoint: Any = None
    total: int | None = None

    def document(self) -> dict[str, Any]:
        return {
            "state": str(self.state),
            "read": self.read,
            "written": self.written,
            "deleted": self.deleted,
            "bytes": self.bytes,
            "checkpoint": self.checkpoint,
            "total": self.total,
        }


def resumed(stored: Mapping[str, Any] | None) -> StreamProgress:
    """A stream's progress as an earlier attempt of the run left it."""
    if not stored:
        return StreamProgress()
    fields = {name: stored[name] for name in ("read", "written", "deleted", "bytes", "checkpoint", "total")}
    done = stored["state"] == StreamState.SUCCEEDED
    return StreamProgress(state=StreamState.SUCCEEDED if done else StreamState.PENDING, **fields)
