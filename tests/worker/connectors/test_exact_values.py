"""Any value of any kind, there and back: through SQLite's types, PostgreSQL's wire, and checkpoints."""

from __future__ import annotations

import math
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.destination import fence
from tests.contracts.source import stored
from tests.worker.connectors.postgres_ends import destination, source
from worker.batch import Batch
from worker.connectors import postgres_wire
from worker.connectors.checkpoint_values import earlier, pack, unpack
from worker.connectors.protocol import Target
from worker.connectors.sqlite_types import declared, decoder, encoder
from worker.job import StreamSpec, Write
from worker.sync.types import Column, Kind, Type

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
# Beyond 2^53 jsonb writes a float's digits as a whole number: the same text, read as an int.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-(2.0**53), 2.0**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.DECIMAL: st.decimals(allow_nan=False, places=None, min_value=-(10**30), max_value=10**30),
    Kind.FLOAT: st.floats(),
    Kind.TEXT: TEXT,
    Kind.BYTES: st.binary(),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.TIME: st.times(),
    Kind.TIMESTAMP: st.datetimes(),
    Kind.TIMESTAMPTZ: st.datetimes(timezones=st.just(UTC)),
    Kind.UUID: st.uuids(),
    Kind.JSON: st.lists(JSON, max_size=3) | st.dictionaries(TEXT, JSON, max_size=3),
}
KINDS = st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))


def type_of(kind: Kind) -> Type:
    return Type(kind=kind, bits=64 if kind in (Kind.INTEGER, Kind.FLOAT) else None)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return bool(a == b) and type(a) is type(b)


@given(KINDS)
def test_sqlite_reads_what_it_wrote(case: tuple[Kind, Any]) -> None:
    kind, value = case
    name = declared(type_of(kind))
    assert same(decoder(name)(encoder(name, type_of(kind))(value)), value)


@given(st.lists(KINDS, min_size=1, max_size=4))
def test_sqlite_reads_the_arrays_that_it_wrote(cases: list[tuple[Kind, Any]]) -> None:
    for kind, value in cases:
        type_ = Type(kind=Kind.ARRAY, item=type_of(kind))
        name = declared(type_)
        [[[read], nothing]] = [decoder(name)(encoder(name, type_)([[value], None]))]
        assert same(read, value) or kind is Kind.JSON
        assert nothing is None


@given(KINDS.filter(lambda case: case[0] not in (Kind.JSON,)))
def test_a_checkpoint_keeps_its_value(case: tuple[Kind, Any]) -> None:
    assert same(unpack(stored(pack(case[1]))), case[1])


@given(st.integers(-2_400_000, 100_000_000))
def test_days_beyond_python_are_spelled_and_read_back(days: int) -> None:
    dumped = postgres_wire.DateDumper(date).dump(postgres_wire.far_date(days))
    assert struct.unpack("!i", dumped) == (days,)
    near = timedelta(days=days) + date(2000, 1, 1) if -700_000 < days < 2_900_000 else None
    assert near is None or postgres_wire.far_date(days) == near.isoformat()


@given(st.integers(-(2**57), 2**62))
def test_instants_beyond_python_are_spelled_and_read_back(microseconds: int) -> None:
    written = postgres_wire.far_timestamp(microseconds, "+00")
    assert struct.unpack("!q", postgres_wire.TimestamptzDumper(datetime).dump(written)) == (microseconds,)


@pytest.fixture(scope="module")
def table(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS exact CASCADE")
        connection.execute("CREATE SCHEMA exact")
    return postgres_url


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(VALUES))
def test_postgres_reads_what_it_wrote(table: str, row: dict[Kind, Any]) -> None:
    columns = tuple(Column(name=str(kind), type=type_of(kind)) for kind in VALUES)
    values = {str(kind): value for kind, value in row.items()}
    target = Target(name="people", write=Write.REPLACE, columns=columns, key=(), fence=fence())
    writer = destination(table, schema="exact").open(target)
    writer.write(Batch(stream="people", rows=[values], bytes=1), columns)
    writer.finish()
    writer.close()
    [batch] = source(table, schema="exact").read(StreamSpec(name="people"), None)
    [read] = batch.rows
    assert {name: value for name, value in values.items() if not same(read[name], value)} == {}


@pytest.mark.parametrize(
    ("value", "lookback", "seconds", "expected"),
    [
        (10, 3, 3.0, 7),
        (10, "3", 3.0, 7),
        (10, 2.5, 2.5, 7),
        (Decimal("10.5"), "0.25", 0.25, Decimal("10.25")),
        (1.5, 1, 1.0, 0.5),
        (datetime(2024, 1, 1, tzinfo=UTC), "1s", 1.0, datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (date(2024, 1, 2), "1h", 3600.0, date(2024, 1, 1)),
        ("2024-01-01 00:00:00", "1s", 1.0, "2023-12-31 23:59:59"),
        ("2024-01-01T00:00:00Z", "1s", 1.0, "2023-12-31T23:59:59Z"),
        ("2024-01-01T00:00:00.500+02:00", "1s", 1.0, "2023-12-31T23:59:59.500000+02:00"),
        ("2024-01-02", "1h", 3600.0, "2024-01-01"),
    ],
)
def test_a_lookback_goes_back_in_the_cursors_own_form(
    value: Any, lookback: float | str, seconds: float, expected: Any
) -> None:
    assert earlier(value, lookback, seconds) == expected


@pytest.mark.parametrize(("value", "lookback"), [("abc", "1s"), (True, 1), (10, "1h"), (b"x", 1)])
def test_a_lookback_that_does_not_go_with_the_cursor_is_refused(value: Any, lookback: float | str) -> None:
    with pytest.raises(TypeError):
        earlier(value, lookback, 1.0)
