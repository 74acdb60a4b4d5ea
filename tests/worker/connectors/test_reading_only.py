"""What a job says in SQL or as a filter is for reading: all that would do more is tried, on the real databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from worker import connectors
from worker.connectors import read_only_sql
from worker.errors import BadInput, SyncworkerError
from worker.job import StreamSpec

WRITING = [
    "SELECT 1 AS id) AS source LIMIT 0; INSERT INTO orders VALUES (99, 'x') --",
    "SELECT 1 AS id) AS source; COMMIT; DROP TABLE orders; --",
    "SELECT 1; DROP TABLE orders",
    "DROP TABLE orders",
    "INSERT INTO orders VALUES (99, 'x') RETURNING id",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
    "UPDATE orders SET status = 'x'",
]
OF_POSTGRES = [
    *WRITING,
    "COPY orders TO PROGRAM 'id'",
    "SELECT writes() AS id",
    "SELECT pg_read_file('/etc/passwd') AS id",
    "SELECT \"pg_read_file\"('/etc/passwd') AS id",
    "SELECT U&\"pg\\005fread_file\"('/etc/passwd') AS id",
    "SELECT lo_import('/etc/passwd') AS id",
    "SELECT lo_export(1, '/tmp/x') AS id",
    "SELECT set_config('transaction_read_only', 'off', true) AS id",
    "SELECT query_to_xml('select pg_read' || '_file(''/etc/passwd'')', true, true, '') AS id",
    "SELECT pg_terminate_backend(1) AS id",
    "SELECT * FROM dblink('host=evil', 'select 1') AS t (id int)",
]
OF_SQLITE = [
    *WRITING,
    "ATTACH DATABASE '{folder}/other.db' AS other",
    "SELECT 1 AS id); ATTACH DATABASE '{folder}/other.db' AS other; --",
    "SELECT load_extension('{folder}/evil') AS id",
    "SELECT writefile('{folder}/written', 'x') AS id",
    "PRAGMA query_only = OFF",
    "VACUUM INTO '{folder}/written'",
]


def attempt(connector: str, settings: dict[str, Any], options: dict[str, Any]) -> None:
    """Describe and read the stream; what is refused is refused as the job's mistake, never tried again."""
    with connectors.open_end(connector, settings, "source") as source:
        spec = StreamSpec(name="orders", options=options)
        source.describe(spec)  # type: ignore[union-attr]
        for _ in source.read(spec, None):  # type: ignore[union-attr]
            pass


def told(connector: str, settings: dict[str, Any], options: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as refusal:
        attempt(connector, settings, options)
    (fault,) = refusal.value.faults
    assert fault.field == f"orders.{next(iter(options))}"
    assert "root:" not in fault.message
    return fault.message


@pytest.mark.parametrize("option", ["query", "where"])
@pytest.mark.parametrize("sql", OF_POSTGRES)
def test_postgres_only_reads(postgres_database: str, option: str, sql: str) -> None:
    """As a superuser, who may do all: so it is for us alone to refuse."""
    with psycopg.connect(postgres_database) as shop:
        shop.execute("CREATE TABLE orders (id integer PRIMARY KEY, status text)")
        shop.execute("INSERT INTO orders VALUES (1, 'paid')")
        shop.execute(
            "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO orders VALUES (98, ''x'') RETURNING id'"
        )
    sql = sql if option == "query" else f"id = ({sql})"
    told("postgres", {"url": postgres_database}, {option: sql})
    with psycopg.connect(postgres_database) as shop:
        assert shop.execute("SELECT * FROM orders").fetchall() == [(1, "paid")]


@pytest.mark.parametrize("option", ["query", "where"])
@pytest.mark.parametrize("sql", OF_SQLITE)
def test_sqlite_only_reads(tmp_path: Path, option: str, sql: str) -> None:
    for name in ("shop.db", "other.db"):
        with sqlite3.connect(tmp_path / name) as shop:
            shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)")
            shop.execute("INSERT INTO orders VALUES (1, 'paid')")
        shop.close()
    sql = sql.format(folder=tmp_path) if option == "query" else f"id = ({sql.format(folder=tmp_path)})"
    told("sqlite", {"path": str(tmp_path / "shop.db")}, {option: sql})
    for name in ("shop.db", "other.db"):
        with sqlite3.connect(tmp_path / name) as shop:
            assert shop.execute("SELECT * FROM orders").fetchall() == [(1, "paid")]
        shop.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.db", "shop.db"]


def test_a_strangers_sqlite_file_calls_no_function_that_acts(tmp_path: Path) -> None:
    """A view of the file's own; what it names is looked at as if the job had said it."""
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE VIEW orders AS SELECT load_extension('/tmp/evil') AS id")
    shop.close()
    with pytest.raises(SyncworkerError, match=r"authorized|unsafe|no such function"):
        attempt("sqlite", {"path": str(tmp_path / "shop.db")}, {})


@pytest.mark.parametrize(
    "filter_",
    [
        {"$where": "sleep(1000) || true"},
        {"$and": [{"status": "paid"}, {"$or": [{"$where": "true"}]}]},
        {"$expr": {"$function": {"body": "function() { return true }", "args": [], "lang": "js"}}},
        {"$expr": {"$eq": [{"$accumulator": {}}, 1]}},
        {"status": {"$not": {"$elemMatch": {"$where": "true"}}}},
        {"status": {"$code": "function() {}", "$scope": {}}},
        {"$expr": {"$let": {"vars": {"a": {"$function": {}}}, "in": "$$a"}}},
    ],
)
def test_no_filter_runs_javascript_on_the_server(mongo_url: str, mongo_database: str, filter_: dict[str, Any]) -> None:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client[mongo_database]["orders"].insert_one({"_id": 1, "status": "paid"})
    said = told("mongodb", {"url": mongo_url, "database": mongo_database}, {"filter": filter_})
    assert "JavaScript" in said


def test_ordinary_sql_and_filters_are_not_in_the_way(
    postgres_database: str, mongo_url: str, mongo_database: str
) -> None:
    with psycopg.connect(postgres_database) as shop:
        shop.execute("CREATE TABLE orders (id integer PRIMARY KEY, status text)")
        shop.execute("INSERT INTO orders VALUES (1, 'paid')")
    query = (
        "WITH paid AS (SELECT id, upper(status) AS s, jsonb_build_object('a', id) AS j FROM orders) SELECT * FROM paid"
    )
    attempt("postgres", {"url": postgres_database}, {"query": query})
    attempt("postgres", {"url": postgres_database}, {"where": "status LIKE '%pa;id%' OR id > 0 -- both"})
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        client[mongo_database]["orders"].insert_one({"_id": 1, "status": "paid"})
    settings = {"url": mongo_url, "database": mongo_database}
    attempt("mongodb", settings, {"filter": {"$expr": {"$eq": ["$status", "paid"]}, "$comment": "$where"}})


@pytest.mark.parametrize(
    "sql",
    ["action = 'edit'", "lo_orderdate > 19940101 AND lo_quantity < 25", "format IN ('zipfile', 'notify')", "pg = 1"],
)
def test_words_of_the_data_are_no_functions_that_act(sql: str) -> None:
    assert read_only_sql.refusal(sql) is None
