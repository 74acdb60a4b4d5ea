"""Thousands of jobs due in the same second: all runs at once, no renewal missed, and two instances share the work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.conftest import StartProgram
from tests.journeys import checker
from tests.journeys.test_three_instances import KEY, save_connections, shop
from tests.waiting import until
from worker.job import Job, Schedule, StreamSpec, Write
from worker.store import Store
from worker.store.jobs import to_document

pytestmark = pytest.mark.journey
TARGETS = 25
ROWS = 50
DAY = 86_400


def save_many(store: Store, count: int, due: datetime) -> None:
    """`count` jobs that are all due at `due`, stored in one go."""
    documents = []
    for number in range(count):
        stream = StreamSpec(name="items", write=Write.UPSERT, key=("id",), target=f"items_{number % TARGETS}")
        job = Job(
            id=f"job-{number:05}",
            source="shop",
            destination="lake",
            streams=(stream,),
            schedule=Schedule(every=DAY),
            next_fire_time=due,
        )
        stamps = {"created_at": due, "updated_at": due, "revision": 1, "last_sequence": 0}
        documents.append({"_id": job.id, **to_document(job), **stamps})
    store.database["jobs"].insert_many(documents)


@pytest.mark.parametrize("jobs", [300, pytest.param(10_000, marks=[pytest.mark.chaos, pytest.mark.timeout(1200)])])
def test_many_jobs_due_in_one_second_are_queued_at_once_and_all_finished(
    store: Store,
    mongo_url: str,
    mongo_database: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
    jobs: int,
) -> None:
    lake = f"{mongo_database}_lake"
    save_connections(store, shop(tmp_path), mongo_url, lake)
    env = environment(APP_ENV="production", AUTH="none", SECRET_KEY=KEY)
    both = [program("-m", "app", env=env), program("-m", "worker", env=env, ready=False)]
    database = store.database
    until(lambda: database["instances"].count_documents({}) == 2, "both instances live")
    until(database["lease_terms"].find_one, "one of them leads")

    due = store.now().replace(microsecond=0) + timedelta(seconds=2 + jobs // 2_000)
    save_many(store, jobs, due)
    until(lambda: database["runs"].count_documents({}) == jobs, "every fire time has its run", timeout=60)
    created = store.now()
    print(f"{jobs:,} runs queued within {(created - due).total_seconds():.1f} s")
    assert created - due < timedelta(seconds=10)

    def all_succeeded() -> bool:
        assert both[0].status("/readyz") == 200
        assert both[0].status("/api/status") == 200
        return database["runs"].count_documents({"state": "succeeded"}) == jobs

    until(all_succeeded, "all runs succeeded", timeout=max(90, jobs / 10))
    took = (store.now() - due).total_seconds()
    print(f"{jobs:,} runs finished within {took:.0f} s, {jobs / took:.0f} a second")

    (term,) = store.leases.terms()
    assert term["ended_at"] is None, "the lease changed hands: a renewal was missed"
    for one in both:
        assert one.terminate() == 0
    assert checker.all_promises(database, timedelta(seconds=DAY)) == []
    attempts: list[dict[str, Any]] = [a for run in database["runs"].find({}, {"attempts": 1}) for a in run["attempts"]]
    assert {attempt["outcome"] for attempt in attempts} == {"succeeded"}
    assert len(attempts) == jobs
    done = [attempt["instance"] for attempt in attempts]
    shares = {instance: done.count(instance) for instance in set(done)}
    print(f"shares: {sorted(shares.values())}")
    assert len(shares) == 2 and min(shares.values()) > jobs / 10, shares
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert {client[lake][f"items_{number}"].count_documents({}) for number in range(TARGETS)} == {ROWS}
        client.drop_database(lake)
