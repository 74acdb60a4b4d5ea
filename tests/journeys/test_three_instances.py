"""Three real instances on one MongoDB share twenty jobs; one leads, and hands over when it is told to stop."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.conftest import StartProgram
from tests.journeys import checker
from tests.waiting import until
from worker.connection import Connection
from worker.job import Job, Schedule, StreamSpec, Write
from worker.store import Store
from worker.vault import Vault

KEY = "a key for the journeys"
JOBS = 20
EVERY = 2


def shop(folder: Path) -> Path:
    """A small table to sync."""
    path = folder / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", [(n, f"item {n}") for n in range(50)])
    database.close()
    return path


def save_connections(store: Store, source: Path, mongo_url: str, lake: str) -> None:
    connections = store.connections(Vault([KEY]))
    connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(source)}), frozenset())
    lake_settings = {"url": mongo_url, "database": lake}
    connections.insert(Connection(id="lake", type="mongodb", settings=lake_settings), frozenset({"url"}))


def save_jobs(store: Store, source: Path, mongo_url: str, lake: str) -> None:
    save_connections(store, source, mongo_url, lake)
    first = store.now().replace(microsecond=0) + timedelta(seconds=2)
    first -= timedelta(seconds=first.second % EVERY)
    for number in range(JOBS):
        stream = StreamSpec(name="items", write=Write.REPLACE, target=f"items_{number}")
        store.jobs.insert(
            Job(
                id=f"job-{number:02}",
                source="shop",
                destination="lake",
                streams=(stream,),
                schedule=Schedule(every=EVERY),
                next_fire_time=first,
            )
        )


@pytest.mark.journey
def test_three_instances_share_the_work_and_hand_over(
    store: Store,
    mongo_url: str,
    mongo_database: str,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    lake = f"{mongo_database}_lake"
    save_jobs(store, shop(tmp_path), mongo_url, lake)
    env = environment(APP_ENV="production", AUTH="none", SECRET_KEY=KEY, LEASE_TTL="4", CLAIM_TTL="6")
    instances = {}
    for _ in range(3):
        one = program("-m", "app", env=env)
        instances[one.pid] = one
    database = store.database
    worked = until(lambda: _enough(database, per_instance=3), "each instance has done some of the work", timeout=60)
    assert len(worked) == 3

    lease = store.leases.current()
    assert lease is not None
    term: dict[str, Any] | None = database["lease_terms"].find_one({"_id": lease["token"]})
    assert term is not None
    holder = instances.pop(term["pid"])
    assert holder.terminate() == 0
    after: dict[str, Any] = until(
        lambda: database["lease_terms"].find_one({"_id": lease["token"] + 1}), "another instance leads"
    )
    ended: dict[str, Any] | None = database["lease_terms"].find_one({"_id": lease["token"]})
    assert ended is not None and ended["how"] == "released"
    # By release, not by expiry: well before the lease's own 4 s (a standby looks twice a second).
    assert after["gained_at"] - ended["ended_at"] < timedelta(seconds=3)

    done = database["runs"].count_documents({"state": "succeeded"})
    until(
        lambda: database["runs"].count_documents({"state": "succeeded"}) > done + JOBS, "the others go on", timeout=60
    )
    for one in instances.values():
        assert one.terminate() == 0
    assert checker.all_promises(database, timedelta(seconds=EVERY)) == []
    assert database["runs"].count_documents({"state": {"$nin": ["succeeded", "skipped", "queued", "missed"]}}) == 0
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert {client[lake][f"items_{number}"].count_documents({}) for number in range(JOBS)} == {50}
        client.drop_database(lake)


def _enough(database: Any, per_instance: int) -> set[str]:
    """The instances that finished at least so many attempts, once there are three of them."""
    counts: dict[str, int] = {}
    for run in database["runs"].find({"state": "succeeded"}, {"attempts": 1}):
        for attempt in run["attempts"]:
            counts[attempt["instance"]] = counts.get(attempt["instance"], 0) + 1
    busy = {instance for instance, count in counts.items() if count >= per_instance}
    return busy if len(busy) == 3 else set()
