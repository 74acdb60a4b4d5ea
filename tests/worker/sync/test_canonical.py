"""Canonical bytes: equal for the same value however it is written, in the order of the values, and for no others."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.connectors.bson_values import FarDate, far_milliseconds
from worker.sync.canonical import document, encoded, there, typed
from worker.sync.types import JSON_NULL, Kind, Type

NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False, places=3),
    st.decimals(allow_nan=False, allow_infinity=True),
)


@given(NUMBERS, NUMBERS)
def test_numbers_compare_as_their_bytes_do(a: Any, b: Any) -> None:
    left, right = (Decimal(repr(one)) if isinstance(one, float) else Decimal(one) for one in (a, b))
    assert (encoded(a) < encoded(b)) is (left < right)
    assert (encoded(a) == encoded(b)) is (left == right)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_texts_one_after_another_are_never_mistaken_for_others(a: list[str], b: list[str]) -> None:
    joined = [b"".join(map(encoded, one)) for one in (a, b)]
    assert (joined[0] == joined[1]) is (a == b)
    assert (joined[0] < joined[1]) is ([one.encode() for one in a] < [one.encode() for one in b])


@pytest.mark.parametrize(
    "same",
    [
        (1, 1.0, Decimal("1.00"), bson.Int64(1)),
        (0, 0.0, -0.0, Decimal("-0.000")),
        (math.nan, Decimal("NaN"), Decimal("-NaN")),
        (math.inf, Decimal("Infinity")),
        (10**30, 1e30, Decimal("1E+30")),
        (0.1, Decimal("0.10")),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
        ({"a": 1, "b": [1.0, None]}, {"b": [1, None], "a": 1}),
    ],
)
def test_the_same_value_has_the_same_bytes(same: tuple[Any, ...]) -> None:
    assert len({encoded(value) for value in same}) == 1


def test_different_values_have_different_bytes() -> None:
    values: list[Any] = [None, True, False, 1, 0, math.nan, math.inf, -math.inf, "1", "", "true", "NaN", "\\x31"]
    values += [b"1", b"", bson.Binary(b"1", 5), [], [None], [1], ["1"], {}, {"a": None}, {"a": 1}]
    values += [date(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01", time(0)]  # noqa: DTZ001
    values += [uuid.UUID(int=1), str(uuid.UUID(int=1)), bson.ObjectId(bytes(12)), "0" * 24]
    assert len({encoded(value) for value in values}) == len(values)


@pytest.mark.parametrize(
    ("source", "target", "value", "held"),
    [
        (Kind.INTEGER, Kind.TEXT, 42, "42"),
        (Kind.TEXT, Kind.DECIMAL, "1.50", Decimal("1.5")),
        (Kind.TEXT, Kind.JSON, '{"a": 1.0}', {"a": 1}),
        (Kind.JSON, Kind.TEXT, {"a": 1}, '{"a":1}'),
        (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),  # noqa: DTZ001
        (Kind.TEXT, Kind.TEXT, bson.ObjectId(bytes(12)), "0" * 24),
        (Kind.BYTES, Kind.BYTES, bson.Binary(b"a", 5), b"a"),
        (Kind.JSON, Kind.JSON, JSON_NULL, JSON_NULL),
    ],
)
def test_a_value_is_brought_into_the_type_that_it_has_there(
    source: Kind, target: Kind, value: object, held: object
) -> None:
    form, back = typed(Type(kind=source), Type(kind=target)), there(Type(kind=target))
    assert encoded(form(value)) == encoded(back(held))


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        (Kind.TIMESTAMP, datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)),  # noqa: DTZ001
        (Kind.DATE, date(2024, 2, 29), datetime(2024, 2, 29, tzinfo=UTC)),
        (Kind.DATE, "0044-03-15 BC", FarDate(bson.datetime_ms.DatetimeMS(-63_517_824_000_000))),
        (Kind.DATE, "infinity", "infinity"),
        (Kind.TIME, time(1, 2, 3), "01:02:03"),
        (Kind.INTEGER, 10**40 + 1, str(10**40 + 1)),
        (Kind.JSON, JSON_NULL, None),
        (Kind.JSON, {"n": Decimal("1.50")}, {"n": Decimal("1.5")}),
    ],
)
def test_a_value_is_what_a_document_holds_of_it(kind: Kind, value: object, held: object) -> None:
    form, back = document(kind, far_milliseconds, exact=False), document(None, far_milliseconds, exact=False)
    assert encoded(form(value)) == encoded(back(held))


def test_with_timestamps_as_text_no_microsecond_is_lost() -> None:
    form = document(Kind.TIMESTAMP, far_milliseconds, exact=True)
    assert form(datetime(2024, 1, 1, 0, 0, 0, 1)) == "2024-01-01T00:00:00.000001"  # noqa: DTZ001
