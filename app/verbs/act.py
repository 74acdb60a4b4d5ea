"""`cancel`, `retry`, `approve` and `discard`: what a person asks of a run."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable
from typing import Any

from app.api import runs as run_shapes
from app.terminal import print_json
from app.verbs.session import session
from worker.run import RunState
from worker.store import Store


def cancel(run_id: str, *, as_json: bool) -> int:
    return _act(run_id, lambda store: store.runs.cancel(run_id, _who()), as_json=as_json)


def retry(run_id: str, *, as_json: bool) -> int:
    return _act(run_id, lambda store: store.runs.retry(run_id, _who()), as_json=as_json)


def approve(run_id: str, *, as_json: bool) -> int:
    return _act(run_id, lambda store: store.runs.approve(run_id, _who()), as_json=as_json)


def discard(run_id: str, *, as_json: bool) -> int:
    return _act(run_id, lambda store: store.runs.discard(run_id, _who()), as_json=as_json)


def _act(run_id: str, deed: Callable[[Store], dict[str, Any]], *, as_json: bool) -> int:
    """Raises NotFound, Conflict, JobActive."""
    with session() as here:
        run = deed(here.store)
    if as_json:
        print_json(run_shapes.shape(run))
    elif run["_id"] != run_id:
        print(f"run {run['_id']} of {run['job_id']} is queued; it goes on where {run_id} ended")
    elif run["state"] == RunState.RUNNING and run["cancel"]:
        print(f"run {run_id} of {run['job_id']} is asked to end; it does at its next batch")
    else:
        print(f"run {run_id} of {run['job_id']} is {run['state']}")
    return 0


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user without a name
        return socket.gethostname()
