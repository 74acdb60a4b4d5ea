"""`replace` under the eyes of readers: whoever looks, by whatever means, sees one whole state, never two or none."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from tests.waiting import until
from tests.worker.connectors.moving import Mover
from tests.worker.connectors.postgres_ends import execute
from tests.worker.connectors.test_sqlite_edges import execute as in_sqlite
from worker.connectors import row_batches
from worker.errors import BadInput, BadValue
from worker.job import Guards, StreamSpec, Write

SWAPS, READERS, ROWS = 6, 3, 400

# One look at the target: the generation of every row that is there.
Look = Callable[[], list[int]]


class Shop:
    """A table whose rows all carry the number of their generation, each of another size."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.db"
        in_sqlite(self.path, "CREATE TABLE items (id INTEGER PRIMARY KEY, generation INTEGER)")

    def fill(self, generation: int, extra: str = "") -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("DROP TABLE items")
            database.execute(f"CREATE TABLE items (id INTEGER PRIMARY KEY, generation INTEGER{extra})")
            made = [(number, generation) for number in range(size(generation))]
            database.executemany("INSERT INTO items (id, generation) VALUES (?, ?)", made)


def size(generation: int) -> int:
    return ROWS + 10 * generation


class Readers:
    """Threads that look until told to stop; what each saw, and what went wrong."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self._stop = threading.Event()
        self._open = look
        self.seen: Counter[int] = Counter()
        self.wrong: list[str] = []
        self._threads = [threading.Thread(target=self._poll) for _ in range(READERS)]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _poll(self) -> None:
        try:
            look = self._open()
            while not self._stop.is_set():
                rows = look()
                states = set(rows)
                if len(states) != 1 or len(rows) != size(rows[0]):
                    self.wrong.append(f"{len(rows)} rows of the generations {sorted(states)}")
                else:
                    self.seen[rows[0]] += 1
        except BaseException as error:
            self.wrong.append(repr(error))


def of_postgres(url: str) -> Look:
    connection = psycopg.connect(url, autocommit=True)
    return lambda: [row[0] for row in connection.execute("SELECT generation FROM items").fetchall()]


def of_postgres_page_by_page(url: str) -> Look:
    """Through a cursor, in one transaction: the slowest of readers."""
    connection = psycopg.connect(url)

    def look() -> list[int]:
        with connection.transaction(), connection.cursor(name="slow") as cursor:
            cursor.itersize = 50
            cursor.execute("SELECT generation FROM items")
            return [row[0] for row in cursor]

    return look


def of_sqlite(path: Path) -> Look:
    database = sqlite3.connect(path, timeout=60, check_same_thread=False)
    return lambda: [row[0] for row in database.execute("SELECT generation FROM items").fetchall()]


def of_mongodb(url: str, database: str) -> Look:
    client = pymongo.MongoClient[dict[str, Any]](url)
    collection = client[database]["items"]
    return lambda: [row["generation"] for row in collection.find({}, batch_size=10 * ROWS)]


def of_csv(path: Path) -> Look:
    def look() -> list[int]:
        with path.open(encoding="utf-8") as file:
            return [int(row["generation"]) for row in csv.DictReader(file)]

    return look


def of_jsonl(path: Path) -> Look:
    return lambda: [json.loads(line)["generation"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(row_batches, "TARGET_ROWS", 100)
    return Shop(tmp_path)


@pytest.fixture(params=["postgres", "postgres by cursor", "sqlite", "sqlite without WAL", "mongodb", "csv", "jsonl"])
def end(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, str], Callable[[], Look]]]:
    kind: str = request.param
    if kind.startswith("postgres"):
        url = request.getfixturevalue("postgres_database")
        by = of_postgres if kind == "postgres" else of_postgres_page_by_page
        yield "postgres", {"url": url}, lambda: by(url)
    elif kind.startswith("sqlite"):
        path = tmp_path / "lake.db"
        if kind != "sqlite":
            in_sqlite(path, "CREATE TABLE other (id INTEGER)")
        yield "sqlite", {"path": str(path)}, lambda: of_sqlite(path)
    elif kind == "mongodb":
        url, database = request.getfixturevalue("mongo_url"), request.getfixturevalue("mongo_database")
        yield kind, {"url": url, "database": database}, lambda: of_mongodb(url, database)
    else:
        settings = {"path": str(tmp_path / "lake"), "format": kind}
        path = tmp_path / "lake" / f"items.{kind}"
        yield "files", settings, lambda: of_csv(path) if kind == "csv" else of_jsonl(path)


def items(shop: Shop, kind: str, settings: dict[str, str]) -> Mover:
    spec = StreamSpec(name="items", write=Write.REPLACE, key=("id",))
    return Mover(("sqlite", {"path": str(shop.path)}), (kind, settings), spec, Guards(max_shrink=None))


def test_readers_see_whole_states_alone(shop: Shop, end: tuple[str, dict[str, str], Callable[[], Look]]) -> None:
    kind, settings, look = end
    mover = items(shop, kind, settings)
    shop.fill(0)
    mover.go()
    with Readers(look) as readers:
        for generation in range(1, SWAPS + 1):
            shop.fill(generation, extra=", more TEXT" if generation > SWAPS // 2 else "")
            mover.go()
            until(lambda: readers.wrong or readers.seen[generation], f"generation {generation} is seen")  # noqa: B023
    assert readers.wrong == []


# What hangs on a table of PostgreSQL.

HANGERS = """
ALTER TABLE items ADD COLUMN made timestamptz NOT NULL DEFAULT now();
CREATE INDEX by_generation ON items (generation) WHERE generation > 0;
CREATE VIEW shown AS SELECT id FROM items;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM items;
COMMENT ON TABLE items IS 'of the shop';
COMMENT ON COLUMN items.generation IS 'grows';
GRANT SELECT ON items TO PUBLIC;
ALTER TABLE items ADD CHECK (id >= 0);
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON items USING (true);
CREATE STATISTICS related ON id, generation FROM items;
CREATE TABLE audit (id bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END';
CREATE TRIGGER noted AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION note();
CREATE RULE quiet AS ON UPDATE TO items DO NOTHING;
"""
KEPT = {
    "oid": "SELECT 'items'::regclass::oid",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE tablename = 'items' ORDER BY 1",
    "grants": "SELECT relacl::text FROM pg_class WHERE relname = 'items'",
    "comments": "SELECT objsubid, description FROM pg_description WHERE objoid = 'items'::regclass ORDER BY 1",
    "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE 'items'::regclass IN (conrelid, confrelid) ORDER BY 1",
    "defaults": "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'items'::regclass",
    "triggers": "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'items'::regclass ORDER BY 1",
    "policies": "SELECT policyname FROM pg_policies WHERE tablename = 'items'",
    "statistics": "SELECT stxname FROM pg_statistic_ext WHERE stxrelid = 'items'::regclass",
    "rules": "SELECT definition FROM pg_rules WHERE tablename = 'items'",
    "view": "SELECT definition FROM pg_views WHERE viewname = 'shown'",
}


def filled(shop: Shop, url: str) -> Mover:
    """The first generation is there."""
    mover = items(shop, "postgres", {"url": url})
    shop.fill(0)
    mover.go()
    return mover


def test_what_hangs_on_a_table_stays(shop: Shop, postgres_database: str) -> None:
    mover = filled(shop, postgres_database)
    execute(postgres_database, HANGERS)
    before = {name: execute(postgres_database, asked) for name, asked in KEPT.items()}
    assert all(before.values())
    shop.fill(1)
    mover.go()
    assert {name: execute(postgres_database, asked) for name, asked in KEPT.items()} == before
    assert execute(postgres_database, "SELECT count(*) FROM shown") == [(size(1),)]
    assert execute(postgres_database, "SELECT count(*) FROM audit") == [(size(1),)]
    assert execute(postgres_database, "SELECT count(*) FROM items WHERE made IS NULL") == [(0,)]


def test_foreign_keys_that_can_wait_for_the_commit_are_kept(shop: Shop, postgres_database: str) -> None:
    mover = filled(shop, postgres_database)
    execute(
        postgres_database,
        "CREATE TABLE orders (item bigint REFERENCES items DEFERRABLE); INSERT INTO orders VALUES (1), (2)",
    )
    shop.fill(1)
    mover.go()
    assert execute(postgres_database, "SELECT count(*) FROM items JOIN orders ON item = id") == [(2,)]
    in_sqlite(shop.path, "DELETE FROM items WHERE id = 2")
    with pytest.raises(BadValue, match="orders_item_fkey"):
        mover.go()
    assert execute(postgres_database, "SELECT count(*) FROM items") == [(size(1),)]


@pytest.mark.parametrize("rule", ["", "ON DELETE RESTRICT", "ON DELETE CASCADE", "ON DELETE SET NULL"])
def test_foreign_keys_that_a_refill_would_break_are_named_before_anything_is_staged(
    shop: Shop, postgres_database: str, rule: str
) -> None:
    mover = filled(shop, postgres_database)
    execute(
        postgres_database,
        f"CREATE TABLE orders (item bigint REFERENCES items {rule}); INSERT INTO orders VALUES (1), (2)",
    )
    shop.fill(1)
    with pytest.raises(BadInput, match=r"items.write: .*orders \(orders_item_fkey\).*use upsert"):
        mover.go()
    assert execute(postgres_database, "SELECT count(*), min(generation), max(generation) FROM items") == [(ROWS, 0, 0)]
    assert execute(postgres_database, "SELECT item FROM orders ORDER BY 1") == [(1,), (2,)]
