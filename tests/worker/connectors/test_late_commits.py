"""Writers that commit late, with cursors older than what was read meanwhile: a lookback loses none of their rows."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from tests.worker.connectors.moving import Mover
from worker.connectors import open_end
from worker.job import Mode, StreamSpec, Write

RUNS, OPEN, ROWS = 6, 8, 15
MADE = """
INSERT INTO orders SELECT n, timestamptz '2024-01-01' + %s * interval '1 s', 'row ' || n
FROM generate_series(%s::int, %s::int) n
"""


class Shop:
    """A table that many transactions at once fill; ids are their turns at the counter, times those of their start."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ids = 0
        self.clock = 0
        self.random = Random(7)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE orders (id int PRIMARY KEY, updated_at timestamptz, note text)")
            connection.execute("CREATE INDEX ON orders (updated_at)")

    def begin(self, stack: ExitStack) -> psycopg.Connection[Any]:
        """A transaction that has written, and waits."""
        connection = stack.enter_context(psycopg.connect(self.url))
        self.clock += 1
        self.write(connection)
        return connection

    def write(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(MADE, (self.clock, self.ids + 1, self.ids + ROWS))
        self.ids += ROWS


@pytest.fixture
def shop(postgres_database: str) -> Shop:
    return Shop(postgres_database)


def orders(write: Write, lookback: str | None) -> StreamSpec:
    return StreamSpec(
        name="orders", mode=Mode.INCREMENTAL, cursor="updated_at", key=("id",), write=write, lookback=lookback
    )


def ids_at(kind: str, settings: dict[str, str]) -> list[int]:
    source: Any = open_end(kind, settings, "source")
    with source:
        found = [row["id"] for batch in source.read(StreamSpec(name="orders"), None) for row in batch.rows]
    return sorted(found)


def busy(shop: Shop, mover: Mover) -> None:
    """Runs between transactions that commit in another order than they began, one of them in the middle of a read."""
    with ExitStack() as stack:
        waiting: list[psycopg.Connection[Any]] = []
        for _ in range(RUNS):
            waiting += [shop.begin(stack) for _ in range(OPEN)]
            shop.random.shuffle(waiting)
            for connection in waiting[: OPEN // 2]:
                connection.commit()
            late = waiting[OPEN // 2]

            def during(batches: Any, late: psycopg.Connection[Any] = late) -> Any:
                for number, batch in enumerate(batches):
                    yield batch
                    if number == 0:
                        late.commit()

            mover.go(during)
            waiting = waiting[OPEN // 2 + 1 :]
        for connection in waiting:
            connection.commit()
    mover.go()


@pytest.mark.parametrize("kind", ["sqlite", "mongodb"])
def test_no_row_of_a_late_commit_is_lost_with_a_lookback(
    shop: Shop, kind: str, tmp_path: Path, mongo_url: str, mongo_database: str
) -> None:
    settings = {
        "sqlite": {"path": str(tmp_path / "lake.db")},
        "mongodb": {"url": mongo_url, "database": mongo_database},
    }[kind]
    busy(shop, Mover(("postgres", {"url": shop.url}), (kind, settings), orders(Write.UPSERT, "10m")))
    assert ids_at(kind, settings) == list(range(1, RUNS * OPEN * ROWS + 1))


def test_without_a_lookback_the_same_writers_lose_rows(shop: Shop, tmp_path: Path) -> None:
    """That is what a lookback is for, and that the test above would notice."""
    settings = {"path": str(tmp_path / "lake.db")}
    busy(shop, Mover(("postgres", {"url": shop.url}), ("sqlite", settings), orders(Write.UPSERT, None)))
    found = ids_at("sqlite", settings)
    assert len(set(found)) == len(found)
    assert 0 < len(found) < RUNS * OPEN * ROWS


def test_a_read_ends_at_the_bound_that_was_fixed_before_it(shop: Shop, tmp_path: Path) -> None:
    """Rows that are committed while it reads come with the next run, once, whatever the write."""
    for write in (Write.APPEND, Write.UPSERT):
        settings = {"path": str(tmp_path / f"{write}.db")}
        mover = Mover(("postgres", {"url": shop.url}), ("sqlite", settings), orders(write, None))
        with psycopg.connect(shop.url) as connection:
            shop.clock += 1
            shop.write(connection)
        before = shop.ids

        def during(batches: Any) -> Any:
            for batch in batches:
                with psycopg.connect(shop.url) as connection:
                    shop.clock += 1
                    shop.write(connection)
                yield batch

        mover.go(during)
        assert ids_at("sqlite", settings) == list(range(1, before + 1))
        mover.go()
        assert ids_at("sqlite", settings) == list(range(1, shop.ids + 1))
