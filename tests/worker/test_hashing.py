"""A column that is hashed is plain nowhere: not in the target, in no checkpoint, not in our own database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.waiting import until
from worker.connection import Connection
from worker.job import Job, Mode, StreamSpec, Write
from worker.run import RunState, Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

VAULT = Vault(["a key for the tests"])
PEOPLE = [("ada@example.org", 36, 1), ("grace@example.org", 85, 2), ("edsger@example.org", 72, 3)]


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Path:
    for name in ("shop", "lake"):
        connection = Connection(id=name, type="sqlite", settings={"path": str(tmp_path / f"{name}.db")})
        store.connections(VAULT).insert(connection, frozenset())
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE people (mail TEXT PRIMARY KEY, age INTEGER, changed INTEGER)")
        shop.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)
    shop.close()
    return tmp_path / "shop.db"


def go(store: Store, folder: Path) -> Document:
    settings = WorkerSettings(production=False, mongo_url=None, mongo_database="", data_dir=folder, claim_ttl=10.0)
    runner = Runner(settings, store, VAULT, store.claims, instance="here")
    run_id = store.runs.create("j", Trigger.MANUAL)["_id"]
    runner.turn()
    until(lambda: not runner.active(), "the attempt ended")
    run = store.runs.get(run_id)
    assert run["state"] == RunState.SUCCEEDED, run["error"]
    return run


@pytest.mark.parametrize("write", [Write.UPSERT, Write.APPEND])
def test_a_hashed_key_is_gone_on_from_and_never_plain(store: Store, shop: Path, write: Write) -> None:
    stream = StreamSpec(
        name="people",
        mode=Mode.INCREMENTAL,
        cursor="changed",
        key=("mail",),
        write=write,
        hash=("mail",),
        metadata=("_run_id", "_synced_at"),
    )
    store.jobs.insert(Job(id="j", source="shop", destination="lake", streams=(stream,)))
    first = go(store, shop.parent)
    with sqlite3.connect(shop) as changed:
        changed.execute("UPDATE people SET age = 37, changed = 4 WHERE mail = 'ada@example.org'")
    changed.close()
    second = go(store, shop.parent)
    with sqlite3.connect(shop.parent / "lake.db") as lake:
        found = lake.execute("SELECT mail, age, _run_id FROM people ORDER BY changed").fetchall()
    lake.close()
    assert all(len(mail) == 64 for mail, _, _ in found)
    if write is Write.UPSERT:  # under the same hash, so the row was found again; the edge row is read again
        assert [(age, run) for _, age, run in found] == [(85, first["_id"]), (72, second["_id"]), (37, second["_id"])]
    else:
        assert [age for _, age, _ in found] == [36, 85, 72, 37]
        assert found[0][0] == found[3][0]
    assert b"example.org" not in (shop.parent / "lake.db").read_bytes()
    for name in store.database.list_collection_names():
        assert "example.org" not in str(list(store.database[name].find())), name
