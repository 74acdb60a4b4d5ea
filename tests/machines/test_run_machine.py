"""The life of runs as a state machine on a real MongoDB: two schedulers, three instances, a person, and lost messages.

Time passes by moving what is on the server's clock into the past, and by setting the instances' monotonic clock and the
time of day that the scheduler asks for ahead, by the same amount. An attempt is its claim here: it beats, saves its
checkpoint, and ends in each way that there is; one that was frozen wakes up and tries to write all that it ever could.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.machines.scene import Scene, holes
from tests.machines.wire import Died, Fault, Fuse, fused_store
from worker import clock
from worker import store as stores
from worker.apply import due
from worker.errors import Conflict, LostClaim, NotFound, StoreUnavailable
from worker.job import CatchUp, Job, Overlap, Retry, Schedule, StreamSpec
from worker.lease import Lease
from worker.rescuer import Rescuer
from worker.run import FINAL, RETRYABLE, RunState, Trigger
from worker.scheduler import SOON, Scheduler
from worker.store.claims import Ending
from worker.store.client import Document, server_now
from worker.store.leases import Leases, Term

EVERY = timedelta(seconds=10)
# Both outlast what an example takes in earnest.
LEASE_TTL, CLAIM_TTL = 60.0, 90.0
ATTEMPTS = 2
JOBS = {
    "plain": (CatchUp.LATEST, Overlap.SKIP),
    "queue": (CatchUp.LATEST, Overlap.QUEUE),
    "all": (CatchUp.ALL, Overlap.SKIP),
    "none": (CatchUp.NONE, Overlap.SKIP),
}
ON_THE_SERVERS_CLOCK = {
    "leases": ("acquired_at", "renewed_at", "expires_at"),
    "runs": ("not_before", "claim.renewed_at", "claim.expires_at"),
}
NEVER = 99
holders = st.sampled_from(("a", "b"))
instances = st.sampled_from(("a", "b", "c"))
jobs = st.sampled_from(sorted(JOBS))
calls = st.sampled_from((*range(1, 10), NEVER, NEVER, NEVER))


@dataclass(frozen=True, kw_only=True)
class Mine:
    """What an instance believes to be its: a run, by the claim of `token`."""

    run_id: str
    job_id: str
    sequence: int
    token: int
    attempt: int
    trusted_until: float


class Ahead:
    """The leases, with times that are as far ahead as the scheduler's."""

    def __init__(self, leases: Leases, ahead: Callable[[], timedelta]) -> None:
        self._leases = leases
        self._ahead = ahead

    def hold(self, *args: Any) -> Term:
        term = self._leases.hold(*args)
        return replace(term, acquired_at=term.acquired_at + self._ahead())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._leases, name)


def machine(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> type[RuleBasedStateMachine]:
    store, database = scene.store, scene.database

    class RunMachine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            scene.begin()
            self.passed = 0.0
            monkeypatch.setattr(clock, "monotonic", lambda: 1000.0 + self.passed)
            monkeypatch.setattr(stores, "server_now", lambda at: server_now(at) + self.ahead())
            self.leases = {name: self.lease(name) for name in ("a", "b")}
            self.mine: dict[str, list[Mine]] = {"a": [], "b": [], "c": []}
            self.since: dict[str, datetime] = {}
            self.final: dict[str, Document] = {}
            self.tokens: dict[str, int] = {}
            self.fences: dict[str, tuple[int, int]] = {}
            for job_id in JOBS:
                self.save_job(job_id)
            self.fire(25.0)

        def ahead(self) -> timedelta:
            return timedelta(seconds=self.passed)

        def lease(self, name: str) -> Lease:
            wire: Any = Ahead(store.leases, self.ahead)
            return Lease(wire, instance=name, host="h", ttl=LEASE_TTL, gained=lambda: None)

        def save_job(self, job_id: str) -> None:
            catch_up, overlap = JOBS[job_id]
            job = Job(
                id=job_id,
                source="in",
                destination="out",
                streams=(StreamSpec(name="rows"),),
                schedule=Schedule(every=EVERY.total_seconds()),
                retry=Retry(attempts=ATTEMPTS),
                catch_up=catch_up,
                overlap=overlap,
            )
            self.counts_from(store.jobs.insert(due(job, None, store.now())))

        def counts_from(self, job: Job) -> None:
            if job.next_fire_time is not None:
                self.since[job.id] = job.next_fire_time

        @rule(seconds=st.sampled_from([1.0, 7.0, 25.0, LEASE_TTL + 1, CLAIM_TTL + 1]))
        def time_passes(self, seconds: float) -> None:
            self.passed += seconds
            for collection, names in ON_THE_SERVERS_CLOCK.items():
                for name in names:
                    earlier = {"$set": {name: {"$subtract": [f"${name}", round(seconds * 1000)]}}}
                    database[collection].update_many({name: {"$type": "date"}}, [earlier])

        # Leading and planning.

        @rule(seconds=st.sampled_from([7.0, 25.0]))
        def fire(self, seconds: float) -> None:
            """All is well: somebody leads, and plans."""
            self.time_passes(seconds)
            for who in self.leases:
                self.leases[who].turn()
                self.plan(who)

        @rule(who=holders)
        def leads(self, who: str) -> None:
            self.leases[who].turn()

        @rule(who=holders)
        def resigns(self, who: str) -> None:
            self.leases[who].release()

        @rule(who=holders, at=calls, how=st.sampled_from([Fault.REQUEST, Fault.REPLY, Fault.DEATH, Fault.TORN]))
        def plans(self, who: str, at: int, how: Fault) -> None:
            self.leases[who].turn()
            self.plan(who, Fuse(at, how))

        @rule(at=calls, seconds=st.sampled_from([LEASE_TTL + 1, 2 * LEASE_TTL]))
        def one_plans_while_the_other_is_frozen(self, at: int, seconds: float) -> None:
            def meanwhile() -> None:
                self.time_passes(seconds)
                self.leases["b"].turn()
                self.plan("b")

            self.leases["a"].turn()
            self.plan("a", Fuse(at, Fault.MEANWHILE, meanwhile))

        def plan(self, who: str, fuse: Fuse | None = None) -> float:
            way = fused_store(scene.client, scene.name, fuse) if fuse else store
            try:
                return Scheduler(way, self.leases[who], queued=lambda: None).turn()
            except (StoreUnavailable, Died):
                return 0.0

        # What a person does.

        @rule(job_id=jobs)
        def run_now(self, job_id: str) -> None:
            self.ask(lambda: store.runs.create(job_id, Trigger.MANUAL))

        @rule(job_id=jobs, what=st.sampled_from(["cancel", "approve", "discard", "retry"]))
        def decides(self, job_id: str, what: str) -> None:
            newest = store.runs.list(job=job_id, states=self.states_for(what), limit=1)
            if newest:
                self.ask(lambda: getattr(store.runs, what)(newest[0]["_id"], "ann"))

        @staticmethod
        def states_for(what: str) -> list[str]:
            if what == "retry":
                return [str(state) for state in RETRYABLE]
            return ["queued", "running", "held"] if what == "cancel" else ["held"]

        @rule(job_id=jobs)
        def switches(self, job_id: str) -> None:
            job = store.jobs.get(job_id)
            ready = due(replace(job, enabled=not job.enabled), None, store.now())
            self.counts_from(store.jobs.set_enabled(job_id, ready.enabled, ready.next_fire_time))

        @rule(job_id=jobs)
        def makes_anew(self, job_id: str) -> None:
            def anew() -> None:
                store.jobs.delete(job_id)
                self.fences.pop(job_id, None)
                self.save_job(job_id)

            self.ask(anew)

        @staticmethod
        def ask(what: Callable[[], object]) -> None:
            try:
                what()
            except (Conflict, NotFound):
                pass

        # Working on runs.

        @rule(who=instances, reply_comes=st.booleans())
        def claims(self, who: str, reply_comes: bool = True) -> None:
            sent = clock.monotonic()
            run = store.claims.claim(who, CLAIM_TTL)
            if run is None:
                return
            token = run["claim"]["token"]
            assert token == self.tokens.get(run["_id"], 0) + 1
            self.tokens[run["_id"]] = token
            assert run["attempt"] <= ATTEMPTS
            if reply_comes:
                self.mine[who].append(
                    Mine(
                        run_id=run["_id"],
                        job_id=run["job_id"],
                        sequence=run["sequence"],
                        token=token,
                        attempt=run["attempt"],
                        trusted_until=sent + 0.8 * CLAIM_TTL,
                    )
                )

        @rule(who=instances)
        def beats(self, who: str) -> None:
            kept = []
            for mine in self.mine[who]:
                sent = clock.monotonic()
                after = store.claims.beat(mine.run_id, mine.token, CLAIM_TTL, {})
                assert (after is not None) == self.owns(mine)
                if after is not None:
                    kept.append(replace(mine, trusted_until=sent + 0.8 * CLAIM_TTL))
            self.mine[who] = kept

        @rule(who=instances, ends=st.sampled_from(["succeeded", "held", "failed", "interrupted", "writes"]))
        def goes_on(self, who: str, ends: str) -> None:
            """One that trusts its claim; then it is still the owner, whatever the others did."""
            trusted = [mine for mine in self.mine[who] if clock.monotonic() < mine.trusted_until]
            for mine in trusted[-1:]:
                assert self.owns(mine)
                assert self.write(mine, ends)
                if ends != "writes":
                    self.mine[who].remove(mine)

        @rule(first=instances, second=instances, wrote=st.booleans())
        def one_works_while_the_other_is_frozen(self, first: str, second: str, wrote: bool) -> None:
            self.fire(7.0)
            for who in (first, second):
                self.claims(who)
                if wrote:
                    self.goes_on(who, "writes")
                if who == first:
                    self.time_passes(CLAIM_TTL + 1)
                    self.rescues()
            self.wakes_up(first)

        @rule(who=instances)
        def wakes_up(self, who: str) -> None:
            """One that was frozen writes all that it ever could, in the belief that its runs are its own."""
            for mine in self.mine[who]:
                if self.owns(mine):
                    continue
                before = self.seen(mine)
                for what in ("writes", "succeeded", "held", "failed", "interrupted"):
                    assert not self.write(mine, what)
                assert store.claims.beat(mine.run_id, mine.token, CLAIM_TTL, {"rows": {"read": 7}}) is None
                assert self.seen(mine) == before
            self.mine[who] = [mine for mine in self.mine[who] if self.owns(mine)]

        def write(self, mine: Mine, what: str) -> bool:
            ending = Ending(progress={})
            if what == "writes":
                return self.save_checkpoint(mine)
            if what == "failed" and mine.attempt < ATTEMPTS:
                return store.claims.requeue(mine.run_id, mine.token, "failed", ending, delay=5)
            if what == "interrupted":
                return store.claims.requeue(mine.run_id, mine.token, "interrupted", ending, give_back=True)
            return store.claims.end(mine.run_id, mine.token, RunState(what), ending)

        def save_checkpoint(self, mine: Mine) -> bool:
            fence = {"sequence": mine.sequence, "token": mine.token}
            if not self.owns(mine) and self.fences.get(mine.job_id, (0, 0)) <= (mine.sequence, mine.token):
                return False  # nobody wrote since: the attempt's own look at its claim is what stops it
            try:
                store.checkpoints.save(mine.job_id, "rows", mine.token, run_id=mine.run_id, **fence)
            except LostClaim:
                return False
            return True

        def seen(self, mine: Mine) -> list[Document]:
            return [*database["runs"].find({"_id": mine.run_id}), *database["checkpoints"].find()]

        @staticmethod
        def owns(mine: Mine) -> bool:
            run = store.runs.get(mine.run_id)
            return bool(run["state"] == "running" and run["claim"]["token"] == mine.token)

        @rule()
        def rescues(self) -> None:
            Rescuer(store).turn()

        # What must always be true.

        @invariant()
        def runs_keep_their_promises(self) -> None:
            runs = list(database["runs"].find())
            active = [run["job_id"] for run in runs if run["state"] in ("queued", "running")]
            assert len(active) == len(set(active)), "two active runs of one job"
            for run in runs:
                token = run["claim"]["token"]
                assert token >= self.tokens.get(run["_id"], 0), "a claim's token shrank"
                self.tokens[run["_id"]] = token
                assert 0 <= run["attempt"] <= ATTEMPTS
                kept = [one["token"] for one in run["attempts"]]
                assert kept == sorted(set(kept)), f"attempts by {kept}"
                before = self.final.get(run["_id"])
                assert before in (None, run), "a final run changed"
                if run["state"] in FINAL:
                    assert run["finished_at"] is not None
                    self.final[run["_id"]] = run
            numbers = [(run["job_id"], run["sequence"]) for run in runs]
            assert len(numbers) == len(set(numbers)), "a sequence twice"

        @invariant()
        def checkpoints_never_go_back(self) -> None:
            for kept in database["checkpoints"].find():
                fence = (kept["sequence"], kept["token"])
                assert fence >= self.fences.get(kept["job_id"], (0, 0))
                self.fences[kept["job_id"]] = fence

        @invariant()
        def every_fire_time_has_one_document(self) -> None:
            for job in store.jobs.list():
                if job.enabled and job.next_fire_time is not None:
                    runs = list(database["runs"].find({"job_id": job.id}))
                    assert holes(runs, self.since[job.id], job.next_fire_time, EVERY) == [], job.id

        def teardown(self) -> None:
            """Whatever happened: once all is quiet, everything is planned, and every run comes to its end."""
            if not hasattr(self, "leases"):
                return
            self.time_passes(2 * CLAIM_TTL)
            self.leases["a"].turn()
            self.leases["b"].release()
            self.leases["a"].turn()
            for _ in range(1_000):  # with catch_up all, a turn for each fire time that passed
                waits = self.plan("a")
                Rescuer(store).turn()
                while (run := store.claims.claim("c", CLAIM_TTL)) is not None:
                    store.claims.end(run["_id"], run["claim"]["token"], RunState.SUCCEEDED, Ending(progress={}))
                late = {"enabled": True, "next_fire_time": {"$lte": store.now()}}
                if waits > SOON and not database["jobs"].count_documents(late):
                    break
            else:
                raise AssertionError("the planning never comes to an end")
            self.time_passes(5)
            assert database["runs"].count_documents({"state": "running"}) == 0
            self.runs_keep_their_promises()
            self.every_fire_time_has_one_document()

    return RunMachine


EXAMPLES = [pytest.param(25, id="quick"), pytest.param(400, id="long", marks=[pytest.mark.chaos])]


@pytest.mark.parametrize("examples", EXAMPLES)
def test_runs_keep_their_promises(scene: Scene, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    run_state_machine_as_test(
        machine(scene, monkeypatch),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
