"""Random tables, of random types and with nulls, between every two connectors: all values arrive, or are told."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.destination import ID, fence
from tests.worker.connectors.matrix import KINDS, Place, places
from tests.worker.connectors.moving import Mover
from tests.worker.connectors.test_exact_values import VALUES, type_of
from worker.batch import Batch, Row
from worker.connectors import open_end
from worker.connectors.protocol import Target
from worker.job import Guards, StreamSpec, Write
from worker.sync.conversion import conversion, try_convert
from worker.sync.types import Column, Kind, Type, infer
from worker.sync.values import json_text, json_value, text

MOST_COLUMNS, MOST_ROWS = 5, 6


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: list[Row]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=MOST_COLUMNS))
    columns = tuple(Column(name=f"c{place}", type=type_of(kind)) for place, kind in enumerate(kinds))
    values = [st.none() | VALUES[kind] for kind in kinds]
    rows = draw(st.lists(st.tuples(*values), min_size=1, max_size=MOST_ROWS))
    named = [dict(zip([column.name for column in columns], row, strict=True)) for row in rows]
    return Table((ID, *columns), [{"id": number} | row for number, row in enumerate(named, start=1)])


def fill(place: Place, table: Table, stream: str) -> None:
    """Write the table as our own destination does; what it makes of the values is looked at behind it."""
    options = {"format": place.kind} if place.connector == "files" else {}
    target = Target(
        name=stream, write=Write.REPLACE, columns=table.columns, key=("id",), fence=fence(), options=options
    )
    destination: Any = open_end(place.connector, place.settings, "destination")
    with destination:
        writer = destination.open(target)
        writer.write(Batch(stream=stream, rows=table.rows, bytes=1), table.columns)
        writer.finish()
        writer.close()


def read(place: Place, stream: str) -> list[Row]:
    source: Any = open_end(place.connector, place.settings, "source")
    with source:
        rows = [row for batch in source.read(StreamSpec(name=stream), None) for row in batch.rows]
    return sorted(rows, key=lambda row: int(row["id"]))


def same(before: Any, after: Any, column: Type) -> bool:
    """Whether `after` is the same value, in the form that its destination has for it."""
    if before is None:
        return after is None
    if isinstance(before, float) and before == 0.0 and isinstance(after, float):
        return after == 0.0  # whose sign SQLite does not keep
    if isinstance(before, float) and math.isnan(before):
        return text(after) == "NaN"
    if isinstance(before, (datetime, date)):
        found = try_convert(conversion(infer(after), Type(kind=Kind.TIMESTAMPTZ)), after)
        return bool(abs(_instant(before) - found).total_seconds() < 0.001)  # a Date's milliseconds
    if isinstance(before, (dict, list)):
        found = json_value(after) if isinstance(after, str) else after
        return bool(json_value(json_text(before)) == json_value(json_text(found)))
    return bool(try_convert(conversion(infer(after), column), after) == before)


def _instant(value: date) -> datetime:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def ends(
    postgres_url: str, mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Place]]:
    with places(postgres_url, mongo_url, tmp_path_factory.mktemp("any")) as made:
        yield made


@pytest.mark.parametrize(("one", "other"), list(product(KINDS, KINDS)))
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(table=tables())
def test_every_value_of_a_random_table_arrives(
    ends: dict[tuple[str, str], Place], one: str, other: str, table: Table
) -> None:
    here, there = ends["one", one], ends["other", other]
    stream = f"t{uuid.uuid4().hex[:12]}"
    fill(here, table, stream)
    source = read(here, stream)
    options: dict[str, object] = {"format": other} if there.connector == "files" and here.connector != "files" else {}
    exclude = ("_id",) if one == "mongodb" else ()
    spec = StreamSpec(name=stream, write=Write.REPLACE, key=("id",), exclude=exclude, options=options)
    mover = Mover((here.connector, here.settings), (there.connector, there.settings), spec, Guards())
    mover.go()
    found = read(there, stream)
    assert len(found) == len(table.rows)
    for before, between, after in zip(table.rows, source, found, strict=True):
        for column in table.columns:
            name = column.name
            value = before[name]
            assert same(value, between.get(name), column.type), (one, name, value, between.get(name))
            assert same(value, after.get(name), column.type), (other, name, value, after.get(name))


BIG = 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("one", "other"), [("postgres", "sqlite"), ("sqlite", "jsonl"), ("jsonl", "csv"), ("csv", "postgres")]
)
def test_values_of_sixteen_megabytes_arrive(ends: dict[tuple[str, str], Place], one: str, other: str) -> None:
    here, there = ends["one", one], ends["other", other]
    stream = f"big_{one}"
    columns = (ID, Column(name="t", type=Type(kind=Kind.TEXT)), Column(name="b", type=Type(kind=Kind.BYTES)))
    big = {"id": 1, "t": "é" * (BIG // 2), "b": b"\xff" * (BIG // 8)}
    fill(here, Table(columns, [big, {"id": 2, "t": "small", "b": None}]), stream)
    options: dict[str, object] = {"format": other} if there.connector == "files" and here.connector != "files" else {}
    spec = StreamSpec(name=stream, write=Write.REPLACE, key=("id",), options=options)
    Mover((here.connector, here.settings), (there.connector, there.settings), spec).go()
    first, second = read(there, stream)
    assert first["t"] == big["t"]
    assert same(big["b"], first["b"], columns[2].type)
    assert second == {"id": 2, "t": "small", "b": None}
