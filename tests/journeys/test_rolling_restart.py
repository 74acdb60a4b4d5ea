"""Three instances are replaced one by one in the middle of a long sync: one run, no attempt lost, the rows exact."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.batch import TARGET_ROWS
from worker.connection import Connection
from worker.job import Job, StreamSpec, Write
from worker.run import Trigger
from worker.store import Store
from worker.vault import Vault

pytestmark = pytest.mark.journey
KEY = "a key for the journeys"
INSTANCES = 3
# The promise for the whole rolling restart.
READ_AGAIN = 5 * TARGET_ROWS
# However fast the machine, an appended batch takes a while: there is time for three restarts.
SLOW_TABLE = """
    CREATE TABLE items (id bigint, name text, price double precision);
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END';
    CREATE TRIGGER slow BEFORE INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION slow()
"""


def table(folder: Path, rows: int) -> Path:
    path = folder / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        values = ((number, f"item {number}", number / 8) for number in range(rows))
        database.executemany("INSERT INTO items VALUES (?, ?, ?)", values)
    database.close()
    return path


LONG = [pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("rows", "write"),
    [
        (200_000, Write.APPEND),
        pytest.param(1_000_000, Write.APPEND, marks=LONG),
        pytest.param(1_000_000, Write.REPLACE, marks=LONG),  # what is staged is fast: fewer rows end too soon
    ],
)
def test_a_rolling_restart_costs_a_long_sync_no_attempt_and_hardly_a_batch(
    store: Store,
    program: StartProgram,
    environment: Callable[..., dict[str, str]],
    postgres_database: str,
    tmp_path: Path,
    rows: int,
    write: Write,
) -> None:
    if write is Write.APPEND:
        with psycopg.connect(postgres_database) as connection:
            connection.execute(SLOW_TABLE)
    connections = store.connections(Vault([KEY]))
    source = {"path": str(table(tmp_path, rows))}
    connections.insert(Connection(id="shop", type="sqlite", settings=source), frozenset())
    lake = {"url": postgres_database}
    connections.insert(Connection(id="lake", type="postgres", settings=lake), frozenset({"url"}))
    streams = (StreamSpec(name="items", write=write, key=("id",)),)
    store.jobs.insert(Job(id="j", source="shop", destination="lake", streams=streams))
    env = environment(APP_ENV="production", SECRET_KEY=KEY)

    def instance() -> Program:
        one = program("-m", "worker", env=env, ready=False)
        one.wait_for("worker started")
        return one

    alive = [instance() for _ in range(INSTANCES)]
    run_id: str = store.runs.create("j", Trigger.MANUAL)["_id"]

    def moving(beyond: int) -> tuple[int, int] | None:
        """The pid of who works on the run and the rows written, once they are more than `beyond`."""
        run = store.runs.get(run_id)
        written = run["progress"].get("items", {}).get("written", 0)
        assert run["state"] in ("queued", "running"), f"{run['state']} before all were restarted: {run['error']}"
        found = store.database["instances"].find_one({"_id": run["claim"]["instance"]})
        return (found["pid"], written) if found and written > beyond else None

    written = 0
    for _ in range(INSTANCES):
        pid, written = until(partial(moving, written), "some more rows are written", timeout=60)
        worker = next(one for one in alive if one.pid == pid)
        assert worker.terminate() == 0, worker.output
        written = max(written, store.runs.get(run_id)["progress"]["items"]["written"])
        alive.remove(worker)
        alive.append(instance())

    until(lambda: store.runs.get(run_id)["state"] not in ("queued", "running"), "the run ended", timeout=300)
    run: dict[str, Any] = store.runs.get(run_id)
    assert run["state"] == "succeeded", run["error"]
    assert store.database["runs"].count_documents({}) == 1
    assert run["attempt"] == 1, "an interruption gives its attempt back"
    assert [attempt["outcome"] for attempt in run["attempts"]] == ["interrupted"] * INSTANCES + ["succeeded"]
    progress = run["progress"]["items"]
    print(f"{progress['read'] - rows:,} rows read again")
    assert rows <= progress["read"] <= rows + READ_AGAIN
    went_on = [line for line in store.logs.page(run_id) if "goes on from checkpoint" in line["message"]]
    assert len(went_on) == INSTANCES, "each of them was in the middle of it"
    with psycopg.connect(postgres_database) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT id), sum(id) FROM items").fetchone()
    assert row is not None and tuple(map(int, row)) == (rows, rows, rows * (rows - 1) // 2)
