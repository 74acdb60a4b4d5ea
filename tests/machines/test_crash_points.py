"""Planning, leading and rescuing broken off at every call to the database in turn; another instance mends it.

A call may be lost, or its reply; the process may die there, or half of a bulk be carried out; or a person, or another
instance, does something just before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.machines.scene import DAY, Scene, again, at_every_call, holes
from tests.machines.wire import Fault, Fuse
from worker.clock import EPOCH
from worker.errors import JobActive
from worker.job import CatchUp, Overlap, Retry
from worker.rescuer import Rescuer
from worker.run import RunState
from worker.scheduler import Scheduler
from worker.store import Store

TERMS = ("just elected", "long the holder")
# All of them are `make chaos`; of each fault one is always there.
ALWAYS = {(Fault.REQUEST, True), (Fault.REPLY, False), (Fault.DEATH, True), (Fault.TORN, False)}


def planning_cases() -> Iterator[Any]:
    for how in (Fault.REQUEST, Fault.REPLY, Fault.DEATH, Fault.TORN):
        for led_before in (False, True):
            marks = () if (how, led_before) in ALWAYS else (pytest.mark.chaos,)
            yield pytest.param(how, led_before, marks=marks, id=f"{how.name.lower()}, {TERMS[led_before]}")


# Planning.


class Planning:
    """Jobs of every kind that may be due, and what must be true of them whatever happened."""

    def __init__(self, scene: Scene, *, led_before: bool) -> None:
        self.scene = scene
        self._led_before = led_before
        self._first: dict[str, datetime] = {}

    def begin(self) -> None:
        scene = self.scene
        scene.job("due", days_ago=0)
        scene.job("late", days_ago=4)
        scene.job("all", days_ago=2, catch_up=CatchUp.ALL)
        scene.job("none", days_ago=3, catch_up=CatchUp.NONE)
        scene.job("none-once", days_ago=0, catch_up=CatchUp.NONE)
        scene.job("busy", days_ago=2)
        scene.job("waits", days_ago=1, overlap=Overlap.QUEUE)
        scene.job("held", days_ago=1)
        for job_id in ("busy", "waits"):
            scene.claimed(job_id)
        scene.end(scene.claimed("held"), RunState.HELD)
        self._first = {job.id: job.next_fire_time for job in scene.store.jobs.list() if job.next_fire_time}

    def act(self, store: Store, fuse: Fuse) -> None:
        lease = self.scene.lease(store, "first")
        again(lease.turn, 2)
        if self._led_before:
            long_ago = self.scene.today - 30 * DAY
            self.scene.database["leases"].update_one({}, {"$set": {"acquired_at": long_ago}})
            again(lease.turn, 1)
        again(Scheduler(store, lease, queued=lambda: None).turn, 2)

    def check(self) -> list[str]:
        self.scene.settle()
        jobs = {job.id: job for job in self.scene.store.jobs.list()}
        now = self.scene.store.now()
        wrong = [f"{job.id} is still due" for job in jobs.values() if (job.next_fire_time or now) <= now]
        for job_id, first in self._first.items():
            runs = list(self.scene.database["runs"].find({"job_id": job_id}))
            until = jobs[job_id].next_fire_time
            assert until is not None
            wrong += [f"{job_id}: {one}" for one in holes(runs, first, until, DAY)]
            numbers = [run["sequence"] for run in runs]
            if len(numbers) != len(set(numbers)):
                wrong.append(f"{job_id}: sequences {sorted(numbers)}")
            wrong += [f"{job_id}: {run['state']}" for run in runs if run["state"] in ("queued", "running")]
        return wrong + terms_in_order(self.scene.database)


def terms_in_order(database: Any) -> list[str]:
    """Every term but the last has an end, and the lease's token is the last term's."""
    terms = list(database["lease_terms"].find().sort("_id", 1))
    wrong = [f"term {earlier['_id']} has no end" for earlier, _ in pairwise(terms) if earlier["ended_at"] is None]
    lease = database["leases"].find_one({})
    if terms[-1]["_id"] != lease["token"]:
        wrong.append(f"the lease has token {lease['token']}, its last term is {terms[-1]['_id']}")
    return wrong


@pytest.mark.parametrize(("how", "led_before"), list(planning_cases()))
def test_planning_broken_off_anywhere_leaves_no_hole(scene: Scene, how: Fault, led_before: bool) -> None:
    planning = Planning(scene, led_before=led_before)
    calls = at_every_call(scene, how, planning.act, planning.check, begin=planning.begin)
    assert calls >= (3 if how is Fault.TORN else 15)


def test_a_person_who_runs_the_jobs_meanwhile_makes_no_hole(scene: Scene) -> None:
    planning = Planning(scene, led_before=True)

    def run_all_now() -> None:
        for job in scene.store.jobs.list():
            try:
                if not scene.store.runs.held(job.id):
                    scene.end(scene.claimed(job.id))
            except JobActive:
                pass

    assert at_every_call(
        scene, Fault.MEANWHILE, planning.act, planning.check, begin=planning.begin, meanwhile=run_all_now
    )


@pytest.mark.parametrize("led_before", [pytest.param(False, marks=pytest.mark.chaos), True], ids=TERMS)
def test_a_holder_frozen_anywhere_while_another_plans_makes_no_hole(scene: Scene, led_before: bool) -> None:
    planning = Planning(scene, led_before=led_before)

    def act(store: Store, fuse: Fuse) -> None:
        planning.act(store, fuse)
        assert fuse.bulks_after == 0 or not fuse.blown, "the one that woke up went on to write"

    assert at_every_call(scene, Fault.MEANWHILE, act, planning.check, begin=planning.begin, meanwhile=scene.settle)


# Leading.


@pytest.mark.parametrize("how", (Fault.REQUEST, Fault.REPLY, Fault.DEATH), ids=lambda how: how.name.lower())
def test_a_term_broken_off_anywhere_is_followed_by_a_larger_token(scene: Scene, how: Fault) -> None:
    def act(store: Store, fuse: Fuse) -> None:
        lease = scene.lease(store, "first")
        again(lease.turn, 3)
        lease.release()
        again(lease.turn, 2)

    def check() -> list[str]:
        before = (scene.database["leases"].find_one({}) or {"token": 0})["token"]
        scene.end_lease()
        other = scene.lease(scene.store, "other")
        other.turn()
        holding = other.holding()
        if holding is None or holding.token != before + 1:
            return [f"after token {before} the other holds {holding}"]
        return terms_in_order(scene.database)

    assert at_every_call(scene, how, act, check, begin=lambda: None) >= 5


# Rescuing.


def test_an_owner_that_renews_just_before_the_rescue_keeps_its_run(scene: Scene) -> None:
    def begin() -> None:
        scene.job("j", days_ago=0)
        run = scene.claimed("j", "slow")
        expired = {"claim.renewed_at": EPOCH, "claim.expires_at": EPOCH}
        scene.database["runs"].update_one({"_id": run["_id"]}, {"$set": expired})

    def act(store: Store, fuse: Fuse) -> None:
        Rescuer(store).turn()

    def renew() -> None:
        (run,) = scene.database["runs"].find()
        scene.store.claims.beat(run["_id"], 1, 30, {})

    states: list[str] = []

    def check() -> list[str]:
        states.extend(run["state"] for run in scene.database["runs"].find())
        return []

    assert at_every_call(scene, Fault.MEANWHILE, act, check, begin=begin, meanwhile=renew) >= 3
    assert states == ["running"] * (len(states) - 1) + ["queued"]


@pytest.mark.parametrize("how", (Fault.REQUEST, Fault.REPLY, Fault.DEATH), ids=lambda how: how.name.lower())
def test_a_rescue_broken_off_anywhere_is_finished_by_another(scene: Scene, how: Fault) -> None:
    wanted = {"again": "queued", "spent": "failed", "gone": "cancelled", "unwanted": "cancelled", "alive": "running"}

    def begin() -> None:
        for job_id in wanted:
            scene.job(job_id, days_ago=0, retry=Retry(attempts=1 if job_id == "spent" else 3))
            scene.claimed(job_id, "dead")
        run = scene.store.runs.active("unwanted")
        assert run is not None
        scene.store.runs.cancel(run["_id"], "ann")
        scene.database["jobs"].delete_one({"_id": "gone"})
        expired = {"claim.renewed_at": EPOCH, "claim.expires_at": EPOCH}
        scene.database["runs"].update_many({"job_id": {"$ne": "alive"}}, {"$set": expired})

    def act(store: Store, fuse: Fuse) -> None:
        again(Rescuer(store).turn, 2)

    def check() -> list[str]:
        Rescuer(scene.store).turn()
        runs = list(scene.database["runs"].find())
        wrong = [f"{r['job_id']} is {r['state']}" for r in runs if r["state"] != wanted[r["job_id"]]]
        lost = [r for r in runs if r["job_id"] != "alive"]
        return wrong + [f"{r['job_id']}: {r['attempts']}" for r in lost if len(r["attempts"]) != 1]

    assert at_every_call(scene, how, act, check, begin=begin) >= 9
