"""A scene on which something is broken off at each of its calls to the database in turn, and then finished by another.

After SQLite's own tests: fail the N-th call, for N from 1 until a run passes without reaching it, then look at what is
left. https://www.sqlite.org/testing.html#i_o_error_testing
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from pymongo import MongoClient

from tests.machines.wire import Died, Fault, Fuse, fused_store
from worker import clock
from worker.clock import EPOCH
from worker.errors import StoreUnavailable
from worker.job import Job, Schedule, StreamSpec
from worker.lease import Lease
from worker.run import RunState, Trigger
from worker.scheduler import SOON, Scheduler
from worker.store import Store
from worker.store.claims import Ending
from worker.store.client import Document

DAY = timedelta(days=1)
TTL = 15.0
COLLECTIONS = ("jobs", "runs", "leases", "lease_terms", "checkpoints", "run_logs")


class Scene:
    """A database of its own, begun anew for each N, and a process whose clock can jump."""

    def __init__(self, client: MongoClient[Document], database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.name = database
        self.store = Store(client, database)
        self.database = client[database]
        self.clock = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.clock)
        self.today = self.store.now().replace(hour=0, minute=0, second=0, microsecond=0)

    def begin(self) -> None:
        for name in COLLECTIONS:
            self.database[name].delete_many({})

    def job(self, job_id: str, *, days_ago: int, **more: Any) -> None:
        first = self.today - days_ago * DAY
        streams = (StreamSpec(name="orders"),)
        rule = Schedule(every=DAY.total_seconds())
        job = Job(id=job_id, source="a", destination="b", streams=streams, schedule=rule, next_fire_time=first, **more)
        self.store.jobs.insert(job)

    def claimed(self, job_id: str, instance: str = "busy") -> Document:
        run = self.store.runs.create(job_id, Trigger.MANUAL)
        claimed = self.store.claims.claim(instance, 30, run_id=run["_id"])
        assert claimed is not None
        return claimed

    def end(self, run: Document, state: RunState = RunState.SUCCEEDED) -> None:
        assert self.store.claims.end(run["_id"], run["claim"]["token"], state, Ending(progress={}))

    def finish_all(self) -> None:
        """Some instance works on whatever is queued or running."""
        for run in self.database["runs"].find({"state": "running"}):
            self.end(run)
        while (queued := self.store.claims.claim("busy", 30)) is not None:
            self.end(queued)

    def lease(self, store: Store, instance: str) -> Lease:
        return Lease(store.leases, instance=instance, host="h", ttl=TTL, gained=lambda: None)

    def end_lease(self) -> None:
        """Nobody renewed it for long, here as there."""
        self.clock += 10 * TTL
        self.database["leases"].update_many({}, {"$set": {"renewed_at": EPOCH, "expires_at": EPOCH}})

    def settle(self, instance: str = "other") -> None:
        """A fresh instance takes the lease and plans until nothing is due and no job is active."""
        self.end_lease()
        lease = self.lease(self.store, instance)
        lease.turn()
        scheduler = Scheduler(self.store, lease, queued=lambda: None)
        for _ in range(20):
            delay = scheduler.turn()
            self.finish_all()
            due = self.database["jobs"].distinct("_id", {"enabled": True, "next_fire_time": {"$lte": self.store.now()}})
            if delay > SOON and not due:
                return
        raise AssertionError(f"the planning never comes to an end: {due} are still due")


def at_every_call(
    scene: Scene,
    how: Fault,
    act: Callable[[Store, Fuse], None],
    check: Callable[[], list[str]],
    *,
    begin: Callable[[], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    """Let `act` meet the fault at each of its calls in turn; how many there were."""
    for at in count(1):
        scene.begin()
        begin()
        fuse = Fuse(at, how, meanwhile)
        try:
            act(fused_store(scene.client, scene.name, fuse), fuse)
        except Died:
            pass
        wrong = check()
        assert wrong == [], f"{how}, call {at}: {wrong}"
        if not fuse.blown:
            return at - 1
    raise AssertionError("unreachable")


def again(turn: Callable[[], object], times: int) -> None:
    """Turn as a service does: what the database did not answer is tried again."""
    for _ in range(times):
        try:
            turn()
        except StoreUnavailable:
            pass


def holes(runs: list[Document], first: datetime, until: datetime, step: timedelta) -> list[str]:
    """Each fire time of a job from `first` on, before `until`, must have one document, or lie in one gap's span."""
    spans = [(r["fire_time"], r.get("missed_until") or r["fire_time"]) for r in runs if r["trigger"] == "schedule"]
    wrong = []
    moment = first
    while moment < until:
        found = sum(begin <= moment <= end for begin, end in spans)
        if found != 1:
            wrong.append(f"{moment:%d %H:%M:%S} has {found} documents")
        moment += step
    return wrong
