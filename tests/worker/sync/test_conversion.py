"""Values of one kind as those of another: exact conversions are made, all others refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from worker.sync.conversion import conversion, try_convert
from worker.sync.types import JSON_NULL, Kind, Type

TEXT = Type(kind=Kind.TEXT)
NAIVE = datetime(2024, 1, 1, 12)  # noqa: DTZ001
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
EXACT = [
    (1, Kind.DECIMAL, Decimal(1)),
    (0.1, Kind.DECIMAL, Decimal("0.1")),
    (math.inf, Kind.DECIMAL, Decimal("Infinity")),
    (2.0, Kind.INTEGER, 2),
    (Decimal("1E+3"), Kind.INTEGER, 1000),
    (Decimal("0.1"), Kind.FLOAT, 0.1),
    (2**53, Kind.FLOAT, float(2**53)),
    (1, Kind.BOOLEAN, True),
    (NOON, Kind.TIMESTAMP, NAIVE),
    (NAIVE, Kind.TIMESTAMPTZ, NOON),
    (datetime(2024, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))), Kind.TIMESTAMPTZ, NOON),
    (datetime(2024, 1, 1, tzinfo=UTC), Kind.DATE, date(2024, 1, 1)),
    (date(2024, 1, 1), Kind.TIMESTAMPTZ, datetime(2024, 1, 1, tzinfo=UTC)),
    ("infinity", Kind.DATE, "infinity"),
    ("24:00:00", Kind.TIME, "24:00:00"),
    ("0044-03-15 12:00:00+00 BC", Kind.TIMESTAMP, "0044-03-15 12:00:00 BC"),
    ("0044-03-15 00:00:00+00 BC", Kind.DATE, "0044-03-15 BC"),
    ("12024-01-01 00:00:00", Kind.DATE, "12024-01-01"),
    ("1.50", Kind.DECIMAL, Decimal("1.50")),
    ("[1, null]", Kind.JSON, [1, None]),
    ("null", Kind.JSON, JSON_NULL),
]


@pytest.mark.parametrize(("value", "kind", "converted"), EXACT, ids=repr)
def test_exact_conversions_are_made(value: Any, kind: Kind, converted: Any) -> None:
    source = TEXT if isinstance(value, str) else Type(kind=Kind.NULL)
    found = conversion(source, Type(kind=kind))(value)
    assert found == converted
    assert type(found) is type(converted)


INEXACT = [
    (1.5, Kind.INTEGER),
    (1e300, Kind.INTEGER),
    (True, Kind.INTEGER),
    (Decimal("0.5"), Kind.INTEGER),
    ("007", Kind.INTEGER),
    ("0044-03-15 12:00:00+00 BC", Kind.DATE),
    (2**53 + 1, Kind.FLOAT),
    (Decimal("0.1234567890123456789"), Kind.FLOAT),
    (2, Kind.BOOLEAN),
    ("True", Kind.BOOLEAN),
    ("x", Kind.BYTES),
    ("\\xf", Kind.BYTES),
    (NOON, Kind.DATE),
    ("2023-02-29", Kind.DATE),
    (NOON, Kind.TIME),
    (time(1, tzinfo=UTC), Kind.TIME),
    ("soon", Kind.TIMESTAMPTZ),
    ("6f9619ff8b864011b42d00cf4fc964ff", Kind.UUID),
    ("{", Kind.JSON),
    ("a", Kind.ARRAY),
    ({}, Kind.DECIMAL),
]


@pytest.mark.parametrize(("value", "kind"), INEXACT, ids=repr)
def test_what_would_be_another_value_is_refused(value: Any, kind: Kind) -> None:
    convert: Callable[[Any], Any] = conversion(TEXT, Type(kind=kind))
    with pytest.raises(ValueError):
        try_convert(convert, value)


def test_documents_become_json_in_text_and_back() -> None:
    for kind in (Kind.JSON, Kind.ARRAY):
        assert conversion(Type(kind=kind), TEXT)(["a", None]) == '["a",null]'
    assert conversion(Type(kind=Kind.JSON), TEXT)("a") == '"a"'
    to_array = conversion(TEXT, Type(kind=Kind.ARRAY, item=Type(kind=Kind.DATE)))
    assert to_array('["2024-01-01", null, ["2024-01-02"]]') == [date(2024, 1, 1), None, [date(2024, 1, 2)]]


def test_a_real_is_written_as_short_as_it_was() -> None:
    single = 0.10000000149011612
    assert conversion(Type(kind=Kind.FLOAT, bits=32), TEXT)(single) == "0.1"
    assert conversion(Type(kind=Kind.FLOAT, bits=64), TEXT)(single) == "0.10000000149011612"
