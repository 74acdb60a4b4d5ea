"""Canonical values as text and as JSON: each reads back as the same value."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sync.conversion import conversion
from worker.sync.types import JSON_NULL, Kind, Type
from worker.sync.values import json_text, json_value, text

TEXT = Type(kind=Kind.TEXT)
moments = st.datetimes(timezones=st.just(UTC)) | st.datetimes()

BACK: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(),
    Kind.DECIMAL: st.decimals(allow_nan=False),
    Kind.FLOAT: st.floats(allow_nan=False),
    Kind.TEXT: st.text(),
    Kind.BYTES: st.binary(),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    Kind.TIME: st.times(),
    Kind.TIMESTAMP: st.datetimes(),
    Kind.TIMESTAMPTZ: st.datetimes(timezones=st.just(UTC)),
    Kind.UUID: st.uuids(),
}


@pytest.mark.parametrize("kind", BACK)
def test_a_text_reads_back_as_the_same_value(kind: Kind) -> None:
    read = conversion(TEXT, Type(kind=kind))

    @given(BACK[kind])
    def check(value: Any) -> None:
        back = read(text(value))
        assert back == value
        assert type(back) is type(value)

    check()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_goes_there_and_back(value: Any) -> None:
    assert json_value(json_text(value)) == (JSON_NULL if value is None else value)


def test_json_keeps_every_digit() -> None:
    written = '{"a":123456789012345678901234567890,"b":0.1234567890123456789012,"c":[1e400,-0.5]}'
    value = json_value(written)
    assert value == {
        "a": 123456789012345678901234567890,
        "b": Decimal("0.1234567890123456789012"),
        "c": [Decimal("1e400"), -0.5],
    }
    assert json_value(json_text(value)) == value


def test_json_writes_what_it_has_no_form_for_as_text() -> None:
    value = {
        "d": Decimal("1.50"), "t": datetime(2024, 1, 1, tzinfo=UTC), "u": UUID(int=1), "b": b"\xff", "n": JSON_NULL,
        "f": [math.nan, math.inf, Decimal("NaN")], "o": bson.ObjectId("0" * 24), "r": bson.Regex("a"),
    }  # fmt: skip
    assert json.loads(json_text(value)) == {
        "d": 1.5, "t": "2024-01-01T00:00:00Z", "u": str(UUID(int=1)), "b": "\\xff", "n": None,
        "f": ["NaN", "Infinity", "NaN"], "o": "0" * 24,
        "r": {"$regularExpression": {"pattern": "a", "options": ""}},
    }  # fmt: skip


@pytest.mark.parametrize("written", ['{"a":1,"a":2}', '{"x":{"a":1,"a":1}}', "NaN", "[Infinity]", "", "{", "1 2"])
def test_what_is_no_json_or_says_a_thing_twice_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        json_value(written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+400"), "1E+400"),
        (Decimal("-0.00"), "-0.00"),
        (1e16, "1e+16"),
        (math.nan, "NaN"),
        (time(1, 2, 3, 500000), "01:02:03.500"),
        (datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), "2024-01-01T00:00:00.000001Z"),
    ],
    ids=repr,
)
def test_texts_are_as_the_page_says(value: Any, written: str) -> None:
    assert text(value) == written
