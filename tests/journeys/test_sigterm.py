"""SIGTERM in the middle of a long sync: handed back with its checkpoint, the lease released, nothing left running."""

from __future__ import annotations

import json
import signal
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.connection import Connection
from worker.job import Job, Mode, StreamSpec, Write
from worker.run import FINAL, Trigger
from worker.store import Store
from worker.vault import Vault

pytestmark = pytest.mark.journey
KEY = "a key of the journeys"
ROWS = 250_000
MODES = [{"APP_ENV": "development"}, {"APP_ENV": "production", "AUTH": "none"}]
Started = tuple[dict[str, Any], str]


def fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", ((n, f"item {n}" * 5) for n in range(ROWS)))


@pytest.fixture
def long_run(store: Store, tmp_path: Path, mongo_url: str, mongo_database: str) -> Iterator[Started]:
    """A queued run of many rows, and the database that they go to."""
    path = tmp_path / "shop.db"
    fill(path)
    lake = f"{mongo_database}_lake"
    connections = store.connections(Vault([KEY]))
    connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(path)}), frozenset())
    lake_settings = {"url": mongo_url, "database": lake}
    connections.insert(Connection(id="lake", type="mongodb", settings=lake_settings), frozenset({"url"}))
    stream = StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="id", key=("id",), write=Write.UPSERT)
    store.jobs.insert(Job(id="items", source="shop", destination="lake", streams=(stream,), schedule=None))
    yield store.runs.create("items", Trigger.MANUAL), lake
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(lake)


def written(run: dict[str, Any]) -> int:
    return sum(stream.get("written", 0) for stream in run["progress"].values())


# Every kind of process with one signal and with two, at every moment, is in test_shutdown; here are whole syncs.
@pytest.mark.parametrize(
    ("mode", "signals"),
    [(MODES[0], [signal.SIGTERM]), (MODES[1], [signal.SIGTERM, signal.SIGINT])],
    ids=["development-once", "production-twice"],
)
def test_a_long_sync_is_handed_back_and_goes_on_from_its_checkpoint(
    mode: dict[str, str],
    signals: list[signal.Signals],
    long_run: Started,
    store: Store,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    mongo_url: str,
) -> None:
    queued, lake = long_run
    env = environment(**mode, SECRET_KEY=KEY, SHUTDOWN_GRACE="10")
    one = program(env=env)
    until(lambda: written(store.runs.get(queued["_id"])) > 0, "rows are written", timeout=40)
    for number in signals:
        one.signal(number)
    assert one.wait(12 if len(signals) == 1 else 4) == 0
    assert one.processes() == []
    run = store.runs.get(queued["_id"])
    assert run["state"] == "queued"
    assert run["attempt"] == 0  # an interruption does not count
    assert 0 < written(run) < ROWS
    lease = store.leases.current()
    assert lease is not None
    assert lease["holder"] is None
    assert store.instances.list() == []

    program(env=env)
    until(lambda: store.runs.get(queued["_id"])["state"] in FINAL, "it goes on to its end", timeout=90)
    run = store.runs.get(queued["_id"])
    assert run["state"] == "succeeded", run["error"]
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        assert client[lake]["items"].count_documents({}) == ROWS


JOBS = """
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
  copy: {type: sqlite, path: copy.db}
jobs:
  items:
    source: shop
    destination: copy
    streams: [{name: items, write: append}]
"""


def asked(one: Program, path: str, method: str = "GET") -> Any:
    headers = {"Content-Type": "application/json"}
    data = b"{}" if method == "POST" else None
    request = urllib.request.Request(f"{one.url}/api/{path}", method=method, headers=headers, data=data)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.chaos
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGTERM, signal.SIGINT]], ids=["once", "twice"])
@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode["APP_ENV"])
def test_its_own_database_ends_last_and_knows_of_the_run(
    mode: dict[str, str], isolation: str, signals: list[signal.Signals], program: StartProgram, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "jobs.yaml").write_text(JOBS, encoding="utf-8")
    fill(folder / "shop.db")
    env = {**mode, "EMBEDDED_MONGO": "true", "SECRET_KEY": KEY, "JOBS_FILE": "jobs.yaml", "RUN_ISOLATION": isolation}
    one = program(env=env | {"SHUTDOWN_GRACE": "10"}, folder=folder)
    until(lambda: asked(one, "jobs/items"), "the file is applied")
    run_id = asked(one, "jobs/items/run", "POST")["id"]
    until(lambda: written(asked(one, f"runs/{run_id}")) > 0, "rows are written", timeout=40)
    for number in signals:
        one.signal(number)
    assert one.wait(12 if len(signals) == 1 else 5) == 0
    assert one.processes() == []

    one = program("-m", "app", "api", env=env | {"ENABLE_SYNC_WORKER": "false"}, folder=folder)
    run = asked(one, f"runs/{run_id}")
    assert (run["state"], run["attempt"]) == ("queued", 0)
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["interrupted"]
    assert asked(one, "status")["lease"]["holder"] is None
    assert one.terminate() == 0
