"""A source that changes its columns between two runs, into every real destination."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.real import PostgresLake, SqliteLake, Works
from worker.job import Drift, Mode, StreamSpec, Write


def stream(**more: Any) -> StreamSpec:
    return StreamSpec(name="items", write=Write.UPSERT, key=("id",), **more)


def with_values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


@pytest.fixture
def shop(works: Works) -> Works:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, amount INTEGER, note TEXT, changed INTEGER)")
    works.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(1, 10, "a", 1), (2, 20, "b", 2)])
    return works


def change_type(works: Works) -> None:
    """The shop's amounts become texts, and its third row comes."""
    works.execute("ALTER TABLE items DROP COLUMN amount")
    works.execute("ALTER TABLE items ADD COLUMN amount TEXT")
    works.execute("UPDATE items SET amount = 'ten'")
    works.execute("INSERT INTO items (id, amount, note, changed) VALUES (3, '30', 'c', 3)")


def test_new_columns_arrive_and_are_told(shop: Works) -> None:
    shop.job(stream())
    shop.done()
    shop.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    shop.execute("UPDATE items SET extra = 'new' WHERE id = 2")
    run = shop.done()
    assert [row.get("extra") for row in shop.lake.rows("items")] == [None, "new"]
    assert "column extra is new at the source: it was added" in shop.log(run)


def test_a_column_of_another_type_keeps_its_old_values(shop: Works) -> None:
    shop.job(stream(mode=Mode.INCREMENTAL, cursor="changed"))
    shop.done()
    change_type(shop)
    run = shop.done()
    assert any("column amount was integer and is text now" in line for line in shop.log(run))
    first, *others = shop.lake.rows("items")
    assert first["amount"] == 10
    assert [row["amount__text"] for row in others] == ["ten", "30"]
    assert others[-1].get("amount") is None
    shop.execute("INSERT INTO items (id, amount, note, changed) VALUES (4, 'four', 'd', 4)")
    shop.done()  # and it goes on beside the old one
    assert shop.lake.rows("items")[-1]["amount__text"] == "four"


def test_a_column_that_is_gone_stays_and_is_null_in_rows_sent_again(shop: Works) -> None:
    shop.job(stream(mode=Mode.INCREMENTAL, cursor="changed"))
    shop.done()
    shop.execute("ALTER TABLE items DROP COLUMN note")
    run = shop.done()
    assert any("note is gone from the source" in line for line in shop.log(run))
    assert [row.get("note") for row in shop.lake.rows("items")] == ["a", None]


def test_freeze_fails_the_stream_before_anything_is_written(shop: Works) -> None:
    shop.job(stream(schema=Drift.FREEZE))
    shop.done()
    before = shop.lake.rows("items")
    shop.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    shop.execute("INSERT INTO items VALUES (3, 30, 'c', 3, 'new')")
    run = shop.go()
    assert run["state"] == "failed"
    assert "items.schema: is freeze: column extra is new at the source (text)" in run["error"]["message"]
    assert shop.lake.rows("items") == before


@pytest.mark.parametrize("lake", ["sqlite", "postgres"], indirect=True)
def test_discard_row_and_discard_value(shop: Works) -> None:
    shop.job(stream(schema=Drift.DISCARD_ROW))
    shop.done()
    shop.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    shop.execute("INSERT INTO items VALUES (3, 30, 'c', 3, 'new'), (4, 40, 'd', 4, NULL)")
    run = shop.done()
    assert [row["id"] for row in shop.lake.rows("items")] == [1, 2, 4]
    assert any(line.startswith("rows were left out, since column extra") for line in shop.log(run))
    shop.job(stream(schema=Drift.DISCARD_VALUE))
    shop.done()
    assert [row["id"] for row in shop.lake.rows("items")] == [1, 2, 3, 4]
    assert "extra" not in shop.lake.rows("items")[0]


@pytest.mark.parametrize("lake", ["sqlite", "postgres"], indirect=True)
def test_a_target_dropped_by_hand_is_made_anew_by_the_new_types(shop: Works) -> None:
    shop.job(stream())
    shop.done()
    change_type(shop)
    assert isinstance(shop.lake, (SqliteLake, PostgresLake))
    shop.lake.execute("DROP TABLE items")
    shop.done()
    assert [row["amount"] for row in shop.lake.rows("items")] == ["ten", "ten", "30"]


def test_a_changed_key_stops_the_stream_with_the_reason(shop: Works) -> None:
    shop.job(stream())
    shop.done()
    shop.job(StreamSpec(name="items", write=Write.UPSERT, key=("id", "changed")))
    run = shop.go()
    assert run["state"] == "failed"
    assert "items.key: was id and is id, changed now" in run["error"]["message"]
