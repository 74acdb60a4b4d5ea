"""PostgreSQL's types: every one there and back, what widens, what is refused, and what orders rows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.destination import COLUMNS, ID, INTEGER, TEXT, fence, row
from tests.contracts.source import stored
from tests.worker.connectors.postgres_ends import copy, destination, execute, put, source, texts
from worker.batch import Batch
from worker.connectors.protocol import Target
from worker.connectors.sqlite import SQLiteDestination, SQLiteSettings, SQLiteSource
from worker.errors import (
    BadData,
    BadInput,
    BadValue,
)
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import Column, Kind, Type

EVERY_TYPE = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE every (
  id bigint PRIMARY KEY, small smallint, whole int, numbers numeric, money_ numeric(10, 2), single real,
  double double precision, words text, short varchar(10), padded char(5), raw bytea, yes boolean, day date, hour time,
  stamp timestamp, instant timestamptz, ident uuid, doc json, docb jsonb, grid int[], texts text[], feeling mood,
  span interval, address inet, domain_ positive, feelings mood[], flags bit(3), cash money, instants timestamptz[],
  days daterange, "od""d %name" int);
INSERT INTO every VALUES
 (1, 1, 2, 123456789012345678901234567890.12345, 1.50, 0.1, 0.1, 'h\u00e9', 'abc', 'ab', '\\x00ff', true, '2024-02-29',
  '23:59:59.123456', '2024-01-01 00:00:00.000001', '2024-01-01 00:00:00+02', '6f9619ff-8b86-4011-b42d-00cf4fc964ff',
  '{"a":1.10,"b":12345678901234567890}', '{"x":[1,0.12345678901234567890123,null]}',
  '{{1,2},{3,null}}', '{"a",null,"b,c"}', 'sad',
  '1 year 2 mons 3 days 04:05:06.7', '10.0.0.1/8', 5, '{sad,happy}', '101', '12.50',
  '{2024-01-01 00:00:00+00,infinity}', '[2024-01-01,2024-02-01)', 7),
 (2, null, null, 'NaN', null, 'NaN', '-Infinity', '', '', '', '', false, 'infinity', '24:00:00', 'infinity',
  '-infinity', null, 'null', 'null', '{}', '{}', null, null, null, null, null, null, null, null, null, null),
 (3, null, null, 'Infinity', null, 'Infinity', 1e300, null, null, null, null, null, '0044-03-15 BC', '00:00:00',
  '12024-01-01 01:02:03.5', '4713-01-01 00:00:00+00 BC', null, '[]', '1', null, null, null, null, null, null, null,
  null, null, null, null, null),
 (4, -32768, 2147483647, 0.000, -0.01, 1e-40, 5e-324, null, null, null, null, null, '9999-12-31', '12:00', null, null,
  null, '"text"', '{}', null, null, null, '-1 day', null, null, null, null, null, null, 'empty', null);
"""


@pytest.fixture
def url(postgres_database: str) -> str:
    return postgres_database


@pytest.mark.parametrize("write", list(Write))
def test_every_type_is_the_same_in_another_table(url: str, write: Write) -> None:
    execute(url, EVERY_TYPE)
    stream = copy(source(url), destination(url), StreamSpec(name="every", write=write, target="copy"))
    names = [column.name for column in stream.columns if column.name != "padded"]  # a char(5) is text elsewhere
    for before, after in zip(texts(url, "every", names), texts(url, "copy", names), strict=True):
        changed = {name: (a, b) for name, a, b in zip(names, before, after, strict=True) if a != b}
        changed.pop("doc", None)  # json keeps its spaces, jsonb its own
        assert changed == {}


@pytest.mark.parametrize("write", list(Write))
def test_every_type_goes_into_an_existing_table_of_the_same_types(url: str, write: Write) -> None:
    execute(url, EVERY_TYPE + "CREATE TABLE copy (LIKE every INCLUDING ALL)")
    stream = copy(source(url), destination(url), StreamSpec(name="every", write=write, target="copy"))
    names = [column.name for column in stream.columns if column.name != "doc"]
    assert texts(url, "every", names) == texts(url, "copy", names)


def test_every_type_comes_back_from_sqlite(url: str, tmp_path: Path) -> None:
    execute(url, EVERY_TYPE)
    file = SQLiteSettings(path=str(tmp_path / "between.db"))
    copy(source(url), SQLiteDestination(file), StreamSpec(name="every"))
    stream = copy(SQLiteSource(file), destination(url), StreamSpec(name="every", target="copy"))
    names = [column.name for column in stream.columns if column.name not in ("padded", "doc")]
    assert texts(url, "every", names) == texts(url, "copy", names)


def test_a_number_that_outgrows_its_column_widens_it(url: str) -> None:
    execute(url, "CREATE TABLE people (id int PRIMARY KEY, name text)")
    put(destination(url), Write.UPSERT, [row(2**40)])
    put(
        destination(url),
        Write.UPSERT,
        [{"id": Decimal("1.5"), "name": "x"}],
        (Column(name="id", type=Type(kind=Kind.DECIMAL)), COLUMNS[1]),
        sequence=2,
    )
    assert execute(url, "SELECT id::text FROM people ORDER BY id") == [("1.5",), (str(2**40),)]


def test_a_type_that_changes_while_staging_becomes_json(url: str) -> None:
    writer = destination(url).open(Target(name="people", write=Write.REPLACE, columns=(), key=(), fence=fence()))
    first, mixed = (Column(name="v", type=INTEGER),), (Column(name="v", type=Type(kind=Kind.JSON)),)
    writer.write(Batch(stream="people", rows=[{"v": 1}], bytes=1, checkpoint={}), first)
    writer.write(Batch(stream="people", rows=[{"v": "one"}, {"v": [1]}], bytes=1, checkpoint={}), mixed)
    writer.finish()
    writer.close()
    assert execute(url, "SELECT v::text FROM people ORDER BY 1") == [('"one"',), ("1",), ("[1]",)]


@pytest.mark.parametrize(
    ("declared", "value", "says"),
    [
        ("numeric(10, 2)", Decimal("1.234"), "decimal places"),
        ("numeric(40, 35)", Decimal("0.000000000000000000000000000000000001"), "35 decimal places"),
        ("date", "5874898-01-01", "no date or time that PostgreSQL"),
        ("timestamp", "294277-01-01 00:00:00", "no date or time that PostgreSQL"),
        ("timestamptz", "4715-01-01 00:00:00+00 BC", "no date or time that PostgreSQL"),
        ("integer[]", '[1, "one"]', "not exactly an array of integer"),
        ("integer[]", "1,2", "not exactly an array of integer"),
        ("varchar(3)", "four", "3 characters"),
        ("real", 0.1, "32 bits"),
        ("timestamp(0)", "2024-01-01T00:00:00.5", "finer"),
        ("text", "nul\0", "NUL"),
        ("date", "2024-13-01", "not exactly"),
        ("int", "007", "not exactly"),
        ("boolean", "1", "boolean"),
        ("jsonb", "nul\0", "u0000"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_and_not_rounded(url: str, declared: str, value: Any, says: str) -> None:
    execute(url, f"CREATE TABLE people (id int PRIMARY KEY, v {declared})")
    columns = (ID, Column(name="v", type=TEXT))
    with pytest.raises(BadValue, match=says):
        put(destination(url), Write.UPSERT, [{"id": 1, "v": None}, {"id": 2, "v": value}], columns)
    assert execute(url, "SELECT count(*) FROM people") == [(0,)]


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("numeric(38, 10)", "1234567890123456789012345678.0123456789"),
        ("numeric(38, 10)", "-9999999999999999999999999999.9999999999"),
        ("numeric(3, -2)", "99900"),
        ("numeric(2, 4)", "0.0099"),
        ("numeric(5, 2)", "1.5000000000000000000000000000000000"),
        ("numeric(5, 2)", "0E+10"),
        ("date", "5874897-12-31"),
        ("date", "4714-11-24 BC"),
        ("timestamptz", "294276-12-31 23:59:59.999999+00"),
        ("timestamp", "4714-11-24 00:00:00 BC"),
    ],
)
def test_what_a_column_can_just_hold_is_held(url: str, declared: str, value: str) -> None:
    execute(url, f"CREATE TABLE people (id int PRIMARY KEY, v {declared})")
    kept = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attnum = 2"
    )
    before = execute(url, kept)
    number = declared.startswith("numeric")
    columns = (ID, Column(name="v", type=Type(kind=Kind.DECIMAL) if number else TEXT))
    put(destination(url), Write.UPSERT, [{"id": 1, "v": Decimal(value) if number else value}], columns)
    assert execute(url, kept) == before
    assert execute(url, f"SELECT v = '{value}'::{declared} FROM people") == [(True,)]


@pytest.mark.parametrize(("declared", "value"), [("integer[]", "[1, null, 3]"), ("text[]", '["a", null]')])
def test_the_text_of_an_array_goes_into_an_array(url: str, declared: str, value: str) -> None:
    execute(url, f"CREATE TABLE people (id int PRIMARY KEY, v {declared})")
    put(destination(url), Write.UPSERT, [{"id": 1, "v": value}], (ID, Column(name="v", type=TEXT)))
    assert execute(url, "SELECT to_jsonb(v)::text FROM people") == [(value,)]


def test_a_key_of_an_enum_is_read_in_its_own_order(url: str) -> None:
    execute(
        url,
        "CREATE TYPE size AS ENUM ('small', 'large', 'huge'); CREATE TABLE people (id size PRIMARY KEY);"
        "INSERT INTO people VALUES ('huge'), ('large'), ('small')",
    )
    [batch] = source(url).read(StreamSpec(name="people"), None)
    assert [one["id"] for one in batch.rows] == ["small", "large", "huge"]
    checkpoint = stored({"by": ["id"], "after": [{"t": "text", "v": "large"}]})
    [rest] = source(url).read(StreamSpec(name="people"), checkpoint)
    assert [one["id"] for one in rest.rows] == ["huge"]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("int", "{n}"),
        ("numeric", "{n} / 3.0"),
        ("double precision", "{n} / 3.0"),
        ("text", "'x' || {n}"),
        ("uuid", "('00000000-0000-0000-0000-00000000000' || {n})"),
        ("date", "date '2024-01-01' + {n}"),
        ("timestamp", "timestamp '2024-01-01' + {n} * interval '1 us'"),
        ("timestamptz", "timestamptz '2024-01-01' + {n} * interval '1 us'"),
        ("interval", "{n} * interval '8 hours'"),
    ],
)
def test_cursors_of_many_types_go_on(url: str, type_: str, value: str) -> None:
    made = f"CREATE TABLE people AS SELECT n AS id, ({value.format(n='n')})::{type_} AS at FROM generate_series(1, 5) n"
    execute(url, made)
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="at", key=("id",))
    [first] = source(url).read(spec, None)
    assert [one["id"] for one in first.rows] == [1, 2, 3, 4, 5]
    execute(url, f"INSERT INTO people SELECT 6, ({value.format(n='6')})::{type_}")
    [second] = source(url).read(spec, stored(first.checkpoint))
    assert [one["id"] for one in second.rows] == [6]


def test_a_key_with_nulls_cannot_order_rows(url: str) -> None:
    execute(url, "CREATE TABLE people (id int, at int); INSERT INTO people VALUES (1, 1), (null, 1)")
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="at", key=("id",))
    with pytest.raises(BadValue, match="id"):
        list(source(url).read(spec, None))


def test_rows_of_one_cursor_without_a_key_stay_together(url: str) -> None:
    execute(url, "CREATE TABLE people AS SELECT n / 7000 AS at FROM generate_series(0, 20999) n")
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="at")
    assert [batch.count for batch in source(url).read(spec, None)] == [7000, 7000, 7000]


def test_append_refuses_the_checkpoint_of_another_cursor(url: str) -> None:
    execute(url, "CREATE TABLE people (id int PRIMARY KEY, a int, b int)")
    execute(url, "INSERT INTO people VALUES (1, 1, 1)")
    old = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="a")
    new = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="b")
    [batch] = source(url).read(old, None)
    with pytest.raises(BadInput, match="reset"):
        list(source(url).read(new, batch.checkpoint))


def test_json_that_says_a_thing_twice_is_bad_data(url: str) -> None:
    execute(url, """CREATE TABLE people (j json); INSERT INTO people VALUES ('{"a":1,"a":2}')""")
    with pytest.raises(BadData, match="a"):
        list(source(url).read(StreamSpec(name="people"), None))


def test_text_that_turns_into_numbers_keeps_both(url: str) -> None:
    columns = (Column(name="v", type=TEXT),), (Column(name="v", type=Type(kind=Kind.JSON)),)
    writer = destination(url).open(Target(name="people", write=Write.REPLACE, columns=(), key=(), fence=fence()))
    writer.write(Batch(stream="people", rows=[{"v": "5"}], bytes=1, checkpoint={}), columns[0])
    writer.write(Batch(stream="people", rows=[{"v": 5}], bytes=1, checkpoint={}), columns[1])
    writer.finish()
    writer.close()
    assert execute(url, "SELECT v::text FROM people ORDER BY 1") == [('"5"',), ("5",)]
    execute(url, "CREATE TABLE texts (id int PRIMARY KEY, name text)")
    mixed = (ID, Column(name="name", type=Type(kind=Kind.JSON)))
    with pytest.raises(BadValue, match="int"):
        put(destination(url), Write.UPSERT, [{"id": 1, "name": 5}], mixed, name="texts")
