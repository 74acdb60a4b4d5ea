"""A stream of part of a table: `where`, `filter`, and a stream from a query, on the real databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pymongo
import pytest

from worker import connectors
from worker.batch import Row
from worker.connectors.checkpoint_values import pack
from worker.connectors.protocol import Source
from worker.declaration import job_document, parse_job
from worker.errors import BadInput
from worker.job import Mode, StreamSpec, Write
from worker.store import Store

ORDERS = [(n, "paid 100%" if n % 2 else "open", None if n == 9 else n * 10) for n in range(1, 11)]
PAID = "status LIKE '%100%' -- those that count"


class Shop(Protocol):
    def __call__(self) -> Source: ...


@pytest.fixture
def sqlite_shop(tmp_path: Path) -> Shop:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT, changed INTEGER)")
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", ORDERS)
    shop.close()
    settings = connectors.settings_of("sqlite", {"path": str(tmp_path / "shop.db")})
    return lambda: connectors.connector("sqlite").source(settings)


@pytest.fixture
def postgres_shop(postgres_database: str) -> Shop:
    with psycopg.connect(postgres_database) as shop:
        shop.execute("CREATE TABLE orders (id integer PRIMARY KEY, status text, changed integer)")
        shop.cursor().executemany("INSERT INTO orders VALUES (%s, %s, %s)", ORDERS)
    settings = connectors.settings_of("postgres", {"url": postgres_database})
    return lambda: connectors.connector("postgres").source(settings)


@pytest.fixture
def mongodb_shop(mongo_url: str, mongo_database: str) -> Iterator[Shop]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        documents = [{"_id": n, "status": status, "changed": changed} for n, status, changed in ORDERS]
        client[mongo_database]["orders"].insert_many(documents)
        settings = connectors.settings_of("mongodb", {"url": mongo_url, "database": mongo_database})
        yield lambda: connectors.connector("mongodb").source(settings)


@pytest.fixture(params=["sqlite", "postgres"])
def sql_shop(request: pytest.FixtureRequest) -> Shop:
    shop: Shop = request.getfixturevalue(f"{request.param}_shop")
    return shop


def spec(*, key: tuple[str, ...] = ("id",), **fields: Any) -> StreamSpec:
    return StreamSpec(name="orders", write=Write.UPSERT, key=key, **fields)


def read(shop: Shop, spec: StreamSpec, checkpoint: Any = None) -> tuple[list[Row], Any, list[str]]:
    with shop() as source:
        source.describe(spec)
        batches = list(source.read(spec, checkpoint))
        told = source.told()  # type: ignore[attr-defined]
    last = batches[-1].checkpoint if batches else None
    return [row for batch in batches for row in batch.rows], last, told


def test_where_leaves_rows_out_of_a_full_read_and_of_what_follows_its_checkpoint(sql_shop: Shop) -> None:
    only = spec(options={"where": PAID})
    rows, last, _ = read(sql_shop, only)
    assert [row["id"] for row in rows] == [1, 3, 5, 7, 9]
    assert read(sql_shop, only, {**last, "after": [pack(5)]})[0] == rows[3:]


def test_where_goes_with_an_incremental_read(sql_shop: Shop) -> None:
    only = spec(mode=Mode.INCREMENTAL, cursor="changed", options={"where": PAID})
    rows, last, told = read(sql_shop, only)
    assert [row["id"] for row in rows] == [1, 3, 5, 7]
    assert last["after"][0] == pack(70)
    assert told == ["1 row of orders was not sent: its cursor changed is null"]
    assert [row["id"] for row in read(sql_shop, only, last)[0]] == [7]


def test_a_query_is_read_as_a_table_is(sql_shop: Shop) -> None:
    query = "SELECT status, count(*) AS n, max(changed) AS changed FROM orders GROUP BY status -- all;"
    grouped = spec(key=("status",), options={"query": query, "where": "n > 1"})
    rows, _, _ = read(sql_shop, grouped)
    assert sorted((row["status"], row["n"], row["changed"]) for row in rows) == [("open", 5, 100), ("paid 100%", 5, 70)]
    newer = spec(key=("status",), mode=Mode.INCREMENTAL, cursor="changed", options={"query": query})
    assert [row["changed"] for row in read(sql_shop, newer)[0]] == [70, 100]


def test_the_columns_of_a_query_have_their_types(postgres_shop: Shop) -> None:
    query = "SELECT id, 1.5::numeric(10,2) AS price, now() AS at, ARRAY[1,2] AS list, '{}'::jsonb AS extra FROM orders"
    with postgres_shop() as source:
        stream = source.describe(spec(options={"query": query}))
    kinds = {column.name: str(column.type.kind) for column in stream.columns}
    expected = {"id": "integer", "price": "decimal", "at": "timestamptz", "list": "array", "extra": "json"}
    assert kinds == expected
    assert next(column.type.scale for column in stream.columns if column.name == "price") == 2


@pytest.mark.parametrize("option", ["where", "query"])
@pytest.mark.parametrize("text", ["SELEKT", "nobody = 1", "id = 1; DROP TABLE orders"])
def test_sql_that_is_not_understood_is_refused_by_its_field(sql_shop: Shop, option: str, text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(sql_shop, spec(options={option: text}))
    assert refusal.value.faults[0].field == f"orders.{option}"
    assert len(read(sql_shop, spec())[0]) == 10


def test_filter_leaves_documents_out(mongodb_shop: Shop) -> None:
    paid: dict[str, object] = {"filter": {"status": {"$regex": "100"}}}
    rows, last, _ = read(mongodb_shop, StreamSpec(name="orders", options=paid))
    assert [row["_id"] for row in rows] == [1, 3, 5, 7, 9]
    assert read(mongodb_shop, StreamSpec(name="orders", options=paid), last)[0] == []
    newer = StreamSpec(name="orders", mode=Mode.INCREMENTAL, cursor="changed", write=Write.UPSERT, options=paid)
    rows, _, told = read(mongodb_shop, newer)
    assert [row["_id"] for row in rows] == [1, 3, 5, 7]
    assert told == ["1 row of orders was not sent: its cursor changed is null or missing"]


def test_a_filter_may_hold_extended_json(mongodb_shop: Shop, mongo_url: str, mongo_database: str) -> None:
    written: dict[str, object] = {"filter": {"changed": {"$gte": {"$numberLong": "80"}}}}
    assert [row["_id"] for row in read(mongodb_shop, StreamSpec(name="orders", options=written))[0]] == [8, 10]


def test_a_filter_that_is_not_understood_is_refused_by_its_field(mongodb_shop: Shop) -> None:
    with pytest.raises(BadInput) as refusal:
        read(mongodb_shop, StreamSpec(name="orders", options={"filter": {"$nope": 1}}))
    assert refusal.value.faults[0].field == "orders.filter"


TYPES = {"lake": "mongodb", "shop": "sqlite"}


def declared(source: str, destination: str, **stream: Any) -> dict[str, Any]:
    return {"source": source, "destination": destination, "streams": [{"name": "orders", **stream}]}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (declared("lake", "shop", where="id > 1"), "streams[0].where"),
        (declared("shop", "lake", filter={"id": 1}), "streams[0].filter"),
        (declared("shop", "lake", where=["id > 1"]), "streams[0].where"),
        (declared("lake", "shop", filter="id > 1"), "streams[0].filter"),
    ],
)
def test_a_condition_that_the_source_does_not_know_is_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_job("j", document, types=TYPES)
    assert [fault.field for fault in refusal.value.faults] == [field]


def test_a_filter_is_stored_and_printed_as_it_was_declared(store: Store) -> None:
    document = declared("lake", "shop", filter={"status": {"$in": ["a", "$b"]}, "a.b": {"$gt": 1}})
    job = parse_job("j", document, types=TYPES)
    assert store.jobs.insert(job).streams == job.streams
    assert job_document(store.jobs.get("j"))["streams"][0]["filter"] == document["streams"][0]["filter"]
