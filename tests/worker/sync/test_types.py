"""The table of types: what is inferred, how types widen, and that the page about it says the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.connectors import postgres_types, sqlite_types
from worker.sync import type_page
from worker.sync.types import JSON_NULL, Column, JsonNull, Kind, Type, columns_of, infer, join, join_all

LONG = Type(kind=Kind.INTEGER, bits=64)
ANY = Type(kind=Kind.INTEGER)
DECIMAL = Type(kind=Kind.DECIMAL)
DOUBLE = Type(kind=Kind.FLOAT, bits=64)
TEXT = Type(kind=Kind.TEXT)
JSON = Type(kind=Kind.JSON)
NULL = Type(kind=Kind.NULL)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, NULL),
        (True, Type(kind=Kind.BOOLEAN)),
        (2**63 - 1, LONG),
        (-(2**63), LONG),
        (2**63, ANY),
        (bson.Int64(1), LONG),
        (1.5, DOUBLE),
        (Decimal("1.5"), DECIMAL),
        ("x", TEXT),
        (b"x", Type(kind=Kind.BYTES)),
        (bson.Binary(b"x", 5), Type(kind=Kind.BYTES)),
        (date(2024, 1, 1), Type(kind=Kind.DATE)),
        (time(1), Type(kind=Kind.TIME)),
        (datetime(2024, 1, 1), Type(kind=Kind.TIMESTAMP)),  # noqa: DTZ001
        (datetime(2024, 1, 1, tzinfo=UTC), Type(kind=Kind.TIMESTAMPTZ)),
        (UUID(int=1), Type(kind=Kind.UUID)),
        ({}, JSON),
        ([1], JSON),
        (JSON_NULL, JSON),
        (bson.ObjectId("0123456789abcdef01234567"), TEXT),
        (bson.Regex("a"), JSON),
    ],
    ids=repr,
)
def test_a_value_has_the_narrowest_type(value: Any, expected: Type) -> None:
    assert infer(value) == expected


def numeric(precision: int, scale: int) -> Type:
    return Type(kind=Kind.DECIMAL, precision=precision, scale=scale)


def array(item: Type) -> Type:
    return Type(kind=Kind.ARRAY, item=item)


@pytest.mark.parametrize(
    ("a", "b", "joined"),
    [
        (LONG, ANY, ANY),
        (Type(kind=Kind.INTEGER, bits=16), LONG, LONG),
        (LONG, DECIMAL, DECIMAL),
        (LONG, DOUBLE, DECIMAL),
        (DOUBLE, DECIMAL, DECIMAL),
        (Type(kind=Kind.FLOAT, bits=32), DOUBLE, DOUBLE),
        (numeric(5, 2), numeric(4, 3), numeric(6, 3)),
        (numeric(5, 2), DECIMAL, DECIMAL),
        (LONG, TEXT, JSON),
        (Type(kind=Kind.DATE), Type(kind=Kind.TIMESTAMP), JSON),
        (Type(kind=Kind.BOOLEAN), LONG, JSON),
        (array(LONG), array(DOUBLE), array(DECIMAL)),
        (array(LONG), array(TEXT), JSON),
        (array(LONG), JSON, JSON),
    ],
)
def test_two_types_widen_to_one_that_holds_both(a: Type, b: Type, joined: Type) -> None:
    assert join(a, b) == join(b, a) == joined


SCALARS = [Type(kind=kind) for kind in Kind if kind is not Kind.ARRAY] + [LONG, DOUBLE, numeric(10, 2), numeric(3, 3)]
types = st.sampled_from(SCALARS + [array(one) for one in SCALARS])


@given(types, types, types)
def test_widening_is_a_lattice(a: Type, b: Type, c: Type) -> None:
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(a, NULL) == a
    assert join(join(a, b), c) == join(a, join(b, c))


def test_nothing_at_all_has_no_type_yet() -> None:
    assert join_all([]) == NULL


def test_columns_come_with_the_rows_and_widen() -> None:
    first = columns_of([{"a": 1, "b": None}, {"a": None, "c": "x"}], ())
    assert first == (Column(name="a", type=LONG), Column(name="b", type=NULL), Column(name="c", type=TEXT))
    second = columns_of([{"c": 5, "a": 2**70}, {"d": [], "a": 1.5}], first)
    assert [(one.name, one.type) for one in second] == [("a", DECIMAL), ("b", NULL), ("c", JSON), ("d", JSON)]


def test_a_json_null_is_one_and_not_none() -> None:
    assert JsonNull() is JSON_NULL
    assert JSON_NULL is not None


def test_the_page_of_types_is_made_from_the_table() -> None:
    """Made anew by `python -m worker.sync.type_page`."""
    assert type_page.PAGE.read_text(encoding="utf-8") == type_page.page(type_page.cells())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.NULL, Kind.ARRAY)])
def test_the_page_says_what_the_connectors_declare(kind: Kind) -> None:
    row = type_page.TYPES[kind]
    for bits in (16, 32, 64, None):
        one = Type(kind=kind, bits=bits if kind in (Kind.INTEGER, Kind.FLOAT) else None)
        assert f"`{sqlite_types.declared(one)}`" in row.sqlite
        assert f"`{postgres_types.declared(one)}`" in row.postgres
