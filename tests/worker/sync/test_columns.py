"""Which columns arrive, and as what: hashed with the installation's key, stamped with the run."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from worker.errors import BadInput
from worker.job import RUN_ID, SYNCED_AT, StreamSpec
from worker.sync.columns import Marks, Selection
from worker.sync.types import Column, Kind, Type

ID = Column(name="id", type=Type(kind=Kind.INTEGER, bits=64), nullable=False)
MAIL = Column(name="mail", type=Type(kind=Kind.TEXT))
KEY = b"k" * 32
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MARKS = Marks(hash_key=KEY, values={SYNCED_AT: NOON, RUN_ID: "r1"})


def selection(**fields: Any) -> Selection:
    return Selection(StreamSpec(name="people", **fields), MARKS)


def hashed(text: str) -> str:
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("value", "text"), [("a@b.c", "a@b.c"), (7, "7"), (True, "true"), ("", ""), (NOON, "2026-11-24T12:00:00Z")]
)
def test_a_hashed_value_is_the_hmac_of_its_canonical_text(value: object, text: str) -> None:
    assert selection(hash=("mail",)).rows([{"id": 1, "mail": value}]) == [{"id": 1, "mail": hashed(text)}]


def test_null_stays_null_and_a_missing_value_stays_missing() -> None:
    rows = selection(hash=("mail",)).rows([{"id": 1, "mail": None}, {"id": 2}])
    assert rows == [{"id": 1, "mail": None}, {"id": 2}]


def test_hash_names_the_source_s_column_and_rename_its_place() -> None:
    chosen = selection(hash=("mail",), rename={"mail": "who"})
    assert [(c.name, c.type.kind) for c in chosen.columns([ID, MAIL])] == [("id", "integer"), ("who", "text")]
    assert chosen.rows([{"id": 1, "mail": "x"}]) == [{"id": 1, "who": hashed("x")}]


def test_a_hashed_number_arrives_as_text() -> None:
    (column,) = selection(hash=("id",), columns=("id",)).columns([ID, MAIL])
    assert column.type.kind is Kind.TEXT


def test_metadata_columns_stand_behind_the_others_in_every_row() -> None:
    chosen = selection(metadata=(SYNCED_AT, RUN_ID))
    assert [c.name for c in chosen.columns([ID, MAIL])] == ["id", "mail", SYNCED_AT, RUN_ID]
    assert chosen.rows([{"id": 1}]) == [{"id": 1, SYNCED_AT: NOON, RUN_ID: "r1"}]


@pytest.mark.parametrize(
    ("fields", "field", "columns"),
    [
        ({"hash": ("nobody",)}, "people.hash", [ID, MAIL]),
        ({"metadata": (RUN_ID,)}, "people.rename", [ID, Column(name=RUN_ID, type=Type(kind=Kind.TEXT))]),
        ({"metadata": (RUN_ID,), "rename": {"mail": RUN_ID}}, "people.rename", [ID, MAIL]),
    ],
)
def test_what_cannot_be_is_refused_by_name(fields: dict[str, Any], field: str, columns: list[Column]) -> None:
    with pytest.raises(BadInput) as refusal:
        selection(**fields).check(columns, ())
    assert [fault.field for fault in refusal.value.faults] == [field]
