"""SQLite where it is not ordinary: columns without a type, mixed values, names, locks, files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import COLUMNS, ID, INTEGER, TEXT, fence, row, rows
from tests.contracts.source import stored
from worker.batch import Batch, Row
from worker.connectors import sqlite
from worker.connectors.protocol import Target
from worker.connectors.sqlite import SQLiteDestination, SQLiteSettings, SQLiteSource
from worker.errors import BadData, BadInput, BadValue, DestinationUnavailable, SourceUnavailable
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import Column, Kind, Type


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


def execute(path: Path, script: str, *parameters: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            if parameters:
                return connection.execute(script, parameters).fetchall()
            if script.lstrip().upper().startswith("SELECT"):
                return connection.execute(script).fetchall()
            connection.executescript(script)
        return []
    finally:
        connection.close()


def source(path: Path) -> SQLiteSource:
    return SQLiteSource(SQLiteSettings(path=str(path)))


def destination(path: Path) -> SQLiteDestination:
    return SQLiteDestination(SQLiteSettings(path=str(path)))


def read(path: Path, spec: StreamSpec, checkpoint: Any = None) -> list[Row]:
    return [one for batch in source(path).read(spec, checkpoint) for one in batch.rows]


def put(
    path: Path, write: Write, batches: Sequence[list[Row]], columns: Sequence[Column] = COLUMNS, **more: Any
) -> None:
    key = more.get("key", ("id",))
    name = more.get("name", "people")
    writer = destination(path).open(
        Target(name=name, write=write, columns=tuple(columns), key=key, fence=fence(more.get("sequence", 1)))
    )
    try:
        for number, batch in enumerate(batches):
            writer.write(Batch(stream="people", rows=batch, bytes=1, checkpoint={"n": number}), tuple(columns))
        writer.finish()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("declared", "values", "type_"),
    [
        ("", (1, 2), Type(kind=Kind.INTEGER, bits=64)),
        ("", (1, 2.5), Type(kind=Kind.DECIMAL)),
        ("", (1, "x"), Type(kind=Kind.JSON)),
        ("", (None,), Type(kind=Kind.NULL)),
        ("INTEGER", (1, None), Type(kind=Kind.INTEGER, bits=64)),
        ("INTEGER", (1, "one"), Type(kind=Kind.JSON)),
        ("BOOLEAN", (0, 1, None), Type(kind=Kind.BOOLEAN)),
        ("VARCHAR(10)", ("much longer than ten",), Type(kind=Kind.TEXT)),
        ("DECIMAL(10, 2)", (1, 19.99), Type(kind=Kind.DECIMAL)),
        ("DATETIME", ("2024-01-01 00:00:00",), Type(kind=Kind.TEXT)),
        ("DOUBLE", (1.5, "NaN"), Type(kind=Kind.FLOAT, bits=64)),
        ("BLOB", (b"x",), Type(kind=Kind.BYTES)),
    ],
)
def test_a_column_is_what_it_holds(path: Path, declared: str, values: tuple[Any, ...], type_: Type) -> None:
    execute(path, f"CREATE TABLE people (v {declared})")
    for value in values:
        execute(path, "INSERT INTO people VALUES (?)", value)
    assert source(path).describe(StreamSpec(name="people")).columns[0].type == type_


def test_decimals_and_booleans_of_others_are_read_as_such(path: Path) -> None:
    execute(path, "CREATE TABLE people (d DECIMAL(10,2), b BOOLEAN); INSERT INTO people VALUES (19.99, 1), (20, 0)")
    assert read(path, StreamSpec(name="people")) == [
        {"d": Decimal("19.99"), "b": True},
        {"d": Decimal(20), "b": False},
    ]


def test_a_key_that_is_null_is_refused(path: Path) -> None:
    execute(path, "CREATE TABLE people (id TEXT PRIMARY KEY); INSERT INTO people VALUES (NULL)")
    with pytest.raises(BadValue, match="id"):
        read(path, StreamSpec(name="people"))


def test_text_that_is_no_text_is_bad_data(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    execute(path, "INSERT INTO people VALUES (?, CAST(? AS TEXT))", 1, b"\xff")
    with pytest.raises(BadData):
        read(path, StreamSpec(name="people"))


def test_a_source_that_is_not_there_is_not_made(path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"data\.db"):
        source(path).check()
    assert not path.exists()


def test_a_source_is_never_written(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY)")
    with source(path)._open() as connection, pytest.raises(sqlite3.DatabaseError, match="authorized"):
        connection.execute("INSERT INTO people VALUES (1)")


def test_views_and_tables_without_rowid_are_streams(path: Path) -> None:
    execute(
        path,
        "CREATE TABLE pairs (b TEXT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO pairs VALUES ('1','2');"
        "CREATE VIEW twos AS SELECT a FROM pairs",
    )
    found = {stream.name: stream for stream in source(path).streams()}
    assert found["pairs"].key == ("a", "b")
    assert found["twos"].key == ()
    assert read(path, StreamSpec(name="twos")) == [{"a": "2"}]


def test_a_cursor_of_plain_text_times_looks_back(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, at DATETIME)")
    for number in range(4):
        execute(path, "INSERT INTO people VALUES (?, ?)", number, f"2024-01-01 00:00:0{number}")
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.UPSERT, cursor="at", lookback="2s")
    [batch] = source(path).read(spec, None)
    assert [one["id"] for one in read(path, spec, stored(batch.checkpoint))] == [1, 2, 3]


def test_a_cursor_that_sqlite_cannot_order_is_refused(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, at DECIMAL_TEXT); INSERT INTO people VALUES (1, '9')")
    with pytest.raises(BadInput, match="at"):
        read(path, StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.UPSERT, cursor="at"))


def test_times_with_and_without_fractions_go_on(path: Path) -> None:
    columns = (ID, Column(name="at", type=Type(kind=Kind.TIMESTAMPTZ)))
    times = [datetime(2024, 1, 1, 0, 0, 0, n, tzinfo=UTC) for n in (0, 1, 500_000)]
    put(path, Write.UPSERT, [[{"id": n, "at": at} for n, at in enumerate(times)]], columns)
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="at")
    [batch] = source(path).read(spec, None)
    assert [one["at"] for one in batch.rows] == times
    put(path, Write.UPSERT, [[{"id": 3, "at": datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC)}]], columns, sequence=2)
    assert [one["id"] for one in read(path, spec, stored(batch.checkpoint))] == [3]


def test_replace_keeps_indexes_triggers_and_views(path: Path) -> None:
    put(path, Write.REPLACE, [rows(1, 3)])
    execute(path, "CREATE INDEX by_name ON people (name); CREATE VIEW names AS SELECT name FROM people")
    put(path, Write.REPLACE, [rows(4, 5)], sequence=2)
    assert execute(path, "SELECT name FROM names ORDER BY 1") == [("n4",), ("n5",)]
    assert execute(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'by_name'") == [(1,)]


def test_a_column_that_widens_keeps_its_values(path: Path) -> None:
    whole, wide = (ID, Column(name="v", type=INTEGER)), (ID, Column(name="v", type=Type(kind=Kind.DECIMAL)))
    put(path, Write.UPSERT, [[{"id": 1, "v": 7}]], whole)
    put(path, Write.UPSERT, [[{"id": 2, "v": 0.1}]], wide, sequence=2)
    assert [one["v"] for one in read(path, StreamSpec(name="people"))] == [Decimal(7), Decimal("0.1")]


@pytest.mark.parametrize(
    ("declared", "value", "says"),
    [
        ("INTEGER", 2**63, "beyond"),
        ("INTEGER", "012", "not exactly"),
        ("NUMERIC", "007", "number"),
        ("REAL", Decimal("0.10000000000000000000001"), "exactly"),
        ("BLOB", "text", "bytes"),
        ("DATE_TEXT", "2024-13-01", "not exactly"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_and_not_changed(path: Path, declared: str, value: Any, says: str) -> None:
    execute(path, f"CREATE TABLE people (id INTEGER PRIMARY KEY, v {declared})")
    columns = (ID, Column(name="v", type=TEXT))
    with pytest.raises(BadValue, match=says) as caught:
        put(path, Write.UPSERT, [[{"id": 1, "v": None}, {"id": 2, "v": value}]], columns)
    assert (caught.value.column, caught.value.row) == ("v", 2)
    assert execute(path, "SELECT count(*) FROM people") == [(0,)]


def test_tables_of_others_take_what_they_can_hold(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, b INTEGER, d NUMERIC, at DATETIME, t TEXT, n INTEGER)")
    columns = (
        ID,
        Column(name="b", type=Type(kind=Kind.BOOLEAN)),
        Column(name="d", type=Type(kind=Kind.DECIMAL)),
        Column(name="at", type=Type(kind=Kind.TIMESTAMPTZ)),
        Column(name="t", type=Type(kind=Kind.TIMESTAMPTZ)),
        Column(name="n", type=TEXT),
    )
    at = datetime(2024, 1, 1, tzinfo=UTC)
    put(path, Write.UPSERT, [[{"id": 1, "b": True, "d": Decimal("19.90"), "at": at, "t": at, "n": "12"}]], columns)
    found = execute(path, "SELECT * FROM people")
    assert found == [(1, 1, 19.9, "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z", 12)]


def test_names_that_differ_only_in_case_are_refused(path: Path) -> None:
    with pytest.raises(BadInput, match="rename"):
        put(path, Write.APPEND, [[row(1)]], (*COLUMNS, Column(name="NAME", type=TEXT)))
    execute(path, "CREATE TABLE PEOPLE (id INTEGER)")
    with pytest.raises(BadInput, match="target"):
        put(path, Write.APPEND, [[row(1)]])


def test_a_row_that_the_table_refuses_is_told(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'n2'))")
    with pytest.raises(BadValue, match="CHECK"):
        put(path, Write.UPSERT, [rows(1, 3)])
    assert execute(path, "SELECT count(*) FROM people") == [(0,)]


def test_a_file_that_another_writes_for_long_is_worth_another_try(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.05)
    put(path, Write.UPSERT, [rows(1, 1)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DestinationUnavailable, match="locked"):
        put(path, Write.UPSERT, [rows(2, 2)], sequence=2)
    other.close()


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_others_commit_while_a_table_is_read(path: Path, journal: str) -> None:
    execute(path, f"PRAGMA journal_mode = {journal}; CREATE TABLE people (id INTEGER PRIMARY KEY, v)")
    execute(path, "INSERT INTO people SELECT value, 'v' FROM json_each(?)", json.dumps(list(range(12_000))))
    reading = source(path).read(StreamSpec(name="people"), None)
    count = next(reading).count
    put(path, Write.UPSERT, [[{"id": 99_999, "v": "late"}]], (ID, Column(name="v", type=TEXT)))
    assert count + sum(batch.count for batch in reading) == 12_000


def test_a_file_may_be_both_ends(path: Path) -> None:
    execute(path, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    execute(path, "INSERT INTO people SELECT value, 'n' FROM json_each(?)", json.dumps(list(range(12_000))))
    stream = source(path).describe(StreamSpec(name="people"))
    target = Target(name="copy", write=Write.REPLACE, columns=stream.columns, key=stream.key, fence=fence())
    writer = destination(path).open(target)
    for batch in source(path).read(StreamSpec(name="people"), None):
        writer.write(batch, stream.columns)
    writer.finish()
    writer.close()
    assert execute(path, "SELECT count(*) FROM copy") == [(12_000,)]


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "odd #name?.db"
    put(path, Write.REPLACE, [rows(1, 1)])
    assert execute(path, "SELECT * FROM people") == [(1, "n1")]
