"""A run in a process of its own: it works, it can be killed, and its death is recorded."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import misbehaving
from tests.waiting import until
from worker import store as stores
from worker.connection import Connection
from worker.job import Job, Retry, StreamSpec
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.vault import Vault

pytestmark = pytest.mark.own_database

KEY = "a key for the tests"
# Counts for ever and never finds a row: a source that hangs.
HANGS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"

BLOWS = {
    "exits": "the process of this run ended with exit code 7",
    "segfaults": "the process of this run was killed by signal 11 (Segmentation fault)",
    "eats": "the run needed more memory than it may have",
}


class Bench:
    def __init__(self, mongo_url: str, mongo_database: str, folder: Path) -> None:
        self.store: Store = stores.open(mongo_url, mongo_database)
        self.store.ensure_indexes()
        self.target = folder / "lake.db"
        source = folder / "shop.db"
        with sqlite3.connect(source) as database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
            database.executemany("INSERT INTO items VALUES (?, ?)", [(n, f"n{n}") for n in range(1000)])
            database.execute(f"CREATE VIEW hangs AS {HANGS}")
            for deed in BLOWS:
                database.execute(f"CREATE VIEW {deed} AS SELECT * FROM items")
        database.close()
        saved = self.store.connections(Vault([KEY]))
        saved.insert(Connection(id="in", type="sqlite", settings={"path": str(source)}), frozenset())
        saved.insert(Connection(id="out", type="sqlite", settings={"path": str(self.target)}), frozenset())
        settings = WorkerSettings(
            production=False,
            mongo_url=mongo_url,
            mongo_database=mongo_database,
            data_dir=folder,
            isolation="process",
            secret_keys=(KEY,),
            claim_ttl=10.0,
        )
        self.runner = Runner(settings, self.store, Vault([KEY]), self.store.claims, instance="here")

    def job(self, stream: str) -> str:
        streams = (StreamSpec(name=stream),)
        self.store.jobs.insert(Job(id="j", source="in", destination="out", streams=streams, retry=Retry(attempts=1)))
        run_id: str = self.store.runs.create("j", Trigger.MANUAL)["_id"]
        self.runner.turn()
        return run_id

    def children(self) -> list[int]:
        listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        return [int(pid) for file in listed for pid in file.read_text(encoding="ascii").split()]

    def reads(self, run_id: str) -> bool:
        self.runner.beat()
        return any("started" in line["message"] for line in self.store.logs.page(run_id))

    def ended(self) -> None:
        def idle() -> bool:
            self.runner.beat()  # however long it takes, the claim is renewed
            return not self.runner.active()

        until(idle, "the attempt ended", timeout=60)


@pytest.fixture
def bench(mongo_url: str, mongo_database: str, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(mongo_url, mongo_database, tmp_path)
    yield bench
    bench.runner.drain()
    bench.runner.hand_back()
    bench.runner.wait_idle(10, threading.Event())
    bench.store.close()


def test_a_run_in_a_process_of_its_own_moves_its_rows(bench: Bench) -> None:
    run_id = bench.job("items")
    bench.ended()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["progress"]["items"]["written"]) == ("succeeded", 1000)
    with sqlite3.connect(bench.target) as database:
        assert database.execute("SELECT count(*), sum(id) FROM items").fetchone() == (1000, 499500)
    database.close()


def test_a_process_that_is_killed_fails_its_run_with_the_reason(bench: Bench) -> None:
    before = set(bench.children())
    run_id = bench.job("hangs")
    until(lambda: bench.reads(run_id), "the source is read")
    (child,) = set(bench.children()) - before
    os.kill(child, signal.SIGKILL)
    bench.ended()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["error"]["type"]) == ("failed", "ProcessDied")
    assert run["error"]["message"] == "the process of this run was killed by signal 9 (out of memory?)"


@pytest.mark.parametrize("deed", BLOWS)
def test_a_run_that_breaks_its_process_fails_with_the_reason(
    bench: Bench, deed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", misbehaving.python_path(tmp_path))
    run_id = bench.job(deed)
    bench.ended()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["error"]["message"]) == ("failed", BLOWS[deed])


def test_a_cancel_kills_a_process_that_hangs(bench: Bench) -> None:
    before = set(bench.children())
    run_id = bench.job("hangs")
    until(lambda: bench.reads(run_id), "the source is read")
    bench.store.runs.cancel(run_id, "ann")
    bench.runner.beat()
    bench.ended()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["reason"]) == ("cancelled", "cancelled by ann")
    assert set(bench.children()) <= before


def test_a_stop_hands_the_run_back(bench: Bench) -> None:
    run_id = bench.job("hangs")
    until(lambda: bench.reads(run_id), "the source is read")
    bench.runner.drain()
    assert bench.runner.wait_idle(10, threading.Event())
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["attempt"]) == ("queued", 0)
