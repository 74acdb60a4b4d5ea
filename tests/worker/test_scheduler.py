"""The scheduler on a real MongoDB: each due fire time ends in one document, whatever was there before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from worker.job import CatchUp, Job, Overlap, Schedule, StreamSpec
from worker.lease import Lease
from worker.run import RunState, Trigger
from worker.scheduler import Scheduler
from worker.store import Store
from worker.store.claims import Ending
from worker.store.client import Document

DAY = timedelta(days=1)


class Bench:
    """A leading scheduler, and jobs whose first fire times lie as far back as a test wants."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lease = Lease(store.leases, instance="here", host="h", ttl=15, gained=lambda: None)
        self.lease.turn()
        self.scheduler = Scheduler(store, self.lease, queued=lambda: None)
        now = store.now()
        self.today = now.replace(hour=0, minute=0, second=0, microsecond=0)

    def job(self, job_id: str = "orders", *, days_ago: int = 0, **more: Any) -> Job:
        return self.store.jobs.insert(
            Job(
                id=job_id,
                source="shop",
                destination="lake",
                streams=(StreamSpec(name="orders"),),
                schedule=Schedule(every=86_400),
                next_fire_time=self.today - days_ago * DAY,
                **more,
            )
        )

    def led_since(self, moment: datetime) -> None:
        """Let our term have begun at `moment`."""
        self.store.database["leases"].update_one({}, {"$set": {"acquired_at": moment}})
        self.lease.turn()

    def runs(self, job_id: str = "orders") -> list[Document]:
        return sorted(self.store.runs.list(job=job_id, limit=0), key=lambda run: run["fire_time"])

    def states(self, job_id: str = "orders") -> list[tuple[int, str]]:
        """(days before today, state) of each document."""
        return [(int((self.today - run["fire_time"]) / DAY), run["state"]) for run in self.runs(job_id)]

    def finish(self) -> None:
        run = self.store.claims.claim("here", 30)
        assert run is not None
        self.store.claims.end(run["_id"], run["claim"]["token"], RunState.SUCCEEDED, Ending(progress={}))


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_a_due_fire_time_becomes_one_queued_run(bench: Bench) -> None:
    bench.job()
    bench.scheduler.turn()
    bench.scheduler.turn()
    (run,) = bench.runs()
    assert (run["state"], run["trigger"], run["fire_time"]) == ("queued", "schedule", bench.today)
    assert run["lease_token"] == 1
    assert bench.store.jobs.get("orders").next_fire_time == bench.today + DAY


def test_what_passed_while_nobody_led_is_one_gap_and_one_run(bench: Bench) -> None:
    bench.job(days_ago=5)
    bench.scheduler.turn()
    gap, run = bench.runs()
    assert (gap["state"], gap["missed_count"], gap["missed_until"]) == ("missed", 5, bench.today - DAY)
    assert "while no instance led" in gap["reason"]
    assert (run["state"], run["fire_time"]) == ("queued", bench.today)


def test_a_fire_time_that_finds_its_job_active_is_skipped(bench: Bench) -> None:
    bench.job(days_ago=1)
    bench.led_since(bench.today - 10 * DAY)
    bench.store.runs.create("orders", Trigger.MANUAL)
    bench.scheduler.turn()
    scheduled = [run for run in bench.store.runs.list(job="orders") if run["trigger"] == "schedule"]
    assert {run["state"] for run in scheduled} == {"skipped"}
    assert len(scheduled) == 2
    latest = max(scheduled, key=lambda run: run["fire_time"])
    assert latest["reason"] == "the job was active"


def test_with_queue_the_latest_fire_time_waits_for_its_job(bench: Bench) -> None:
    bench.job(overlap=Overlap.QUEUE)
    bench.led_since(bench.today - 10 * DAY)
    bench.store.runs.create("orders", Trigger.MANUAL)
    bench.scheduler.turn()
    assert [run["trigger"] for run in bench.store.runs.list(job="orders")] == ["manual"]
    assert bench.store.jobs.get("orders").next_fire_time == bench.today
    bench.finish()
    bench.scheduler.turn()
    latest = bench.store.runs.list(job="orders")[0]
    assert (latest["trigger"], latest["state"], latest["fire_time"]) == ("schedule", "queued", bench.today)


def test_with_all_each_missed_fire_time_runs_in_turn(bench: Bench) -> None:
    bench.job(days_ago=3, catch_up=CatchUp.ALL)
    for _ in range(4):
        bench.scheduler.turn()
        bench.scheduler.turn()  # the job is active: the next one waits
        bench.finish()
    assert bench.states() == [(3, "succeeded"), (2, "succeeded"), (1, "succeeded"), (0, "succeeded")]


def test_with_none_what_was_missed_does_not_run(bench: Bench) -> None:
    bench.job(days_ago=3, catch_up=CatchUp.NONE)
    bench.led_since(bench.today + timedelta(seconds=30))
    bench.scheduler.turn()
    (gap,) = bench.runs()
    assert (gap["state"], gap["missed_count"]) == ("missed", 4)
    assert gap["reason"].endswith("catch_up is none")


def test_a_crash_between_the_documents_and_the_advance_repeats_harmlessly(bench: Bench) -> None:
    job = bench.job(days_ago=5)
    bench.scheduler.turn()
    before = bench.states()
    change = {"$set": {"next_fire_time": job.next_fire_time, "last_sequence": 0}}
    bench.store.database["jobs"].update_one({"_id": "orders"}, change)
    for _ in range(3):
        bench.scheduler.turn()
    assert bench.states() == before
    assert bench.store.jobs.get("orders").next_fire_time == bench.today + DAY


def test_a_crash_after_a_single_run_repeats_harmlessly(bench: Bench) -> None:
    job = bench.job()
    bench.scheduler.turn()
    change = {"$set": {"next_fire_time": job.next_fire_time, "last_sequence": 0}}
    bench.store.database["jobs"].update_one({"_id": "orders"}, change)
    bench.scheduler.turn()
    assert bench.states() == [(0, "queued")]
    assert bench.store.jobs.get("orders").next_fire_time == bench.today + DAY


def test_a_sequence_taken_meanwhile_is_mended(bench: Bench) -> None:
    bench.job()
    run = bench.store.runs.create("orders", Trigger.MANUAL)
    bench.finish()
    bench.store.database["jobs"].update_one({"_id": "orders"}, {"$set": {"last_sequence": run["sequence"] - 1}})
    bench.scheduler.turn()
    bench.scheduler.turn()
    sequences = [one["sequence"] for one in bench.store.runs.list(job="orders")]
    assert len(sequences) == len(set(sequences)) == 2


def test_a_job_with_a_held_run_is_not_run(bench: Bench) -> None:
    bench.job()
    bench.store.runs.create("orders", Trigger.MANUAL)
    run = bench.store.claims.claim("here", 30)
    assert run is not None
    bench.store.claims.end(run["_id"], 1, RunState.HELD, Ending(progress={}))
    bench.scheduler.turn()
    skipped = next(one for one in bench.store.runs.list(job="orders") if one["trigger"] == "schedule")
    assert (skipped["state"], skipped["reason"]) == ("skipped", f"run {run['_id']} of the job is held")


def test_a_standby_plans_nothing(bench: Bench) -> None:
    bench.job()
    standby = Lease(bench.store.leases, instance="there", host="h", ttl=15, gained=lambda: None)
    standby.turn()
    Scheduler(bench.store, standby, queued=lambda: None).turn()
    assert bench.runs() == []


def test_an_older_token_moves_no_job(bench: Bench) -> None:
    bench.job()
    bench.store.database["jobs"].update_one({"_id": "orders"}, {"$set": {"lease_token": 7}})
    bench.scheduler.turn()
    assert bench.store.jobs.get("orders").next_fire_time == bench.today


def test_a_disabled_job_is_never_due(bench: Bench) -> None:
    bench.job(enabled=False)
    bench.scheduler.turn()
    assert bench.runs() == []


def test_many_jobs_due_at_once_are_planned_in_one_turn(bench: Bench) -> None:
    for number in range(1200):
        bench.job(f"job-{number:04}")
    bench.lease.turn()  # saving them may have taken longer than the lease lasts
    bench.scheduler.turn()
    assert bench.store.runs.counts()["queued"] == 1200


BROKEN = {
    "bad cron": {"schedule.every": None, "schedule.cron": "every now and then"},
    "unknown zone": {"schedule.every": None, "schedule.cron": "0 0 * * *", "schedule.timezone": "Mars/Olympus"},
    "no stream": {"streams": None},
    "a word for a number": {"retry.attempts": "three"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_job_that_was_broken_by_hand_delays_no_other(
    bench: Bench, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    for job_id in ("before", "broken", "orders"):
        bench.job(job_id)
    bench.store.database["jobs"].update_one({"_id": "broken"}, {"$set": change})
    bench.scheduler.turn()
    bench.scheduler.turn()
    assert len(bench.runs("before")) == len(bench.runs("orders")) == 1 and bench.runs("broken") == []
    assert [record.message.count("'broken'") for record in caplog.records] == [1], "told once, and by its name"
    stored = bench.store.database["jobs"].find_one({"_id": "broken"})
    assert stored is not None and stored["next_fire_time"] == bench.today


def test_a_page_of_broken_jobs_hides_none_behind_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.scheduler.PAGE", 2)
    for number in range(4):
        bench.job(f"broken-{number}", days_ago=1)
    bench.store.database["jobs"].update_many({}, {"$unset": {"retry": ""}})
    bench.job()
    bench.scheduler.turn()
    assert len(bench.runs()) == 1
