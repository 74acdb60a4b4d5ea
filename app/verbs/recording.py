"""The audit's record of a run that a command began: written when the run is first seen, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.api import runs as run_shapes
from app.verbs.session import Session

Watch = Callable[[dict[str, Any]], None]


def recorded(here: Session, action: str, watch: Watch) -> Watch:
    """`watch`, which also records `job.run` (or the like) once; `action` is the verb."""
    seen = False

    def look(run: dict[str, Any]) -> None:
        nonlocal seen
        if not seen:
            seen = True
            trace = run_shapes.trace(run) | {"state": "begun"}
            here.store.audit.record(here.who, f"job.{action}", f"jobs/{run['job_id']}", after=trace)
        watch(run)

    return look
