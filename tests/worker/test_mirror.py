"""A mirror into every database: what is gone at the source goes here, of our own rows alone, and within the guards."""

from __future__ import annotations

from typing import Any

import pymongo
import pytest

from tests.worker.real import Lake, MongodbLake, PostgresLake, SqliteLake, Works
from worker.job import Delete, Guards, Mode, StreamSpec, Write

DATABASES = pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb"], indirect=True)
ROWS = 60


def mirror(**more: Any) -> StreamSpec:
    return StreamSpec(name="items", write=Write.MIRROR, key=("id",), **more)


@pytest.fixture
def shop(works: Works) -> Works:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    works.execute("INSERT INTO items VALUES (?, ?)", [(n, f"item {n}") for n in range(1, ROWS + 1)])
    return works


def ids(lake: Lake) -> list[int]:
    return [row["id"] for row in lake.rows("items")]


def add_foreign(lake: Lake, number: int) -> None:
    """A row that somebody else writes."""
    if isinstance(lake, MongodbLake):
        with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
            client[lake.settings["database"]]["items"].insert_one({"_id": number, "id": number, "name": "theirs"})
    else:
        assert isinstance(lake, (SqliteLake, PostgresLake))
        lake.execute(f"INSERT INTO items (id, name) VALUES ({number}, 'theirs')")


@DATABASES
def test_rows_that_are_gone_at_the_source_are_deleted(shop: Works) -> None:
    shop.job(mirror())
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 5")
    shop.execute("UPDATE items SET name = 'new' WHERE id = 6")
    shop.execute("INSERT INTO items VALUES (100, 'item 100')")
    run = shop.done()
    assert ids(shop.lake) == [*range(6, ROWS + 1), 100]
    assert shop.lake.rows("items")[0]["name"] == "new"
    assert run["progress"]["items"]["deleted"] == 5
    assert shop.done()["progress"]["items"]["deleted"] == 0


@DATABASES
def test_rows_of_others_are_never_touched(shop: Works) -> None:
    shop.job(mirror())
    shop.done()
    add_foreign(shop.lake, 1000)
    shop.execute("DELETE FROM items WHERE id = 1")
    shop.done()
    assert ids(shop.lake) == [*range(2, ROWS + 1), 1000]


@DATABASES
def test_what_would_delete_too_much_waits_and_the_rest_is_written(shop: Works) -> None:
    shop.job(mirror())
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 20")
    shop.execute("UPDATE items SET name = 'new' WHERE id = 60")
    shop.execute("INSERT INTO items VALUES (100, 'item 100')")
    run = shop.go()
    assert run["state"] == "held"
    assert (
        "items has 61 rows that we wrote and would have 41; that removes 20, more than max_delete (20%)"
        in run["reason"]
    )
    assert len(ids(shop.lake)) == ROWS + 1
    assert shop.lake.rows("items")[59]["name"] == "new"
    shop.execute("INSERT INTO items VALUES (1, 'back')")  # before the yes: it is read anew
    shop.store.runs.approve(run["_id"], "ada")
    after = shop.go(run["_id"])
    assert after["state"] == "succeeded", after["reason"]
    assert ids(shop.lake) == [1, *range(21, ROWS + 1), 100]
    assert after["progress"]["items"]["deleted"] == 19


@DATABASES
def test_an_approval_is_a_ceiling(shop: Works) -> None:
    shop.job(mirror())
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 20")
    run = shop.go()
    shop.store.runs.approve(run["_id"], "ada")
    shop.execute("DELETE FROM items WHERE id <= 21")
    assert shop.go(run["_id"])["state"] == "held"
    assert len(ids(shop.lake)) == ROWS


@DATABASES
def test_an_empty_source_empties_nothing(shop: Works) -> None:
    shop.job(mirror())
    shop.done()
    shop.execute("DELETE FROM items")
    run = shop.go()
    assert run["state"] == "held"
    assert len(ids(shop.lake)) == ROWS
    shop.store.runs.discard(run["_id"], "ada")
    assert len(ids(shop.lake)) == ROWS


@DATABASES
def test_a_soft_deletion_is_a_moment_and_ends_when_the_row_is_back(shop: Works) -> None:
    shop.job(mirror(delete=Delete.SOFT))
    shop.done()
    assert {row["_deleted_at"] for row in shop.lake.rows("items")} == {None}
    shop.execute("DELETE FROM items WHERE id <= 2")
    run = shop.done()
    deleted = [row["id"] for row in shop.lake.rows("items") if row["_deleted_at"]]
    assert deleted == [1, 2]
    assert run["progress"]["items"]["deleted"] == 2
    shop.execute("INSERT INTO items VALUES (1, 'back')")
    assert shop.done()["progress"]["items"]["deleted"] == 0
    assert [row["id"] for row in shop.lake.rows("items") if row["_deleted_at"]] == [2]


@DATABASES
@pytest.mark.parametrize("delete", Delete)
def test_rows_that_the_source_calls_deleted_go(shop: Works, delete: Delete) -> None:
    shop.execute("ALTER TABLE items ADD COLUMN gone BOOLEAN")
    shop.execute("ALTER TABLE items ADD COLUMN changed INTEGER DEFAULT 1")
    stream = StreamSpec(
        name="items",
        mode=Mode.INCREMENTAL,
        cursor="changed",
        write=Write.UPSERT,
        key=("id",),
        deleted="gone",
        delete=delete,
    )
    shop.job(stream)
    shop.done()
    shop.execute("UPDATE items SET gone = 1, changed = 2 WHERE id IN (3, 4)")
    shop.execute("INSERT INTO items VALUES (100, 'never here', 1, 2)")
    run = shop.done()
    if delete is Delete.HARD:
        assert ids(shop.lake) == [1, 2, *range(5, ROWS + 1)]
        assert run["progress"]["items"]["deleted"] == 3
    else:
        assert [row["id"] for row in shop.lake.rows("items") if row["_deleted_at"]] == [3, 4, 100]


@DATABASES
def test_guards_may_be_off(shop: Works) -> None:
    shop.job(mirror(), guards=Guards(max_delete=None, max_shrink=None))
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 50")
    assert shop.done()["progress"]["items"]["deleted"] == 50


@DATABASES
def test_a_key_of_several_columns(shop: Works) -> None:
    shop.execute("CREATE TABLE parts (id INTEGER, region TEXT, n INTEGER, PRIMARY KEY (id, region))")
    shop.execute("INSERT INTO parts VALUES (?, ?, 0)", [(n, region) for n in range(1, 13) for region in ("a", "b")])
    shop.job(StreamSpec(name="parts", write=Write.MIRROR, key=("id", "region")))
    shop.done()
    shop.execute("DELETE FROM parts WHERE id = 2 AND region = 'a'")
    assert shop.done()["progress"]["parts"]["deleted"] == 1
    assert (2, "b") in {(row["id"], row["region"]) for row in shop.lake.rows("parts")}


@pytest.mark.parametrize("lake", ["files"], indirect=True)
def test_files_refuse_it_by_name(shop: Works) -> None:
    shop.job(mirror())
    run = shop.go()
    assert run["state"] == "failed"
    assert "items.write: mirror is not offered here; allowed: append, replace, upsert" in run["error"]["message"]
