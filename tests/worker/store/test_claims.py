"""The life of a claim on a real MongoDB: every write carries its token, and an older one changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from worker.errors import Conflict, JobActive, NotFound
from worker.job import Job, Schedule, StreamSpec
from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.claims import Ending
from worker.store.client import Document

TTL = 30.0
NOTHING = Ending(progress={})


def save_job(store: Store, job_id: str = "orders") -> Job:
    streams = (StreamSpec(name="orders"),)
    return store.jobs.insert(
        Job(id=job_id, source="shop", destination="lake", streams=streams, schedule=Schedule(every=60))
    )


def claimed(store: Store) -> Document:
    save_job(store)
    store.runs.create("orders", Trigger.MANUAL)
    run = store.claims.claim("here", TTL)
    assert run is not None
    return run


def expire(store: Store, run_id: str) -> None:
    past = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 60}}
    change = {"claim.renewed_at": past, "claim.expires_at": past}
    store.database["runs"].update_one({"_id": run_id}, [{"$set": change}])


def test_a_job_has_one_active_run(store: Store) -> None:
    save_job(store)
    first = store.runs.create("orders", Trigger.MANUAL)
    with pytest.raises(JobActive) as refusal:
        store.runs.create("orders", Trigger.MANUAL)
    assert refusal.value.run_id == first["_id"]
    with pytest.raises(NotFound):
        store.runs.create("nothing", Trigger.MANUAL)


def test_the_longest_waiting_run_is_claimed_first_and_only_once(store: Store) -> None:
    for name in ("a", "b"):
        save_job(store, name)
        store.runs.create(name, Trigger.MANUAL)
    claims = [store.claims.claim("here", TTL) for _ in range(3)]
    assert [run and run["job_id"] for run in claims] == ["a", "b", None]


def test_a_claim_counts_an_attempt_and_grows_the_token(store: Store) -> None:
    run = claimed(store)
    assert (run["state"], run["attempt"], run["claim"]["token"]) == ("running", 1, 1)
    assert store.claims.requeue(run["_id"], 1, "failed", NOTHING)
    again = store.claims.claim("there", TTL)
    assert again is not None
    assert (again["attempt"], again["claim"]["token"], again["claim"]["instance"]) == (2, 2, "there")
    assert [(a["attempt"], a["instance"], a["outcome"]) for a in again["attempts"]] == [(1, "here", "failed")]


def test_an_interruption_gives_the_attempt_back(store: Store) -> None:
    run = claimed(store)
    assert store.claims.requeue(run["_id"], 1, "interrupted", NOTHING, give_back=True)
    again = store.claims.claim("there", TTL)
    assert again is not None and again["attempt"] == 1 and again["claim"]["token"] == 2


def test_a_stream_of_a_run_that_nobody_works_on_is_not_running(store: Store) -> None:
    run = claimed(store)
    progress = {"orders": {"state": "running", "read": 7}, "done": {"state": "succeeded", "read": 1}}
    assert store.claims.requeue(run["_id"], 1, "interrupted", Ending(progress=progress), give_back=True)
    waiting = store.runs.get(run["_id"])["progress"]
    assert waiting == {"orders": {"state": "pending", "read": 7}, "done": {"state": "succeeded", "read": 1}}


@pytest.mark.parametrize(("then", "state"), [(RunState.QUEUED, "pending"), (RunState.FAILED, "failed")])
def test_a_stream_of_a_rescued_run_is_not_running(store: Store, then: RunState, state: str) -> None:
    run = claimed(store)
    store.claims.beat(run["_id"], 1, TTL, {"orders": {"state": "running", "read": 7}})
    expire(store, run["_id"])
    (found,) = store.claims.abandoned()
    assert store.claims.rescue(found, then, reason="rescued", error=None)
    assert store.runs.get(run["_id"])["progress"] == {"orders": {"state": state, "read": 7}}


def test_a_retry_waits_for_its_delay(store: Store) -> None:
    run = claimed(store)
    assert store.claims.requeue(run["_id"], 1, "failed", NOTHING, delay=3600)
    assert store.runs.get(run["_id"])["state"] == "queued"
    assert store.claims.claim("there", TTL) is None


def test_an_older_token_writes_nothing(store: Store) -> None:
    run = claimed(store)
    store.claims.requeue(run["_id"], 1, "failed", NOTHING)
    store.claims.claim("there", TTL)
    assert store.claims.beat(run["_id"], 1, TTL, {"orders": {"read": 9}}) is None
    assert not store.claims.end(run["_id"], 1, RunState.SUCCEEDED, NOTHING)
    assert not store.claims.requeue(run["_id"], 1, "failed", NOTHING)
    now = store.runs.get(run["_id"])
    assert (now["state"], now["claim"]["token"], now["progress"]) == ("running", 2, {})


def test_progress_keeps_any_stream_name(store: Store) -> None:
    run = claimed(store)
    progress = {"public.orders": {"read": 1}, "$odd": {"read": 2}, "ünïcode name": {"read": 3}}
    assert store.claims.beat(run["_id"], 1, TTL, progress) is not None
    assert store.runs.get(run["_id"])["progress"] == progress


def test_cancel_reaches_a_running_run_with_its_next_beat(store: Store) -> None:
    run = claimed(store)
    assert store.runs.cancel(run["_id"], "ann")["state"] == "running"
    beat = store.claims.beat(run["_id"], 1, TTL, {})
    assert beat is not None and beat["cancel"]["by"] == "ann"


def test_cancel_ends_a_queued_run_and_refuses_a_finished_one(store: Store) -> None:
    save_job(store)
    run = store.runs.create("orders", Trigger.MANUAL)
    after = store.runs.cancel(run["_id"], "ann")
    assert (after["state"], after["reason"]) == ("cancelled", "cancelled by ann")
    with pytest.raises(Conflict, match="is cancelled; only a queued, running or held run"):
        store.runs.cancel(run["_id"], "ann")


def test_only_an_expired_claim_is_rescued_and_only_once(store: Store) -> None:
    run = claimed(store)
    assert store.claims.abandoned() == []
    expire(store, run["_id"])
    (found,) = store.claims.abandoned()
    assert store.claims.rescue(found, RunState.QUEUED, reason="rescued", error=None)
    assert not store.claims.rescue(found, RunState.QUEUED, reason="rescued", error=None)
    after = store.runs.get(run["_id"])
    assert (after["state"], after["reason"], after["attempt"]) == ("queued", "rescued", 1)
    assert after["attempts"][0]["outcome"] == "lost"


def test_a_claim_from_a_clock_that_was_set_back_is_rescued(store: Store) -> None:
    run = claimed(store)
    ahead = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": 120}}
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": 150}}
    change = {"claim.renewed_at": ahead, "claim.expires_at": until}
    store.database["runs"].update_one({"_id": run["_id"]}, [{"$set": change}])
    assert [found["_id"] for found in store.claims.abandoned()] == [run["_id"]]


def test_a_held_run_waits_for_a_person(store: Store) -> None:
    run = claimed(store)
    store.claims.hold(run["_id"], 1, {"removes": 40})
    assert store.claims.end(run["_id"], 1, RunState.HELD, Ending(progress={}, reason="40 rows would go"))
    assert store.runs.held_jobs(["orders"]) == {"orders": run["_id"]}
    with pytest.raises(Conflict, match="is held; approve or discard it first"):
        store.runs.create("orders", Trigger.MANUAL)
    approved = store.runs.approve(run["_id"], "ann")
    assert (approved["state"], approved["approved"]["removes"]) == ("queued", 40)
    with pytest.raises(Conflict, match="only a held run can be discarded"):
        store.runs.discard(run["_id"], "ann")


def test_a_retry_is_a_new_run_of_the_same_job(store: Store) -> None:
    run = claimed(store)
    with pytest.raises(Conflict, match="only a failed or cancelled run can be retried"):
        store.runs.retry(run["_id"], "ann")
    store.claims.end(run["_id"], 1, RunState.FAILED, NOTHING)
    again = store.runs.retry(run["_id"], "ann")
    assert (again["trigger"], again["retry_of"], again["sequence"]) == ("retry", run["_id"], run["sequence"] + 1)


def test_a_run_can_be_born_claimed(store: Store) -> None:
    save_job(store)
    run = store.runs.create("orders", Trigger.MANUAL, claim_for=("here", TTL))
    assert store.claims.claim("there", TTL) is None
    assert store.claims.beat(run["_id"], 1, TTL, {}) is not None


def test_an_attempt_begins_when_the_last_one_has_ended_whichever_command_began_first(store: Store) -> None:
    run = claimed(store)
    assert store.claims.requeue(run["_id"], run["claim"]["token"], "interrupted", NOTHING, give_back=True)
    ended = store.now() + timedelta(seconds=5)  # as if the next claim had begun before this was written
    store.database["runs"].update_one({"_id": run["_id"]}, {"$set": {"attempts.0.ended_at": ended}})
    again = store.claims.claim("there", TTL)
    assert again is not None
    assert again["attempt_started_at"] == ended
