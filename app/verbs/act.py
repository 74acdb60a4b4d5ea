"""`cancel`, `retry`, `approve` and `discard`: what a person asks of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.api import runs as run_shapes
from app.terminal import print_json
from app.verbs.session import session
from worker.run import RunState
from worker.store.runs import Runs


def cancel(run_id: str, *, as_json: bool) -> int:
    return _act("cancel", run_id, lambda runs, who: runs.cancel(run_id, who), as_json=as_json)


def retry(run_id: str, *, as_json: bool) -> int:
    return _act("retry", run_id, lambda runs, who: runs.retry(run_id, who), as_json=as_json)


def approve(run_id: str, *, as_json: bool) -> int:
    return _act("approve", run_id, lambda runs, who: runs.approve(run_id, who), as_json=as_json)


def discard(run_id: str, *, as_json: bool) -> int:
    return _act("discard", run_id, lambda runs, who: runs.discard(run_id, who), as_json=as_json)


def _act(name: str, run_id: str, deed: Callable[[Runs, str], dict[str, Any]], *, as_json: bool) -> int:
    """Raises NotFound, Conflict, JobActive."""
    with session() as here:
        run = deed(here.store.runs, here.who.name)
        here.store.audit.record(here.who, f"run.{name}", f"runs/{run_id}", after=run_shapes.trace(run))
    if as_json:
        print_json(run_shapes.shape(run))
    elif run["_id"] != run_id:
        print(f"run {run['_id']} of {run['job_id']} is queued; it goes on where {run_id} ended")
    elif run["state"] == RunState.RUNNING and run["cancel"]:
        print(f"run {run_id} of {run['job_id']} is asked to end; it does at its next batch")
    else:
        print(f"run {run_id} of {run['job_id']} is {run['state']}")
    return 0
