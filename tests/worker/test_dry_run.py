"""Dry runs of real jobs: what they foretell is what the run then does, and nothing is written anywhere."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import bson
import psycopg
import pymongo
import pytest

from tests.worker.real import VAULT, FilesLake, Lake, MongodbLake, PostgresLake, SqliteLake, Works
from worker import connectors
from worker.connection import Connection
from worker.connectors.protocol import Source
from worker.connectors.sqlite import SQLiteSource
from worker.dry_run import Asked, DryRun
from worker.errors import BadInput, Cancelled
from worker.job import Delete, Drift, Guards, Job, Mode, StreamSpec, Write
from worker.store import Store
from worker.sync.outlook import Outlook

ROWS = 60
FULL = StreamSpec(name="items", key=("id",))
MODES = {
    "full replace": FULL,
    "full append": StreamSpec(name="items", write=Write.APPEND),
    "full upsert": StreamSpec(name="items", write=Write.UPSERT, key=("id",)),
    "full mirror": StreamSpec(name="items", write=Write.MIRROR, key=("id",)),
    "incremental append": StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="at", key=("id",), write=Write.APPEND),
    "incremental upsert": StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="at", key=("id",), write=Write.UPSERT),
}


@pytest.fixture
def shop(works: Works) -> Works:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, at INTEGER)")
    works.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(n, f"item {n}", n / 7, n) for n in range(1, ROWS + 1)])
    return works


def changed(works: Works) -> None:
    """Three rows are changed, four are new, five are gone."""
    works.execute("UPDATE items SET name = 'other', at = 1000 + id WHERE id IN (1, 30, 60)")
    works.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(n, f"new {n}", None, 2000 + n) for n in range(901, 905)])
    works.execute("DELETE FROM items WHERE id BETWEEN 11 AND 15")


def look(works: Works, job: Job | None = None, **asked: Any) -> dict[str, Outlook]:
    saved = works.store.jobs.find("j")
    wanted = job or saved
    assert wanted is not None
    return DryRun(wanted, saved, works.store, VAULT).look(Asked(**asked))


def counts(found: Outlook) -> tuple[int | None, ...]:
    assert found.error is None, found.error
    return found.would_insert, found.would_update, found.would_delete


def rows(lake: Lake, name: str = "items") -> dict[Any, list[str]]:
    """The rows by id, as text without what says when and by which run they came."""
    try:
        found = lake.rows(name)
    except Exception:  # it is not there yet, which every server says in its own words
        return {}
    by_id: dict[Any, list[str]] = {}
    for row in found:
        said = {column: value for column, value in row.items() if not column.startswith("_") and value is not None}
        by_id.setdefault(row["id"], []).append(json.dumps(said, sort_keys=True, default=str))
    return by_id


def difference(before: dict[Any, list[str]], after: dict[Any, list[str]]) -> tuple[int, int, int]:
    """(inserted, updated, deleted), counted from what was there and what is there now."""
    inserts = updates = deletes = 0
    for key in before.keys() | after.keys():
        old, new = before.get(key, []), after.get(key, [])
        inserts += max(0, len(new) - len(old))
        deletes += max(0, len(old) - len(new))
        updates += len(old) == len(new) and sorted(old) != sorted(new)
    return inserts, updates, deletes


def everything(store: Store, lake: Lake) -> str:
    """A digest of all that is kept: every collection of ours, and every byte or row of the destination."""
    kept = hashlib.sha256()
    for part in (*_collections(store.database), *_contents(lake)):
        kept.update(part)
    return kept.hexdigest()


def _collections(database: Any) -> Iterator[bytes]:
    for name in sorted(database.list_collection_names()):
        for document in database[name].find().sort("_id", 1):
            yield name.encode() + bson.encode(document)


def _contents(lake: Lake) -> Iterator[bytes]:
    if isinstance(lake, MongodbLake):
        with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
            yield from _collections(client[lake.settings["database"]])
    elif isinstance(lake, PostgresLake):
        with psycopg.connect(lake.settings["url"]) as connection:
            tables = connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (name,) in sorted(tables):
                found = connection.execute(f"SELECT xmin, ctid, t::text FROM {name} AS t ORDER BY 3, 2").fetchall()
                yield f"{name} {found}".encode()
    elif isinstance(lake, SqliteLake):
        path = Path(lake.settings["path"])
        if path.exists():
            with closing(sqlite3.connect(path)) as database:
                yield "\n".join(database.iterdump()).encode()
            yield str((path.stat().st_mtime_ns, path.stat().st_size)).encode()
    else:
        for file in sorted(Path(lake.settings["path"]).rglob("*")):
            yield f"{file} {file.stat().st_mtime_ns}".encode() + (file.read_bytes() if file.is_file() else b"")


def offered(lake: Lake, spec: StreamSpec) -> bool:
    return not (isinstance(lake, FilesLake) and spec.write is Write.MIRROR)


@pytest.mark.parametrize("filled", [False, True], ids=["into nothing", "into what is there"])
@pytest.mark.parametrize("mode", MODES)
def test_what_is_foretold_happens_and_nothing_else(shop: Works, mode: str, filled: bool) -> None:
    spec, lake = MODES[mode], shop.lake
    if not offered(lake, spec):
        pytest.skip("not offered there")
    shop.job(spec)
    if filled:
        shop.done()
        changed(shop)
    before, kept = rows(lake), everything(shop.store, lake)
    (found,) = look(shop).values()
    assert everything(shop.store, lake) == kept, "a dry run wrote something"
    assert (found.partial, found.would_hold, found.would_create) == (False, None, not filled)
    run = shop.done()
    assert counts(found) == difference(before, rows(lake))
    assert found.read == run["progress"]["items"]["read"]
    assert found.from_checkpoint is (filled and spec.mode is Mode.INCREMENTAL)


@pytest.mark.parametrize("lake", ["sqlite", "mongodb"], indirect=True)
@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mongodb", "files"])
def test_every_source_is_foretold(
    works: Works, kind: str, postgres_lake: PostgresLake, mongodb_lake: MongodbLake, tmp_path: Path
) -> None:
    """A first job fills the source, whatever it is; the dry run is that of a second one, which reads it."""
    middle: dict[str, Any] = {
        "sqlite": {"path": str(tmp_path / "middle.db")},
        "postgres": dict(postgres_lake.settings),
        "mongodb": {"url": mongodb_lake.settings["url"], "database": mongodb_lake.settings["database"]},
        "files": {"path": str(tmp_path / "middle")},
    }[kind]
    works.store.connections(VAULT).insert(Connection(id="middle", type=kind, settings=middle), frozenset())
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, at INTEGER)")
    works.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(n, f"n{n}", n / 7, n) for n in range(1, ROWS + 1)])

    def fill() -> None:
        job = Job(id="j", source="shop", destination="middle", streams=(StreamSpec(name="items", key=("id",)),))
        saved = works.store.jobs.find("j")
        works.store.jobs.replace(job) if saved else works.store.jobs.insert(job)
        works.done()

    def reading() -> None:
        job = Job(
            id="j",
            source="middle",
            destination="lake",
            streams=(StreamSpec(name="items", target="copied", write=Write.UPSERT, key=("id",)),),
            guards=Guards(max_delete=None, max_shrink=None),
        )
        works.store.jobs.replace(job)

    fill()
    reading()
    (found,) = look(works).values()
    assert counts(found) == (ROWS, 0, 0)
    works.done()
    (found,) = look(works).values()
    assert counts(found) == (0, 0, 0), "what was written is what would be written"
    changed(works)
    fill()
    reading()
    (found,) = look(works).values()
    assert counts(found) == (4, 3, 0)


@pytest.mark.parametrize("write", [Write.REPLACE, Write.MIRROR])
def test_what_a_guard_would_hold_is_said(shop: Works, write: Write) -> None:
    spec = StreamSpec(name="items", write=write, key=("id",))
    if not offered(shop.lake, spec):
        pytest.skip("not offered there")
    shop.job(spec)
    shop.done()
    shop.execute("DELETE FROM items WHERE id > 40")
    (found,) = look(shop).values()
    assert counts(found) == (0, 0, 20)
    assert found.would_hold and "would have 40; that removes 20" in found.would_hold
    run = shop.go()
    assert run["state"] == "held" and found.would_hold in run["reason"]
    shop.store.runs.discard(run["_id"], "the test")
    shop.job(spec, guards=Guards(max_delete=None, max_shrink=None))
    assert look(shop)["items"].would_hold is None


@pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb"], indirect=True)
def test_deletions_that_the_source_marks_are_counted(shop: Works) -> None:
    shop.execute("ALTER TABLE items ADD COLUMN dropped INTEGER")
    for delete in (Delete.HARD, Delete.SOFT):
        spec = StreamSpec(
            name="items", write=Write.UPSERT, key=("id",), deleted="dropped", delete=delete, target=f"to_{delete}"
        )
        shop.execute("UPDATE items SET dropped = NULL")
        shop.job(spec)
        shop.done()
        shop.execute("UPDATE items SET dropped = 1 WHERE id IN (5, 6)")
        assert counts(look(shop)["items"]) == (0, 0, 2)
        shop.done()
        assert counts(look(shop)["items"]) == (0, 0, 0)


def test_columns_chosen_renamed_hashed_and_stamped_are_compared_as_they_lie_there(shop: Works) -> None:
    spec = StreamSpec(
        name="items",
        key=("id",),
        exclude=("at",),
        hash=("name",),
        rename={"price": "cost"},
        metadata=("_synced_at", "_run_id"),
    )
    shop.job(spec)
    kept = everything(shop.store, shop.lake)
    (found,) = look(shop).values()
    assert everything(shop.store, shop.lake) == kept, "the key of hash was made"
    assert any("key of hash" in note for note in found.notes)
    shop.done()
    (found,) = look(shop).values()
    assert counts(found) == (0, 0, 0) and found.notes == []
    first = found.sample[0]
    assert list(first) == ["id", "name", "cost", "_synced_at", "_run_id"] and len(found.sample) == 10
    assert first["name"] == shop.lake.rows("items")[0]["name"] and "item" not in str(first["name"])
    changed(shop)
    assert counts(look(shop)["items"]) == (4, 3, 5)


@pytest.mark.parametrize("lake", ["sqlite", "postgres", "files"], indirect=True)
def test_a_column_that_is_new_at_the_source_would_be_added(shop: Works) -> None:
    shop.job(FULL)
    assert [column.name for column in look(shop)["items"].would_add_columns] == ["id", "name", "price", "at"]
    shop.done()
    assert look(shop)["items"].would_add_columns == ()
    shop.execute("ALTER TABLE items ADD COLUMN colour TEXT")
    shop.execute("UPDATE items SET colour = 'red' WHERE id < 4")
    (found,) = look(shop).values()
    assert [column.name for column in found.would_add_columns] == ["colour"]
    assert counts(found) == (0, 3, 0) and "column colour is new at the source: it was added" in found.notes
    shop.job(StreamSpec(name="items", key=("id",), schema=Drift.FREEZE))
    (found,) = look(shop).values()
    assert found.error and "colour is new" in found.error and found.would_insert is None


@pytest.mark.parametrize("lake", ["sqlite", "mongodb"], indirect=True)
def test_rows_without_a_key_are_counted_one_by_one(works: Works) -> None:
    works.execute("CREATE TABLE items (id INTEGER, name TEXT)")
    works.execute("INSERT INTO items VALUES (?, ?)", [(n // 2, "twice") for n in range(20)])
    works.job(StreamSpec(name="items"))
    assert counts(look(works)["items"]) == (20, 0, 0)
    works.done()
    works.execute("INSERT INTO items VALUES (3, 'twice')")
    works.execute("UPDATE items SET name = 'other' WHERE id = 4")
    assert counts(look(works)["items"]) == (3, 0, 2)


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_a_draft_is_looked_at_in_place_of_the_saved_job(shop: Works) -> None:
    saved = shop.job(MODES["incremental upsert"])
    shop.done()
    draft = Job(id="j", source="shop", destination="lake", streams=(FULL,), created_at=saved.created_at)
    shop.execute("DELETE FROM items WHERE id = 7")
    assert counts(look(shop, draft)["items"]) == (0, 0, 1)
    other = StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="id", key=("id",), write=Write.UPSERT)
    (found,) = look(shop, Job(id="j", source="shop", destination="lake", streams=(other,))).values()
    assert found.read == ROWS - 1 and not found.from_checkpoint
    assert any("cursor was at and is id now" in note for note in found.notes)
    new = Job(id="new", source="shop", destination="lake", streams=(FULL,))
    (found,) = DryRun(new, None, shop.store, VAULT).look(Asked()).values()
    assert counts(found) == (0, 0, 1)


@pytest.mark.parametrize("lake", ["sqlite", "files"], indirect=True)
def test_with_a_limit_only_what_was_read_is_judged(shop: Works) -> None:
    shop.job(FULL)
    shop.done()
    changed(shop)
    (found,) = look(shop, rows=20).values()
    assert (found.read, found.partial, counts(found)) == (20, True, (0, 1, None))
    (found,) = look(shop, rows=1_000).values()
    assert (found.partial, counts(found)) == (False, (4, 3, 5))


class Endless(SQLiteSource):
    """A source that hangs after its first batch until it is told to stop."""

    gate = threading.Event()

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Any]:
        yield from super().read(spec, checkpoint)
        self.gate.wait(30)


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_a_source_that_hangs_ends_the_look_and_that_is_said(shop: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.job(FULL)
    shop.done()
    opened = connectors.open_end

    def open_end(name: str, values: Any, end: Any) -> Any:
        path = values["path"]
        hangs = end == "source" and path == str(shop.shop)
        settings = connectors.settings_of("sqlite", values)
        return cast(Source, Endless(cast(Any, settings))) if hangs else opened(name, values, end)

    monkeypatch.setattr(connectors, "open_end", open_end)
    monkeypatch.setattr(Endless, "gate", threading.Event())
    try:
        (found,) = look(shop, seconds=3.0).values()
        assert (found.read, found.partial, counts(found)) == (ROWS, True, (0, 0, None))

        def cancel() -> None:
            raise Cancelled("cancelled by the terminal")

        saved = shop.store.jobs.get("j")
        with pytest.raises(Cancelled):
            DryRun(saved, saved, shop.store, VAULT).look(Asked(), cancel)
    finally:
        Endless.gate.set()


def test_a_user_who_may_only_read_the_destination_can_look(shop: Works, postgres_lake: PostgresLake) -> None:
    if not isinstance(shop.lake, (PostgresLake, SqliteLake)):
        pytest.skip("has no such user here")
    shop.job(FULL)
    shop.done()
    changed(shop)
    if isinstance(shop.lake, PostgresLake):
        shop.lake.execute("DROP ROLE IF EXISTS looker")
        shop.lake.execute("CREATE ROLE looker LOGIN")
        shop.lake.execute("GRANT SELECT ON items TO looker")
        settings = {"url": shop.lake.settings["url"].replace("postgres@", "looker@")}
    else:
        path = Path(shop.lake.settings["path"])
        shop.lake.execute("PRAGMA journal_mode = DELETE")
        path.chmod(0o444)
        settings = {"path": str(path)}
    lake = Connection(id="lake", type=shop.lake.type, settings=settings)
    shop.store.connections(VAULT).replace(lake, frozenset())
    try:
        assert counts(look(shop)["items"]) == (4, 3, 5)
    finally:
        if isinstance(shop.lake, PostgresLake):
            shop.lake.execute("DROP OWNED BY looker")
            shop.lake.execute("DROP ROLE looker")


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_what_is_wrong_with_one_stream_leaves_the_others(shop: Works) -> None:
    shop.job(StreamSpec(name="nowhere"), FULL)
    found = look(shop)
    assert counts(found["items"]) == (ROWS, 0, 0)
    assert found["nowhere"].error and "nowhere" in found["nowhere"].error
    with pytest.raises(BadInput, match="stream: is 'other'; job j has nowhere, items"):
        look(shop, stream="other")
