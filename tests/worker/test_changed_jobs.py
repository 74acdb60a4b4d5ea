"""A job is changed between its runs, or amid one: no row is lost, none comes twice, and the plan says so before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.worker.real import VAULT, Lake, SqliteLake, Works
from worker.apply import plan
from worker.connection import Connection
from worker.connectors import row_batches, sqlite
from worker.connectors.sqlite_writer import SQLiteWriter
from worker.declaration import Declaration
from worker.errors import SourceUnavailable
from worker.job import Job, Mode, Retry, StreamSpec, Write
from worker.store.client import Document

ITEMS = StreamSpec(name="items", mode=Mode.INCREMENTAL, write=Write.UPSERT, cursor="seq", key=("id",))
LOG = replace(ITEMS, write=Write.APPEND)


@pytest.fixture
def filled(works: Works) -> Works:
    """Items 1 to 3; `alt` orders them the other way round."""
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, seq INTEGER, alt INTEGER, name TEXT)")
    works.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(1, 1, 9, "a"), (2, 2, 8, "b"), (3, 3, 7, "c")])
    return works


def ids(lake: Lake, name: str = "items") -> list[int]:
    return [row["id"] for row in lake.rows(name)]


def means(works: Works, job: Job) -> str:
    """What the plan says of a change to `job`."""
    connections = {one.id: one for one in works.store.connections(VAULT).list()}
    changes = plan(works.store, VAULT, Declaration(connections=connections, jobs={job.id: job}))
    return "\n".join(words for change in changes for words in change.means)


def changed(works: Works, *streams: StreamSpec, **more: Any) -> str:
    """Change the job, and give what the plan had said of it."""
    before = works.store.jobs.get("j")
    said = means(works, replace(before, streams=streams or before.streams, **more))
    works.job(*(streams or before.streams), **more)
    return said


def other_shop(works: Works) -> None:
    """Another source with rows of its own, all before the checkpoint of the first."""
    path = works.shop.with_name("other.db")
    other = Works.__new__(Works)
    other.shop = path
    other.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, seq INTEGER, alt INTEGER, name TEXT)")
    other.execute("INSERT INTO items VALUES (?, ?, ?, ?)", [(11, 1, 1, "x"), (12, 2, 2, "y")])
    works.store.connections(VAULT).insert(
        Connection(id="other", type="sqlite", settings={"path": str(path)}), frozenset()
    )


def sourced(works: Works, source: str, *streams: StreamSpec) -> Job:
    before = works.store.jobs.get("j")
    job = replace(before, source=source, streams=streams or before.streams)
    return works.store.jobs.replace(job, before.revision)


def test_another_cursor_begins_anew(filled: Works, lake: Lake) -> None:
    filled.job(ITEMS)
    filled.done()
    filled.execute("INSERT INTO items VALUES (4, 4, 1, 'd')")
    said = changed(filled, replace(ITEMS, cursor="alt"))
    assert "stream items: its checkpoint ends (cursor was seq and is alt now)" in said
    run = filled.done()
    assert ids(lake) == [1, 2, 3, 4]
    assert run["progress"]["items"]["read"] == 4
    assert any("cursor was seq and is alt now: it begins anew" in line for line in filled.log(run))
    assert filled.done()["progress"]["items"]["read"] <= 1  # the new checkpoint holds


def test_another_source_begins_anew(filled: Works, lake: Lake) -> None:
    filled.job(ITEMS)
    filled.done()
    other_shop(filled)
    job = replace(filled.store.jobs.get("j"), source="other")
    assert "its checkpoint ends (source was shop and is other now)" in means(filled, job)
    sourced(filled, "other")
    filled.done()
    assert ids(lake) == [1, 2, 3, 11, 12]


def test_another_target_is_filled_from_the_beginning(filled: Works, lake: Lake) -> None:
    for spec in (ITEMS, LOG):
        filled.job(replace(spec, target=f"first_{spec.write}"))
        filled.done()
        said = changed(filled, replace(spec, target=f"second_{spec.write}"))
        assert "the next run reads from the beginning" in said
        filled.done()
        assert ids(lake, f"second_{spec.write}") == [1, 2, 3]


def test_another_destination_is_filled_from_the_beginning(filled: Works, sqlite_lake: SqliteLake) -> None:
    filled.job(LOG)
    filled.done()
    other = SqliteLake(filled.shop.with_name("pond.db"))
    filled.store.connections(VAULT).insert(
        Connection(id="pond", type="sqlite", settings=dict(other.settings)), frozenset()
    )
    before = filled.store.jobs.get("j")
    filled.store.jobs.replace(replace(before, destination="pond"), before.revision)
    filled.done()
    assert ids(other) == [1, 2, 3]


def test_what_would_be_appended_twice_is_refused_until_it_is_reset(filled: Works, lake: Lake) -> None:
    filled.job(LOG)
    filled.done()
    other_shop(filled)
    job = replace(filled.store.jobs.get("j"), source="other")
    assert "runs fail until it is reset" in means(filled, job)
    sourced(filled, "other")
    run = filled.go()
    assert run["state"] == "failed"
    assert "source was shop and is other now. Reset the stream" in run["error"]["message"]
    assert ids(lake) == [1, 2, 3]
    filled.store.checkpoints.reset("j")
    filled.done()
    assert ids(lake) == [1, 2, 3, 11, 12]


def test_what_only_shapes_the_rows_keeps_the_checkpoint(filled: Works, lake: Lake) -> None:
    filled.job(ITEMS)
    filled.done()
    said = changed(filled, replace(ITEMS, exclude=("alt",)))
    assert "its checkpoint is kept: rows that were sent before stay as they are" in said
    filled.execute("INSERT INTO items VALUES (4, 4, 1, 'd')")
    assert filled.done()["progress"]["items"]["read"] == 2  # an upsert reads the edge again


def test_a_change_of_name_is_another_stream(filled: Works, lake: Lake) -> None:
    filled.job(ITEMS)
    filled.done()
    filled.execute("CREATE TABLE others AS SELECT id + 100 AS id, seq - 5 AS seq FROM items")
    said = changed(filled, replace(ITEMS, name="others", target="others"))
    assert "stream others: is read from its beginning first" in said
    assert "stream items: is moved no more" in said
    filled.done()
    assert ids(lake, "others") == [101, 102, 103]


def test_a_checkpoint_of_an_older_version_is_gone_on_from(filled: Works, lake: Lake) -> None:
    filled.job(ITEMS)
    filled.done()
    filled.store.database["checkpoints"].update_many({}, {"$unset": {"of": ""}})
    assert filled.done()["progress"]["items"]["read"] == 1


# In the middle of a run.


def broken_off(works: Works, monkeypatch: pytest.MonkeyPatch, *streams: StreamSpec) -> Document:
    """A first attempt whose source breaks off after two of its batches of one row."""
    read = row_batches.batched

    def two(*args: Any, **more: Any) -> Any:
        for number, batch in enumerate(read(*args, **more)):
            if number == 2:
                raise SourceUnavailable("broke off")
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(row_batches, "TARGET_ROWS", 1)
        patch.setattr(sqlite, "batched", two)
        works.job(*streams, retry=Retry(attempts=3, backoff=0, max_backoff=0))
        run = works.go()
    assert (run["state"], run["error"]["type"]) == ("queued", "SourceUnavailable"), run["error"]
    return run


MIDDLE = [
    StreamSpec(name="items", key=("id",)),
    StreamSpec(name="items", key=("id",), write=Write.MIRROR),
    StreamSpec(name="items", key=("id",), write=Write.UPSERT),
]


@pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb"], indirect=True)
@pytest.mark.parametrize("spec", MIDDLE, ids=lambda spec: str(spec.write))
def test_a_full_stream_that_is_half_done_begins_anew_by_the_new_definition(
    filled: Works, lake: Lake, spec: StreamSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = broken_off(filled, monkeypatch, spec)
    filled.job(replace(spec, rename={"name": "title"}), retry=Retry(attempts=3, backoff=0, max_backoff=0))
    run = filled.go(run["_id"])
    assert run["state"] == "succeeded", run["error"]
    assert [row.get("title") for row in lake.rows("items")] == ["a", "b", "c"]


@pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb"], indirect=True)
@pytest.mark.parametrize("spec", MIDDLE, ids=lambda spec: str(spec.write))
def test_a_full_stream_that_is_half_done_goes_on_where_nothing_changed(
    filled: Works, lake: Lake, spec: StreamSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = filled.go(broken_off(filled, monkeypatch, spec)["_id"])
    assert run["state"] == "succeeded", run["error"]
    assert ids(lake) == [1, 2, 3]
    assert any("goes on from checkpoint" in line for line in filled.log(run))


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_an_attempt_goes_on_with_the_definition_that_it_began_with(
    filled: Works, sqlite_lake: SqliteLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job and its connection are changed when the first of two streams is at work."""
    filled.execute("CREATE TABLE more AS SELECT * FROM items")
    changed_once: list[str] = []
    finish = SQLiteWriter.finish

    def change(writer: SQLiteWriter) -> int:
        if not changed_once:
            changed_once.append(writer.target.name)
            pond = filled.shop.with_name("pond.db")
            saved = filled.store.connections(VAULT)
            saved.replace(replace(saved.get("lake"), settings={"path": str(pond)}), frozenset())
            filled.job(replace(ITEMS, target="elsewhere"))
        return finish(writer)

    monkeypatch.setattr(SQLiteWriter, "finish", change)
    filled.job(ITEMS, replace(ITEMS, name="more"))
    run = filled.done()
    assert changed_once == ["items"]
    assert set(run["progress"]) == {"items", "more"}
    assert ids(sqlite_lake) == ids(sqlite_lake, "more") == [1, 2, 3]


def test_a_checkpoint_that_was_sealed_is_read_when_nothing_is_hashed_any_more(filled: Works, lake: Lake) -> None:
    filled.job(replace(LOG, hash=("name",)))
    filled.done()
    filled.job(LOG)
    filled.execute("INSERT INTO items VALUES (4, 4, 1, 'd')")
    assert filled.done()["progress"]["items"]["read"] == 1
    assert ids(lake) == [1, 2, 3, 4]
