"""The policies of `schema`, for sources that say their columns and for those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from worker.errors import BadInput
from worker.job import Drift
from worker.sync.drift import Drifting, Record, fits
from worker.sync.types import Column, Kind, Type

INT, TEXT, DATE = (Type(kind=kind) for kind in (Kind.INTEGER, Kind.TEXT, Kind.DATE))
BEFORE = Record(target="t", key=("id",), columns={"id": INT, "amount": INT, "note": TEXT})


def column(name: str, type_: Type) -> Column:
    return Column(name=name, type=type_)


AS_BEFORE = [column(name, type_) for name, type_ in BEFORE.columns.items()]
CHANGED = [column("id", INT), column("amount", TEXT), column("note", TEXT)]
WITH_NEW = [*AS_BEFORE, column("extra", TEXT)]


def names(columns: tuple[Column, ...]) -> list[str]:
    return [one.name for one in columns]


@pytest.mark.parametrize(
    ("known", "new", "answer"),
    [
        (INT, INT, True),
        (INT, Type(kind=Kind.DECIMAL), True),
        (Type(kind=Kind.INTEGER, bits=32), Type(kind=Kind.INTEGER), True),
        (INT, TEXT, False),
        (TEXT, INT, True),
        (INT, Type(kind=Kind.NULL), True),
        (Type(kind=Kind.NULL), DATE, True),
        (DATE, Type(kind=Kind.TIMESTAMP), False),
        (Type(kind=Kind.JSON), TEXT, True),
        (TEXT, Type(kind=Kind.JSON), True),
        (Type(kind=Kind.ARRAY, item=INT), Type(kind=Kind.ARRAY, item=TEXT), False),
        (Type(kind=Kind.ARRAY, item=INT), Type(kind=Kind.ARRAY, item=INT), True),
    ],
)
def test_what_fits_into_what(known: Type, new: Type, answer: bool) -> None:
    assert fits(known, new) is answer


@pytest.mark.parametrize("policy", Drift)
def test_without_a_change_nothing_happens(policy: Drift) -> None:
    drifting = Drifting("s", policy, BEFORE)
    assert drifting.plan(AS_BEFORE, []) == tuple(AS_BEFORE)
    rows = [{"id": 1, "amount": 2, "note": "x"}]
    assert drifting.take(rows) == rows
    assert drifting.told() == []


@pytest.mark.parametrize("policy", Drift)
def test_without_a_record_nothing_is_compared(policy: Drift) -> None:
    drifting = Drifting("s", policy, None)
    assert drifting.plan(CHANGED, []) == tuple(CHANGED)
    assert drifting.sort([{"new": 1}]) == [{"new": 1}]


def test_evolve_adds_a_new_column_and_says_so() -> None:
    drifting = Drifting("s", Drift.EVOLVE, BEFORE)
    assert names(drifting.plan(WITH_NEW, [])) == ["id", "amount", "note", "extra"]
    assert drifting.told() == ["column extra is new at the source: it was added"]


def test_evolve_puts_values_of_another_type_beside_the_old() -> None:
    drifting = Drifting("s", Drift.EVOLVE, BEFORE)
    planned = drifting.plan(CHANGED, [])
    assert names(planned) == ["id", "amount__text", "note"]
    assert planned[1].type == TEXT
    assert drifting.take([{"id": 1, "amount": "n/a", "note": "x"}]) == [{"id": 1, "amount__text": "n/a", "note": "x"}]
    assert drifting.told() == [
        "column amount was integer and is text now: the column keeps its old values, the new ones are in amount__text"
    ]


def test_evolve_does_not_overwrite_a_column_of_that_name() -> None:
    with pytest.raises(BadInput, match="amount__text too; rename it"):
        Drifting("s", Drift.EVOLVE, BEFORE).plan([*CHANGED, column("amount__text", TEXT)], [])


def test_a_column_that_is_gone_stays_and_is_null() -> None:
    drifting = Drifting("s", Drift.EVOLVE, BEFORE)
    assert names(drifting.plan(AS_BEFORE[:2], ["note"])) == ["id", "amount", "note"]
    assert "note is gone" in drifting.told()[0]


@pytest.mark.parametrize(
    ("columns", "gone", "words"),
    [
        (CHANGED, [], "column amount was integer and is text now"),
        (WITH_NEW, [], "column extra is new at the source"),
        (AS_BEFORE[:2], ["note"], "column note is gone"),
    ],
)
def test_freeze_refuses_every_change(columns: list[Column], gone: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        Drifting("s", Drift.FREEZE, BEFORE).plan(columns, gone)
    assert refusal.value.faults[0].field == "s.schema"


def test_discard_value_leaves_the_values_out_and_counts_them() -> None:
    drifting = Drifting("s", Drift.DISCARD_VALUE, BEFORE)
    assert names(drifting.plan([*CHANGED, column("extra", INT)], [])) == ["id", "note"]
    rows: list[dict[str, Any]] = [
        {"id": 1, "amount": "a", "note": "x", "extra": 7},
        {"id": 2, "amount": None, "note": "y", "extra": None},
    ]
    assert drifting.take(rows) == [{"id": 1, "note": "x"}, {"id": 2, "note": "y"}]
    assert sorted(drifting.told()) == [
        "values of column amount were left out, since it is not what it was: 1, for example 'a'",
        "values of column extra were left out, since it is not what it was: 1, for example 7",
    ]


def test_discard_row_leaves_out_the_rows_that_have_such_a_value() -> None:
    drifting = Drifting("s", Drift.DISCARD_ROW, BEFORE)
    assert names(drifting.plan(CHANGED, [])) == ["id", "note"]
    rows: list[dict[str, Any]] = [{"id": 1, "amount": "a", "note": "x"}, {"id": 2, "amount": None, "note": "y"}]
    assert drifting.take(rows) == [{"id": 2, "note": "y"}]
    (line,) = drifting.told()
    assert line.startswith("rows were left out, since column amount is not what it was: 1, for example {'id': 1")


MIXED: list[dict[str, Any]] = [{"id": 1, "amount": 5}, {"id": 2, "amount": "n/a"}, {"id": 3, "new": True}]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (Drift.EVOLVE, [MIXED[0], {"id": 2, "amount": None, "amount__text": "n/a"}, MIXED[2]]),
        (Drift.DISCARD_VALUE, [MIXED[0], {"id": 2}, {"id": 3}]),
        (Drift.DISCARD_ROW, [MIXED[0]]),
    ],
)
def test_without_a_schema_each_value_is_looked_at(policy: Drift, kept: list[dict[str, Any]]) -> None:
    drifting = Drifting("s", policy, BEFORE)
    assert drifting.sort(MIXED) == kept
    assert drifting.told()


def test_without_a_schema_freeze_refuses_the_batch() -> None:
    with pytest.raises(BadInput, match="amount was integer"):
        Drifting("s", Drift.FREEZE, BEFORE).sort(MIXED)
