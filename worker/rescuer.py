"""Runs whose claim expired are queued again, or failed when their attempts are spent.

Any instance does this; a filter on the expired claim's token lets one of them succeed. It kills nobody: a frozen
owner that wakes up finds its claim lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from worker.errors import Unreadable
from worker.run import RunState
from worker.store import Store
from worker.store.client import Document

log = logging.getLogger(__name__)

POLL = 1.0


class Rescuer:
    """`queued` is called when there are runs to claim again: a free slot here need not wait for its next look."""

    def __init__(self, store: Store, queued: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._queued = queued

    def turn(self) -> float:
        abandoned = self._store.claims.abandoned()
        for run in abandoned:
            self._rescue(run)
        if abandoned:
            self._queued()
        return POLL

    def _rescue(self, run: Document) -> None:
        unreadable = None
        try:
            job = self._store.jobs.find(run["job_id"])
        except Unreadable as fault:
            job, unreadable = None, str(fault)
        allowed = job.retry.attempts if job else 0
        died = f"its instance died, or froze, during attempt {run['attempt']}"
        error = {"type": "LostClaim", "message": died, "stream": None}
        if run["cancel"]:
            state, reason = RunState.CANCELLED, f"cancelled by {run['cancel']['by']}; {died}"
        elif unreadable:
            state, reason = RunState.FAILED, f"{died}; {unreadable}"
        elif job is None:
            state, reason = RunState.CANCELLED, "the job was deleted"
        elif run["attempt"] >= allowed:
            state, reason = RunState.FAILED, f"{died} of {allowed}"
        else:
            state, reason = RunState.QUEUED, f"rescued: {died} of {allowed}"
        if self._store.claims.rescue(run, state, reason=reason, error=error):
            log.warning("run %s of %s: %s; it is %s now", run["_id"], run["job_id"], reason, state)
