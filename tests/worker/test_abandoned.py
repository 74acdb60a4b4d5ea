"""An attempt whose thread hangs is ended without it; what the thread does when it wakes up changes nothing more."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from worker import connectors, runner
from worker.connection import Connection
from worker.job import Job, Retry, StreamSpec
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.vault import Vault

pytestmark = pytest.mark.own_database

KEY = "a key for the tests"


class Bench:
    """A runner whose destination hangs before each batch until it is let go on."""

    def __init__(self, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.target = folder / "lake.db"
        self.hanging, self.go_on = threading.Event(), threading.Event()
        source = folder / "shop.db"
        with sqlite3.connect(source) as database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY)")
            database.executemany("INSERT INTO items VALUES (?)", [(n,) for n in range(10)])
        database.close()
        saved = store.connections(Vault([KEY]))
        saved.insert(Connection(id="in", type="sqlite", settings={"path": str(source)}), frozenset())
        saved.insert(Connection(id="out", type="sqlite", settings={"path": str(self.target)}), frozenset())
        settings = WorkerSettings(
            production=False, mongo_url=None, mongo_database="", data_dir=folder, claim_ttl=10.0, concurrency=1
        )
        self.runner = Runner(settings, store, Vault([KEY]), store.claims, instance="here")
        real = connectors.open_end

        def open_end(name: str, values: Any, end: Any) -> Any:
            opened: Any = real(name, values, end)
            if end == "destination":
                open_writer = opened.open

                def hang(target: Any) -> Any:
                    self.hanging.set()
                    self.go_on.wait(60)
                    return open_writer(target)

                opened.open = hang
            return opened

        monkeypatch.setattr(connectors, "open_end", open_end)
        monkeypatch.setattr(runner, "CANCEL_PATIENCE", 0.1)
        monkeypatch.setattr(runner, "TIMEOUT_PATIENCE", 0.1)

    def start(self, *, attempts: int = 1, timeout: float | None = None) -> str:
        retry = Retry(attempts=attempts, backoff=60)
        streams = (StreamSpec(name="items"),)
        job = Job(id="j", source="in", destination="out", streams=streams, retry=retry, timeout=timeout)
        self.store.jobs.insert(job)
        run_id: str = self.store.runs.create("j", Trigger.MANUAL)["_id"]
        self.runner.turn()
        assert self.hanging.wait(20)
        return run_id

    def abandoned(self) -> None:
        def idle() -> bool:
            self.runner.beat()
            return not self.runner.active()

        until(idle, "the slot is free")

    def wakes_up(self) -> None:
        """Let the hanging thread go on, to its end."""
        self.go_on.set()
        left = [thread for thread in threading.enumerate() if thread.name.startswith("run j")]
        for thread in left:
            thread.join(20)
        assert left and not any(thread.is_alive() for thread in left)

    def rows(self) -> int:
        with sqlite3.connect(self.target) as database:
            tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'items'").fetchone()
            count: int = tables[0] and database.execute("SELECT count(*) FROM items").fetchone()[0]
        database.close()
        return count


@pytest.fixture
def bench(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(store, tmp_path, monkeypatch)
    yield bench
    bench.go_on.set()
    bench.runner.drain()
    bench.runner.wait_idle(10, threading.Event())


def test_a_cancel_ends_a_run_whose_thread_hangs_for_good(bench: Bench) -> None:
    run_id = bench.start()
    bench.store.runs.cancel(run_id, "ann")
    bench.abandoned()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["reason"]) == ("cancelled", "cancelled by ann")
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["cancelled"]
    bench.wakes_up()
    assert bench.store.runs.get(run_id) == run and bench.rows() == 0


def test_a_timeout_ends_an_attempt_whose_thread_hangs_and_it_is_tried_again(bench: Bench) -> None:
    run_id = bench.start(attempts=2, timeout=0.2)
    bench.abandoned()
    run = bench.store.runs.get(run_id)
    assert (run["state"], run["attempt"], run["error"]["type"]) == ("queued", 1, "TimedOut")
    bench.wakes_up()
    assert bench.store.runs.get(run_id) == run and bench.rows() == 0


def test_the_slot_of_a_hanging_run_works_on_while_its_thread_still_hangs(bench: Bench) -> None:
    bench.store.runs.cancel(bench.start(), "ann")
    bench.abandoned()
    bench.hanging.clear()
    again = bench.store.runs.create("j", Trigger.MANUAL)["_id"]
    bench.runner.turn()
    assert bench.hanging.wait(20)
    bench.wakes_up()
    until(lambda: bench.store.runs.get(again)["state"] == "succeeded", "the next run does its work")
    assert bench.rows() == 10


def test_what_a_hanging_run_said_is_kept(bench: Bench) -> None:
    run_id = bench.start()
    bench.store.runs.cancel(run_id, "ann")
    bench.abandoned()
    lines = [line["message"] for line in bench.store.logs.page(run_id)]
    assert lines == ["started (full, replace)", "cancelled: cancelled by ann"]
