"""An instance killed, frozen or told to stop in the middle of a sync: another goes on, and the rows are exact."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.connection import Connection
from worker.job import Job, StreamSpec, Write
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

pytestmark = pytest.mark.journey
KEY = "a key for the journeys"
ROWS = 250_000
CLAIM_TTL = 4.0


class Stage:
    """A table of `ROWS` rows, a job that appends or copies them, and instances that work on it."""

    def __init__(self, store: Store, start: StartProgram, env: dict[str, str], folder: Path) -> None:
        self.store = store
        self._start = start
        self._env = env
        source = folder / "shop.db"
        with sqlite3.connect(source) as database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
            database.executemany("INSERT INTO items VALUES (?, ?)", ((n, f"item {n}") for n in range(ROWS)))
        database.close()
        self.connections = store.connections(Vault([KEY]))
        self.connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(source)}), frozenset())

    def run(self, write: Write) -> str:
        streams = (StreamSpec(name="items", write=write, key=("id",)),)
        self.store.jobs.insert(Job(id="j", source="shop", destination="lake", streams=streams))
        run_id: str = self.store.runs.create("j", Trigger.MANUAL)["_id"]
        return run_id

    def instance(self) -> Program:
        return self._start("-m", "worker", env=self._env, ready=False)

    def in_the_middle(self, run_id: str) -> dict[str, Any]:
        """The run, once some of its rows are written, and long before all are."""

        def written() -> dict[str, Any] | None:
            run = self.store.runs.get(run_id)
            progress = run["progress"].get("items", {})
            return run if 0 < progress.get("written", 0) < ROWS else None

        found: Any = until(written, "some rows are written", timeout=60)
        assert isinstance(found, dict)
        return found

    def worker(self, run: dict[str, Any], *instances: Program) -> Program:
        """Which of the instances works on the run."""
        found = self.store.database["instances"].find_one({"_id": run["claim"]["instance"]})
        assert found is not None
        return next(one for one in instances if one.pid == found["pid"])

    def ended(self, run_id: str) -> dict[str, Any]:
        def final() -> bool:
            return self.store.runs.get(run_id)["state"] not in ("queued", "running")

        until(final, "the run ended", timeout=100)
        run = self.store.runs.get(run_id)
        assert run["state"] == "succeeded", run["error"] or run["reason"]
        return run


@pytest.fixture
def stage(store: Store, program: StartProgram, environment: Callable[..., dict[str, str]], tmp_path: Path) -> Stage:
    env = environment(APP_ENV="production", SECRET_KEY=KEY, LEASE_TTL="2", CLAIM_TTL=f"{CLAIM_TTL:g}")
    return Stage(store, program, env, tmp_path)


def to_postgres(stage: Stage, url: str) -> None:
    stage.connections.insert(Connection(id="lake", type="postgres", settings={"url": url}), frozenset({"url"}))


def to_mongodb(stage: Stage, url: str, database: str) -> str:
    lake = f"{database}_lake"
    settings = {"url": url, "database": lake}
    stage.connections.insert(Connection(id="lake", type="mongodb", settings=settings), frozenset({"url"}))
    return lake


def to_sqlite(stage: Stage, path: Path) -> None:
    stage.connections.insert(Connection(id="lake", type="sqlite", settings={"path": str(path)}), frozenset())


def in_sqlite(path: Path) -> tuple[int, int, int]:
    with sqlite3.connect(path) as database:
        row = database.execute("SELECT count(*), count(DISTINCT id), sum(id) FROM items").fetchone()
    database.close()
    return int(row[0]), int(row[1]), int(row[2])


def in_postgres(url: str) -> tuple[int, int, int]:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT id), sum(id) FROM items").fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


EXACT = (ROWS, ROWS, ROWS * (ROWS - 1) // 2)


@pytest.mark.parametrize("write", [Write.APPEND, Write.REPLACE])
def test_after_kill_9_another_goes_on_from_the_checkpoint(stage: Stage, postgres_database: str, write: Write) -> None:
    to_postgres(stage, postgres_database)
    run_id = stage.run(write)
    first = stage.instance()
    stage.in_the_middle(run_id)
    first.kill()
    stage.instance()
    run = stage.ended(run_id)
    assert in_postgres(postgres_database) == EXACT
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["lost", "succeeded"]
    assert any("goes on from checkpoint" in line["message"] for line in stage.store.logs.page(run_id))


def test_a_frozen_instance_that_wakes_up_writes_nothing_more(stage: Stage, postgres_database: str) -> None:
    to_postgres(stage, postgres_database)
    run_id = stage.run(Write.APPEND)
    first = stage.instance()
    stage.in_the_middle(run_id)
    first.signal(signal.SIGSTOP)
    stage.instance()
    run = stage.ended(run_id)
    assert in_postgres(postgres_database) == EXACT
    first.signal(signal.SIGCONT)
    first.wait_for("nothing more is written for it")
    assert in_postgres(postgres_database) == EXACT
    assert stage.store.runs.get(run_id) == run


def test_a_writer_frozen_inside_a_transaction_on_mongodb_is_displaced(
    stage: Stage, mongo_url: str, mongo_database: str
) -> None:
    lake = to_mongodb(stage, mongo_url, mongo_database)
    run_id = stage.run(Write.REPLACE)
    first = stage.instance()
    stage.in_the_middle(run_id)
    first.signal(signal.SIGSTOP)
    stage.instance()
    run = stage.ended(run_id)
    first.signal(signal.SIGCONT)
    first.wait_for("nothing more is written for it")
    assert stage.store.runs.get(run_id) == run
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert client[lake]["items"].count_documents({}) == ROWS
        client.drop_database(lake)


def test_told_to_stop_it_hands_the_run_over_with_its_attempt(stage: Stage, postgres_database: str) -> None:
    to_postgres(stage, postgres_database)
    run_id = stage.run(Write.APPEND)
    first = stage.instance()
    stage.in_the_middle(run_id)
    stage.instance()
    assert first.terminate() == 0
    run = stage.ended(run_id)
    assert in_postgres(postgres_database) == EXACT
    assert run["attempt"] == 1
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["interrupted", "succeeded"]


def test_after_kill_9_an_append_into_mongodb_is_exactly_once(stage: Stage, mongo_url: str, mongo_database: str) -> None:
    lake = to_mongodb(stage, mongo_url, mongo_database)
    run_id = stage.run(Write.APPEND)
    first = stage.instance()
    stage.in_the_middle(run_id)
    first.kill()
    stage.instance()
    stage.ended(run_id)
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        items = client[lake]["items"]
        assert items.count_documents({}) == ROWS
        twice: list[dict[str, Any]] = [{"$group": {"_id": "$id", "n": {"$sum": 1}}}, {"$match": {"n": {"$gt": 1}}}]
        assert list(items.aggregate(twice, allowDiskUse=True)) == []
        client.drop_database(lake)


def test_after_kill_9_an_append_into_sqlite_is_exactly_once(stage: Stage, tmp_path: Path) -> None:
    lake = tmp_path / "lake.db"
    to_sqlite(stage, lake)
    run_id = stage.run(Write.APPEND)
    first = stage.instance()
    second = stage.instance()
    second.wait_for("worker started")
    working = stage.worker(stage.in_the_middle(run_id), first, second)
    killed = stage.store.now()
    working.kill()
    run = stage.ended(run_id)
    assert in_sqlite(lake) == EXACT
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["lost", "succeeded"]
    took = run["attempts"][1]["started_at"] - killed
    print(f"claimed again {took.total_seconds():.1f} s after kill -9, with a TTL of {CLAIM_TTL:g} s")
    assert took <= timedelta(seconds=CLAIM_TTL + 2)


def test_a_writer_frozen_on_sqlite_commits_at_most_what_it_was_committing(stage: Stage, tmp_path: Path) -> None:
    # It may hold the file's lock, which only it can give back: the other waits for it and goes on where it stopped.
    lake = tmp_path / "lake.db"
    to_sqlite(stage, lake)
    run_id = stage.run(Write.APPEND)
    first = stage.instance()
    stage.in_the_middle(run_id)
    first.signal(signal.SIGSTOP)
    stage.instance()
    until(lambda: stage.store.runs.get(run_id)["claim"]["token"] == 2, "another has claimed the run")
    first.signal(signal.SIGCONT)
    first.wait_for("nothing more is written for it")
    stage.ended(run_id)
    assert in_sqlite(lake) == EXACT
