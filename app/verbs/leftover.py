"""A run of a job that is there already: is somebody at work on it, or was it left behind by an instance that died?

It proves death by the run's claim alone: one that is not renewed expires, and then any instance may take the run. That
its process is gone from this machine only spares us from watching first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker import clock
from worker.errors import JobActive
from worker.rescuer import Rescuer
from worker.run import RunState
from worker.store import Store

LOOK = 0.2
# A claim is renewed at least at each fifth of its TTL: one that was not renewed in half of it is nobody's.
SILENCE = 0.5


class Leftover:
    """Looks at the active run of one job; `tell` says what it waits for."""

    def __init__(self, store: Store, job_id: str, host: str, *, tell: Callable[[str], None]) -> None:
        self._store = store
        self._job_id = job_id
        self._host = host
        self._tell = tell
        self._rescued: set[str] = set()

    def wait(self, stop: threading.Event) -> str | None:
        """The id of a queued run to take over; None where the job has no active run, or `stop` was set.

        Raises JobActive where a live instance has it, or will take it.
        """
        while not stop.is_set():
            run = self._store.runs.active(self._job_id)
            if run is None:
                return None
            if run["state"] == RunState.QUEUED:
                return self._queued(run)
            self._outlive(run, stop)
        return None

    def _queued(self, run: dict[str, Any]) -> str:
        run_id: str = run["_id"]
        others = [one for one in self._store.instances.list() if one["live"] and self._lives(one) is not False]
        if run_id not in self._rescued and any(one["mode"] != "run" for one in others):
            raise JobActive(self._job_id, run_id)
        self._tell(f"run {run_id} of {self._job_id} is queued and nobody takes it; going on with it here")
        return run_id

    def _outlive(self, run: dict[str, Any], stop: threading.Event) -> None:
        """Return when the run is no longer claimed as it was; JobActive where its claim is renewed."""
        owner = next((one for one in self._store.instances.list() if one["_id"] == run["claim"]["instance"]), None)
        who = f"{owner['host']}, pid {owner['pid']}" if owner else "an instance that is gone"
        dead = owner is not None and self._lives(owner) is False
        claim = run["claim"]
        ttl = (claim["expires_at"] - claim["renewed_at"]).total_seconds()
        if not dead:
            self._tell(f"run {run['_id']} of {self._job_id} is claimed by {who}; looking whether it is alive")
        self._watch(run, stop, seconds=0.0 if dead else ttl * SILENCE)
        left = max(0.0, (claim["expires_at"] - self._store.now()).total_seconds())
        self._tell(f"{who} died with run {run['_id']}; its claim expires in {left:.0f} s, waiting for that")
        self._rescued.add(run["_id"])
        while not stop.is_set() and self._same(run):
            Rescuer(self._store).turn()
            stop.wait(LOOK)

    def _watch(self, run: dict[str, Any], stop: threading.Event, *, seconds: float) -> None:
        until = clock.monotonic() + seconds
        while clock.monotonic() < until and not stop.is_set():
            if not self._same(run):
                raise JobActive(self._job_id, run["_id"])
            stop.wait(LOOK)

    def _same(self, run: dict[str, Any]) -> bool:
        """Whether the run is still running under a claim that nobody renewed. Raises JobActive where it was renewed."""
        now = self._store.runs.get(run["_id"])
        if now["state"] != RunState.RUNNING:
            return False
        if (now["claim"]["token"], now["claim"]["renewed_at"]) != (run["claim"]["token"], run["claim"]["renewed_at"]):
            raise JobActive(self._job_id, run["_id"])
        return True

    def _lives(self, instance: dict[str, Any]) -> bool | None:
        """Whether an instance's process is there; None where that cannot be seen from this machine."""
        if instance["host"] != self._host:
            return None
        return Path(f"/proc/{instance['pid']}").exists()
