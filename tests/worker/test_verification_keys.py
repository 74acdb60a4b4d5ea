"""Verification finds and mends rows by keys of every make: several columns, text, an ObjectId."""

from __future__ import annotations

from typing import Any

import bson
import psycopg
import pymongo
import pytest

from tests.worker.real import VAULT, MongodbLake, Works
from tests.worker.test_verification import DATABASES, Verify, alter, carry, found, verify
from worker.connection import Connection
from worker.job import Job, StreamSpec, Write

__all__ = ["carry", "verify"]

PARTS = [(n, region, f"part {n}") for n in range(1, 301) for region in ("Ä", "b", "B")]


def names(works: Works) -> set[tuple[Any, ...]]:
    return {(row["id"], row["region"], row["name"]) for row in works.lake.rows("parts")}


@DATABASES
@pytest.mark.parametrize("write", [Write.REPLACE, Write.MIRROR])
def test_a_key_of_several_columns(works: Works, carry: Verify, verify: Verify, write: Write) -> None:
    works.execute("CREATE TABLE parts (id INTEGER, region TEXT, name TEXT, PRIMARY KEY (id, region))")
    works.execute("INSERT INTO parts VALUES (?, ?, ?)", PARTS)
    works.job(StreamSpec(name="parts", write=write, key=("id", "region")))
    carry()
    works.execute("DELETE FROM parts WHERE id = 7 AND region = 'b'")
    works.execute("UPDATE parts SET name = 'newer' WHERE id = 8 AND region = 'Ä'")
    works.execute("INSERT INTO parts VALUES (1000, 'a', 'new')")
    run = verify()
    kinds = {name: found(run, "parts")[name] for name in ("missing", "changed", "extra")}
    assert kinds == {"missing": 1, "changed": 1, "extra": 1}
    run = verify(repair=True)
    assert run["state"] == "succeeded", run["error"]
    expected = {row for row in PARTS if row[:2] not in ((7, "b"), (8, "Ä"))}
    assert names(works) == expected | {(8, "Ä", "newer"), (1000, "a", "new")}


@DATABASES
def test_documents_are_found_by_their_object_ids(
    works: Works, carry: Verify, verify: Verify, mongo_url: str, mongo_database: str
) -> None:
    database = f"{mongo_database}_shop"
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        things = client[database]["things"]
        made: list[dict[str, Any]] = [{"id": n, "tags": [n, "x"], "by": {"n": n}} for n in range(1, 301)]
        ids = list(things.insert_many(made).inserted_ids)
        shop = Connection(id="docs", type="mongodb", settings={"url": mongo_url, "database": database})
        works.store.connections(VAULT).insert(shop, frozenset())
        works.store.jobs.insert(Job(id="j", source="docs", destination="lake", streams=(StreamSpec(name="things"),)))
        carry()
        things.update_one({"_id": ids[9]}, {"$set": {"tags": []}})
        things.delete_one({"_id": ids[19]})
        things.insert_one({"_id": bson.ObjectId(), "id": 1000})
        assert found(verify(), "things")["differing"] == 3
        run = verify(repair=True)
        assert run["state"] == "succeeded", run["error"]
        assert (found(run, "things")["mended"], found(run, "things")["reread"]) == (3, 2)
        client.drop_database(database)
    assert {row["id"] for row in works.lake.rows("things")} == {*range(1, 301), 1000} - {20}


@pytest.mark.parametrize("lake", ["mongodb"], indirect=True)
def test_a_document_that_only_looks_the_same_differs(works: Works, carry: Verify, verify: Verify) -> None:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
    works.execute("INSERT INTO items VALUES (?, ?, ?)", [(n, str(n), n / 7) for n in range(1, 11)])
    works.job(StreamSpec(name="items", key=("id",)))
    carry()
    alter(works.lake, "", 3, {"$set": {"name": 3}})
    alter(works.lake, "", 4, {"$set": {"more": True}})
    alter(works.lake, "", 5, {"$unset": {"price": 1}})
    run = verify(repair=True)
    assert (found(run)["changed"], found(run)["mended"]) == (3, 3)
    assert works.lake.rows("items")[2:5] == [{"id": n, "name": str(n), "price": n / 7} for n in (3, 4, 5)]


@pytest.mark.parametrize("lake", ["mongodb"], indirect=True)
def test_a_document_under_another_id_is_one_too_many(works: Works, carry: Verify, verify: Verify) -> None:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY)")
    works.execute("INSERT INTO items VALUES (?)", [(n,) for n in range(1, 101)])
    works.job(StreamSpec(name="items"))
    carry()
    assert isinstance(works.lake, MongodbLake)
    with pymongo.MongoClient[dict[str, Any]](works.lake.settings["url"]) as client:
        client[works.lake.settings["database"]]["items"].insert_one({"id": 7})
    run = verify()
    assert (found(run)["extra"], found(run)["missing"]) == (1, 0)
    assert verify(repair=True)["state"] == "succeeded"
    assert [row["id"] for row in works.lake.rows("items")] == list(range(1, 101))


@pytest.mark.parametrize("lake", ["postgres"], indirect=True)
def test_columns_that_others_added_are_not_looked_at(works: Works, carry: Verify, verify: Verify) -> None:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    works.execute("INSERT INTO items VALUES (1, 'a')")
    works.job(StreamSpec(name="items"))
    carry()
    with psycopg.connect(works.lake.settings["url"]) as connection:
        connection.execute("ALTER TABLE items ADD COLUMN note text DEFAULT 'theirs'")
    assert found(verify())["differing"] == 0


@DATABASES
def test_what_an_append_brought_is_counted_row_by_row(works: Works, carry: Verify, verify: Verify) -> None:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    works.execute("INSERT INTO items VALUES (?, ?)", [(n, "x") for n in range(1, 51)])
    works.job(StreamSpec(name="items", write=Write.APPEND))
    carry()
    assert found(verify())["rows"] == 50
    carry()  # all of it once more
    assert (found(verify())["differing"], found(verify())["others"]) == (0, 50)
