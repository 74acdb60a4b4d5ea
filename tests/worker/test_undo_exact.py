"""What an undo brings back is exactly what was there: bytes, types, documents, and all that hangs on the target."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from tests.worker.real import Lake, MongodbLake, PostgresLake, SqliteLake
from tests.worker.undo_child import destination, replace, undo


@pytest.fixture
def to(lake: Lake) -> Iterator[Any]:
    with destination(lake.type, lake.settings) as opened:
        yield opened


@pytest.mark.parametrize("lake", ["files"], indirect=True)
def test_a_file_comes_back_byte_for_byte(lake: Lake, to: Any) -> None:
    folder = Path(lake.settings["path"])
    folder.mkdir()
    file = folder / "items.csv"
    file.write_bytes(b'\xef\xbb\xbfname,id\r\n"first",1\r\nsecond,007')
    file.chmod(0o640)
    before = file.read_bytes()
    replace(to, 1, "later")
    assert file.read_bytes() != before
    undo(to, 2)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o640)
    assert len(list(folder.iterdir())) == 3  # itself, its state, what is kept


RICH = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN short AS varchar(5);
CREATE TABLE items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(20) NOT NULL DEFAULT 'none',
    amount numeric(38,10), tiny smallint, feeling mood, code short, tags text[], extra jsonb, at timestamptz(3),
    twice numeric GENERATED ALWAYS AS (amount * 2) STORED
);
INSERT INTO items (name, amount, tiny, feeling, code, tags, extra, at) VALUES
    ('first', 0.0000000001, 7, 'glad', 'abc', '{a,NULL}', '{"b": [1, 2.50], "a": null}', '1969-12-31T23:59:59.999Z'),
    ('first', 9999999999999999999999999999.9999999999, NULL, 'sad', '', '{}', 'null', 'infinity');
CREATE INDEX by_name ON items (lower(name)) WHERE name <> 'x';
CREATE VIEW shown AS SELECT id, name FROM items;
COMMENT ON TABLE items IS 'ours'; COMMENT ON COLUMN items.tags IS 'words';
GRANT SELECT ON items TO PUBLIC; GRANT UPDATE (name) ON items TO PUBLIC;
"""
HANGING = """
SELECT (SELECT array_agg(indexdef ORDER BY indexname) FROM pg_indexes WHERE tablename = 'items'),
       relacl::text, obj_description(oid), oid,
       (SELECT array_agg((attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attacl,
        col_description(attrelid, attnum)) ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0)::text
FROM pg_class c WHERE relname = 'items'
"""


@pytest.mark.parametrize("lake", ["postgres"], indirect=True)
def test_a_postgres_table_keeps_its_types_and_all_that_hangs_on_it(lake: Lake, to: Any) -> None:
    assert isinstance(lake, PostgresLake)
    lake.execute(RICH)
    with psycopg.connect(lake.settings["url"], autocommit=True) as look:
        everything = "SELECT items::text, pg_typeof(amount)::text FROM items ORDER BY id"
        hanging, rows = look.execute(HANGING).fetchone(), look.execute(everything).fetchall()
        replace(to, 1, "second")
        assert look.execute("SELECT count(*) FROM shown WHERE name = 'second'").fetchone() == (50,)
        undo(to, 2)
        assert look.execute(everything).fetchall() == rows
        assert look.execute(HANGING).fetchone() == hanging
        assert look.execute("SELECT count(*) FROM shown").fetchone() == (2,)
        undo(to, 3)
        assert look.execute("SELECT count(*) FROM shown WHERE name = 'second'").fetchone() == (50,)
        assert look.execute(HANGING).fetchone() == hanging


@pytest.mark.parametrize("lake", ["postgres", "sqlite"], indirect=True)
def test_a_column_that_was_widened_goes_back(lake: Lake, to: Any) -> None:
    assert isinstance(lake, (PostgresLake, SqliteLake))
    lake.execute("CREATE TABLE items (id bigint, name smallint)")
    lake.execute("INSERT INTO items VALUES (1, 5)")
    before = lake.rows("items")
    replace(to, 1, Decimal("12345678901234567890123.5"), count=2)
    after = lake.rows("items")
    undo(to, 2)
    assert lake.rows("items") == before
    assert type(lake.rows("items")[0]["name"]) is int
    undo(to, 3)
    assert lake.rows("items") == after


@pytest.mark.parametrize("lake", ["mongodb"], indirect=True)
def test_a_collection_keeps_its_documents_options_and_indexes(lake: Lake, to: Any) -> None:
    assert isinstance(lake, MongodbLake)
    with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
        database = client[lake.settings["database"]]
        validator = {"name": {"$exists": True}}
        database.create_collection("items", collation={"locale": "fr"}, validator=validator, validationAction="error")
        database["items"].insert_many(
            [{"_id": {"b": 1, "a": 2}, "name": "first", "x.y": [1, {"$z": 2.5}]}, {"_id": "7", "name": None}]
        )
        database["items"].create_index("name", unique=False, name="by_name", sparse=True)

        def state() -> Any:
            options = next(iter(database.list_collections(filter={"name": "items"})))["options"]
            return list(database["items"].find()), options, sorted(database["items"].index_information().items())

        before = state()
        replace(to, 1, "second")
        after = state()
        assert after != before and after[1:] == before[1:]
        undo(to, 2)
        assert state() == before
        undo(to, 3)
        assert state() == after
