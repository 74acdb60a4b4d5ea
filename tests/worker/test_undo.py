"""Undo at every real destination: the generation before a replace comes back, and what was there is kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from tests.worker.real import VAULT, FilesLake, Lake, MongodbLake, PostgresLake, SqliteLake, Works
from worker.connection import Connection
from worker.connectors.sql_undo import gone
from worker.errors import Conflict, DestinationUnavailable, NotFound, StoreUnavailable
from worker.expiry import Expiry
from worker.generation import Past
from worker.job import Mode, Retry, StreamSpec, Write
from worker.run import Trigger
from worker.store.client import Document
from worker.undo import Undo, offers

DAY = 86_400.0
ONE = pytest.mark.parametrize("lake", ["sqlite"], indirect=True)


def items(**more: Any) -> StreamSpec:
    return StreamSpec(name="items", write=Write.REPLACE, **({"undo": DAY} | more))


def kept(lake: Lake) -> list[str]:
    """Names of what is kept at the destination."""
    if isinstance(lake, FilesLake):
        return [path.name for path in Path(lake.settings["path"]).iterdir() if ".undo-" in path.name]
    if isinstance(lake, SqliteLake):
        with closing(sqlite3.connect(lake.settings["path"])) as database:
            names = [str(name) for (name,) in database.execute("SELECT name FROM sqlite_schema")]
    elif isinstance(lake, PostgresLake):
        with psycopg.connect(lake.settings["url"]) as connection:
            names = [str(name) for (name,) in connection.execute("SELECT relname FROM pg_class")]
    else:
        assert isinstance(lake, MongodbLake)
        with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
            names = client[lake.settings["database"]].list_collection_names()
    return [name for name in names if name.startswith("_syncworker_undo_")]


def undo(works: Works, stream: str | None = None) -> Document:
    """One attempt of a run that takes back what is offered."""
    offered = offers(works.store, works.store.jobs.get("j"), stream)
    run = works.store.runs.create("j", Trigger.MANUAL, undo=[offer.stream for offer in offered])
    return works.go(run["_id"])


def undone(works: Works) -> Document:
    run = undo(works)
    assert run["state"] == "succeeded", run["error"] or run["reason"]
    return run


@pytest.fixture
def shop(works: Works) -> Works:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, changed INTEGER)")
    works.execute("INSERT INTO items VALUES (?, ?, 1)", [(n, f"first {n}") for n in range(1, 31)])
    works.job(items())
    return works


def change(shop: Works, word: str = "second") -> None:
    shop.execute(f"UPDATE items SET name = '{word} ' || id, changed = changed + 1")
    shop.execute(f"INSERT INTO items (id, name, changed) SELECT max(id) + 1, '{word} and new', max(changed) FROM items")


def test_there_and_back(shop: Works) -> None:
    first = shop.done()
    before = shop.lake.rows("items")
    assert kept(shop.lake) == []
    change(shop)
    second = shop.done()
    after = shop.lake.rows("items")
    run = undone(shop)
    assert run["reason"] == f"undone: back to the generation of run {first['_id']}"
    assert (run["trigger"], run["progress"]["items"]["written"]) == ("manual", 30)
    assert shop.lake.rows("items") == before
    assert undone(shop)["reason"] == f"undone: back to the generation of run {second['_id']}"
    assert shop.lake.rows("items") == after
    (name,) = kept(shop.lake)
    change(shop, "third")
    shop.done()
    assert len(kept(shop.lake)) == 1 and kept(shop.lake) != [name]
    assert undone(shop)["reason"] == f"undone: back to the generation of run {second['_id']}"
    assert shop.lake.rows("items") == after


def test_nothing_is_kept_unless_asked(shop: Works) -> None:
    shop.job(items(undo=None))
    shop.done()
    change(shop)
    shop.done()
    assert kept(shop.lake) == []
    with pytest.raises(Conflict, match="items: nothing is kept of it; it has no `undo`"):
        undo(shop)


def test_what_is_out_of_time_is_refused_and_dropped(shop: Works) -> None:
    shop.done()
    change(shop)
    shop.done()
    assert Expiry(shop.store, VAULT).drop() == 0
    shop.store.undos.expire("j", "items")
    with pytest.raises(Conflict, match="items: what was kept of it expired at 20"):
        undo(shop)
    assert len(kept(shop.lake)) == 1
    assert Expiry(shop.store, VAULT).drop() == 1
    assert kept(shop.lake) == []
    assert shop.store.undos.of("j") == []


def test_an_undo_that_breaks_off_behind_its_swap_goes_on(shop: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.job(items(), retry=Retry(attempts=3, backoff=0.0))
    shop.done()
    before = shop.lake.rows("items")
    change(shop)
    shop.done()
    with monkeypatch.context() as broken:
        broken.setattr(Undo, "_go_back", lambda *_: (_ for _ in ()).throw(DestinationUnavailable("it broke off")))
        run = undo(shop)
    assert run["state"] == "queued"
    run = shop.go(run["_id"])
    assert run["state"] == "succeeded", run["error"]
    assert shop.lake.rows("items") == before
    assert len(kept(shop.lake)) == 1


def test_a_replace_that_breaks_off_behind_its_swap_keeps_the_older_one(
    shop: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt replaces the first one's rows: the generation before the run is another."""
    shop.job(items(), retry=Retry(attempts=3, backoff=0.0))
    shop.done()
    before = shop.lake.rows("items")
    change(shop)
    with monkeypatch.context() as broken:
        broken.setattr(Past, "close", lambda *_: (_ for _ in ()).throw(DestinationUnavailable("it broke off")))
        run = shop.go()
    assert run["state"] == "queued"
    change(shop, "third")
    assert shop.go(run["_id"])["state"] == "succeeded"
    undone(shop)
    assert shop.lake.rows("items") == before


@ONE
def test_checkpoint_and_columns_go_back_too(shop: Works) -> None:
    gradual = StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="changed", write=Write.UPSERT, key=("id",))
    shop.job(gradual)
    shop.done()
    before = shop.lake.rows("items")
    checkpoint, schema = shop.store.checkpoints.get("j", "items"), shop.store.schemas.get("j", "items")
    assert checkpoint and schema
    shop.job(items())
    shop.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    change(shop)
    shop.done()
    changed = shop.store.checkpoints.get("j", "items")
    assert changed and changed["value"] is None
    undone(shop)
    assert [{name: row[name] for name in ("id", "name", "changed")} for row in shop.lake.rows("items")] == before
    now, columns = shop.store.checkpoints.get("j", "items"), shop.store.schemas.get("j", "items")
    assert now and now["value"] == checkpoint["value"]
    assert columns and columns["columns"] == schema["columns"]
    shop.job(gradual)
    shop.execute("UPDATE items SET changed = 1 WHERE id <= 20")  # as if they had not changed since
    run = shop.done()
    assert any("goes on from checkpoint" in line for line in shop.log(run))
    undone(shop)
    again = shop.store.checkpoints.get("j", "items")
    assert again and again["value"] is None


@ONE
def test_a_table_that_was_there_before_the_first_run_is_kept_too(shop: Works) -> None:
    assert isinstance(shop.lake, SqliteLake)
    shop.lake.execute("CREATE TABLE items (id INTEGER, name TEXT)")
    shop.lake.execute("INSERT INTO items VALUES (1, 'by hand')")
    run = shop.done()
    assert len(shop.lake.rows("items")) == 30
    assert undone(shop)["reason"] == f"undone: back to the generation before run {run['_id']}"
    assert [row["name"] for row in shop.lake.rows("items")] == ["by hand"]
    assert shop.store.schemas.get("j", "items") is None
    assert undone(shop)["reason"] == f"undone: back to the generation of run {run['_id']}"
    assert shop.store.schemas.get("j", "items")


@ONE
def test_an_undo_that_failed_can_be_retried(shop: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.done()
    change(shop)
    shop.done()
    with monkeypatch.context() as broken:
        broken.setattr("worker.connectors.sql_undo.SqlGenerations.swap", lambda *_: (_ for _ in ()).throw(gone("it")))
        run = undo(shop)
    assert (run["state"], run["progress"]["items"]["state"]) == ("failed", "failed")
    assert shop.lake.rows("items")[0]["name"] == "second 1"
    again = shop.store.runs.retry(run["_id"], "ada")
    assert shop.go(again["_id"])["state"] == "succeeded"
    assert shop.lake.rows("items")[0]["name"] == "first 1"


@ONE
def test_a_whole_job_or_one_stream(shop: Works) -> None:
    shop.execute("CREATE TABLE others (id INTEGER PRIMARY KEY, name TEXT)")
    shop.execute("INSERT INTO others VALUES (1, 'first')")
    shop.job(items(), StreamSpec(name="others", write=Write.REPLACE, undo=DAY))
    shop.done()
    change(shop)
    shop.execute("UPDATE others SET name = 'second'")
    shop.done()
    run = undo(shop, "others")
    assert list(run["progress"]) == ["others"]
    assert shop.lake.rows("others") == [{"id": 1, "name": "first"}]
    assert shop.lake.rows("items")[0]["name"] == "second 1"
    assert list(undone(shop)["progress"]) == ["items", "others"]
    assert shop.lake.rows("others") == [{"id": 1, "name": "second"}]
    assert shop.lake.rows("items")[0]["name"] == "first 1"
    with pytest.raises(NotFound, match="has no stream 'nowhere'; it has items, others"):
        undo(shop, "nowhere")


@ONE
def test_a_stream_that_writes_elsewhere_now_is_refused(shop: Works, tmp_path: Path) -> None:
    shop.done()
    change(shop)
    shop.done()
    shop.job(items(target="things"))
    with pytest.raises(Conflict, match="what is kept is of items in lake, and the stream writes to things in lake"):
        undo(shop)
    shop.store.connections(VAULT).replace(
        Connection(id="lake", type="sqlite", settings={"path": str(tmp_path / "other.db")}), frozenset(), None
    )
    shop.job(items())
    run = undo(shop)
    assert run["state"] == "failed"
    assert "nothing is kept of items at lake" in run["error"]["message"]


@ONE
def test_without_undo_the_next_replace_ends_what_was_kept(shop: Works) -> None:
    shop.done()
    change(shop)
    shop.done()
    shop.job(items(undo=None))
    shop.done()
    with pytest.raises(Conflict, match="expired"):
        undo(shop)
    assert Expiry(shop.store, VAULT).drop() == 1
    assert kept(shop.lake) == []


@ONE
def test_what_a_deleted_job_has_left_is_dropped_when_its_destination_is_there(shop: Works, tmp_path: Path) -> None:
    shop.done()
    change(shop)
    shop.done()
    shop.store.jobs.delete("j")
    lake = Path(shop.lake.settings["path"])
    away = lake.rename(tmp_path / "away.db")
    lake.mkdir()  # no database can be there
    assert Expiry(shop.store, VAULT).drop() == 0
    lake.rmdir()
    away.rename(lake)
    assert Expiry(shop.store, VAULT).drop() == 1
    assert kept(shop.lake) == []


@ONE
def test_a_target_that_is_gone_is_told_with_where_the_rows_are(shop: Works) -> None:
    shop.done()
    change(shop)
    shop.done()
    assert isinstance(shop.lake, SqliteLake)
    shop.lake.execute("DROP TABLE items")
    run = undo(shop)
    assert run["state"] == "failed"
    assert (
        f"there is no items any more to swap with; the generation before is still in {kept(shop.lake)[0]}"
        in (run["error"]["message"])
    )


@ONE
def test_a_run_that_failed_before_its_swap_is_no_generation(shop: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.done()
    before = shop.lake.rows("items")
    change(shop)
    second = shop.done()
    with monkeypatch.context() as broken:
        broken.setattr("worker.connectors.sqlite_writer.SQLiteWriter.refill", lambda _: 1 / 0)
        assert shop.go()["state"] != "succeeded"
    assert shop.lake.rows("items") != before
    shop.store.runs.cancel(shop.store.runs.list("j")[0]["_id"], "ada")
    assert undone(shop)["reason"] == f"undone: back to the generation of run {first['_id']}"
    assert shop.lake.rows("items") == before
    assert undone(shop)["reason"] == f"undone: back to the generation of run {second['_id']}"


@ONE
def test_a_second_undo_waits_for_the_first(shop: Works) -> None:
    shop.done()
    change(shop)
    shop.done()
    shop.store.runs.create("j", Trigger.MANUAL)
    with pytest.raises(Conflict, match="already has a queued or running run"):
        undo(shop)


@ONE
def test_what_is_out_of_time_goes_when_the_database_is_back(shop: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Expiry) -> int:
        raise StoreUnavailable("MongoDB does not answer")

    expiry = Expiry(shop.store, VAULT)
    monkeypatch.setattr(Expiry, "drop", away)
    expiry.start()
    assert expiry._thread is not None
    expiry._thread.join(10)
    monkeypatch.undo()
    shop.done()
    change(shop)
    shop.done()
    shop.store.undos.expire("j", "items")
    expiry.start()
    expiry._thread.join(10)
    assert kept(shop.lake) == []
