"""Verification of real jobs: rows altered behind its back are found, named and mended, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.waiting import until
from tests.worker.real import VAULT, FilesLake, Lake, MongodbLake, PostgresLake, SqliteLake, Works
from worker import clock
from worker.connection import Connection
from worker.job import Delete, Guards, Job, Mode, StreamSpec, Write
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store.client import Document

DATABASES = pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb"], indirect=True)
ROWS = 2_000

Verify = Callable[..., Document]


@pytest.fixture
def shop(works: Works) -> Works:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
    works.execute("INSERT INTO items VALUES (?, ?, ?)", [(n, f"item {n}", n / 7) for n in range(1, ROWS + 1)])
    return works


@pytest.fixture
def carry(works: Works, tmp_path: Path) -> Verify:
    """Carry out a run of the job, its claim kept alive however long it takes; `verify` {repair, stream}."""
    settings = WorkerSettings(production=False, mongo_url=None, mongo_database="", data_dir=tmp_path, claim_ttl=60.0)

    def carried_out(**asked: Any) -> Document:
        runner = Runner(settings, works.store, VAULT, works.store.claims, instance="here")
        sent = clock.monotonic()
        run = works.store.runs.create("j", Trigger.MANUAL, claim_for=("here", settings.claim_ttl), **asked)
        runner.start(run, sent)

        def ended() -> bool:
            runner.beat()
            return not runner.active()

        until(ended, "the run ended", timeout=300)
        return works.store.runs.get(run["_id"])

    return carried_out


@pytest.fixture
def verify(carry: Verify) -> Verify:
    """Run a verification of the job to its end, and give the run."""
    return lambda *, repair=False, stream=None: carry(verify={"repair": repair, "stream": stream})


def found(run: Document, stream: str = "items") -> Any:
    return run["verified"][stream]


def change(lake: Lake, number: int, name: str) -> None:
    alter(lake, f"UPDATE items SET name = '{name}' WHERE id = {number}", number, {"$set": {"name": name}})


def delete(lake: Lake, number: int) -> None:
    alter(lake, f"DELETE FROM items WHERE id = {number}", number, None)


def add(lake: Lake, number: int) -> None:
    if isinstance(lake, MongodbLake):
        with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
            items = client[lake.settings["database"]]["items"]
            items.insert_one({"_id": number, "id": number, "name": "added"})
    else:
        alter(lake, f"INSERT INTO items (id, name) VALUES ({number}, 'added')", number, None)


def alter(lake: Lake, sql: str, number: int, update: dict[str, Any] | None) -> None:
    if isinstance(lake, MongodbLake):
        with pymongo.MongoClient[dict[str, Any]](lake.settings["url"]) as client:
            items = client[lake.settings["database"]]["items"]
            if update is None:
                items.delete_one({"_id": number})
            else:
                items.update_one({"_id": number}, update)
    else:
        assert isinstance(lake, (SqliteLake, PostgresLake))
        lake.execute(sql)


def altered(lake: Lake) -> None:
    change(lake, 1_234, "changed")
    delete(lake, 77)
    add(lake, 999_999)


def expected() -> list[dict[str, Any]]:
    return [{"id": n, "name": f"item {n}", "price": n / 7} for n in range(1, ROWS + 1)]


STREAM = StreamSpec(name="items", write=Write.REPLACE, key=("id",))


@DATABASES
def test_what_was_not_altered_is_equal(shop: Works, verify: Verify) -> None:
    shop.job(STREAM)
    shop.done()
    run = verify()
    assert run["state"] == "succeeded", run["error"]
    assert (found(run)["rows"], found(run)["differing"], found(run)["ranges"]) == (ROWS, 0, 8)
    assert "2,000 rows, all equal" in "".join(shop.log(run))
    assert run["progress"]["items"]["written"] == 0


@DATABASES
def test_three_altered_rows_are_named_and_mended_alone(shop: Works, verify: Verify) -> None:
    shop.job(STREAM)
    shop.done()
    altered(shop.lake)
    run = verify()
    assert run["state"] == "failed"
    assert "3 differ (1 missing, 1 changed, 1 too many)" in run["error"]["message"]
    assert sorted(found(run)["examples"]) == ["changed: id 1234", "extra: id 999999", "missing: id 77"] or sorted(
        found(run)["examples"]
    ) == ["changed: id 1234", "extra: _id 999999", "missing: id 77"]
    assert found(run)["differing_ranges"] == 3
    run = verify(repair=True)
    assert run["state"] == "succeeded", run["error"]
    assert (found(run)["mended"], found(run)["reread"], found(run)["differing"]) == (3, 2, 0)
    progress = run["progress"]["items"]
    assert (progress["read"], progress["written"], progress["deleted"]) == (2, 2, 1)
    assert shop.lake.rows("items") == expected()
    assert found(verify())["differing"] == 0
    shop.done()  # a run after it writes as before
    assert shop.lake.rows("items") == expected()


def three_are_found_and_mended(works: Works, carry: Verify, verify: Verify) -> None:
    assert carry()["state"] == "succeeded"
    altered(works.lake)
    run = verify()
    assert (found(run)["rows"], found(run)["differing"], len(found(run)["examples"])) == (100_000, 3, 3)
    run = verify(repair=True)
    assert (run["state"], found(run)["differing"]) == ("succeeded", 0)
    assert run["progress"]["items"]["read"] < 1_000
    assert found(verify())["differing"] == 0


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lake", ["sqlite", "postgres"], indirect=True)
def test_three_in_a_hundred_thousand_from_sqlite(works: Works, carry: Verify, verify: Verify) -> None:
    works.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
    works.execute("INSERT INTO items VALUES (?, ?, ?)", [(n, f"item {n}", n / 7) for n in range(1, 100_001)])
    works.job(STREAM)
    three_are_found_and_mended(works, carry, verify)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("lake", ["mongodb"], indirect=True)
def test_three_in_a_hundred_thousand_from_postgres(
    works: Works, carry: Verify, verify: Verify, postgres_lake: PostgresLake
) -> None:
    postgres_lake.execute(
        "CREATE TABLE items AS SELECT n AS id, 'item ' || n AS name, n / 7.0 AS price, now() AS at, gen_random_uuid() "
        "AS uid FROM generate_series(1, 100000) AS n"
    )
    postgres_lake.execute("ALTER TABLE items ADD PRIMARY KEY (id)")
    shop = Connection(id="pg", type="postgres", settings=dict(postgres_lake.settings))
    works.store.connections(VAULT).insert(shop, frozenset())
    works.store.jobs.insert(Job(id="j", source="pg", destination="lake", streams=(STREAM,)))
    three_are_found_and_mended(works, carry, verify)


@DATABASES
def test_an_upsert_deletes_nothing_and_says_what_is_more(shop: Works, verify: Verify) -> None:
    shop.job(StreamSpec(name="items", write=Write.UPSERT, key=("id",)))
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 5")
    run = verify()
    assert (run["state"], found(run)["others"]) == ("succeeded", 5)
    assert "5 more at the destination, which this stream never deletes" in "".join(shop.log(run))


@DATABASES
def test_an_incremental_stream_is_verified_through_its_checkpoint(shop: Works, verify: Verify) -> None:
    shop.execute("ALTER TABLE items ADD COLUMN changed INTEGER")
    shop.execute("UPDATE items SET changed = id WHERE id > 3")
    stream = StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="changed", write=Write.UPSERT, key=("id",))
    shop.job(stream)
    shop.done()
    shop.execute("UPDATE items SET name = 'newer', changed = 5000 WHERE id = 10")
    shop.execute("INSERT INTO items VALUES (5001, 'new', 1, 5001)")
    run = verify()
    assert run["state"] == "succeeded", run["error"]
    items = found(run)
    assert (items["through"], items["rows"], items["ahead"], items["unsent"]) == ("2000", ROWS - 4, 2, 3)
    change(shop.lake, 1_234, "changed")
    run = verify(repair=True)
    assert (run["state"], found(run)["reread"]) == ("succeeded", 1)
    run = shop.done()  # goes on from its checkpoint: no row is read again but the last
    assert run["progress"]["items"]["read"] == 3
    assert found(verify())["through"] == "5001"


@DATABASES
def test_rows_that_others_wrote_beside_a_mirror_are_left_alone(shop: Works, verify: Verify) -> None:
    shop.job(StreamSpec(name="items", write=Write.MIRROR, key=("id",)))
    shop.done()
    add(shop.lake, 999_999)
    shop.execute("DELETE FROM items WHERE id = 8")
    change(shop.lake, 1_234, "changed")
    run = verify()
    assert (found(run)["extra"], found(run)["changed"], found(run)["others"]) == (1, 1, 1)
    run = verify(repair=True)
    assert run["state"] == "succeeded", run["error"]
    ids = {row["id"] for row in shop.lake.rows("items")}
    assert 999_999 in ids
    assert 8 not in ids
    assert len(ids) == ROWS


@DATABASES
def test_soft_deletion_is_a_row_that_is_not_there(shop: Works, verify: Verify) -> None:
    shop.job(StreamSpec(name="items", write=Write.MIRROR, key=("id",), delete=Delete.SOFT))
    shop.done()
    shop.execute("DELETE FROM items WHERE id = 8")
    assert found(verify())["extra"] == 1
    assert verify(repair=True)["state"] == "succeeded"
    assert [row["id"] for row in shop.lake.rows("items") if row["_deleted_at"]] == [8]
    assert found(verify())["differing"] == 0


@DATABASES
def test_hashed_renamed_and_stamped_columns_are_compared_as_they_lie_there(shop: Works, verify: Verify) -> None:
    shop.job(
        StreamSpec(
            name="items",
            key=("id",),
            hash=("name",),
            rename={"price": "cost"},
            metadata=("_synced_at", "_run_id"),
        )
    )
    shop.done()
    assert found(verify())["differing"] == 0
    change(shop.lake, 1_234, "in the clear")
    run = verify(repair=True)
    assert (run["state"], found(run)["mended"]) == ("succeeded", 1)
    assert len(shop.lake.rows("items")[1_233]["name"]) == 64


@DATABASES
def test_more_than_the_guards_allow_is_not_deleted(shop: Works, verify: Verify) -> None:
    shop.job(STREAM, guards=Guards(max_delete=0.01, max_shrink=0.01))
    shop.done()
    shop.execute("DELETE FROM items WHERE id <= 500")
    change(shop.lake, 1_234, "changed")
    run = verify(repair=True)
    assert run["state"] == "failed"
    assert (found(run)["extra"], found(run)["mended"]) == (500, 1)
    assert "500 of 2,000 rows are too many, more than max_shrink (1%) allows" in "".join(shop.log(run))
    assert len(shop.lake.rows("items")) == ROWS


@DATABASES
def test_rows_without_a_key_are_counted_each(shop: Works, verify: Verify) -> None:
    shop.execute("CREATE TABLE words (id INTEGER, word TEXT)")
    shop.execute("INSERT INTO words VALUES (?, ?)", [(1, "a"), (1, "a"), (2, "b"), (2, None)])
    shop.job(StreamSpec(name="words"))
    shop.done()
    run = verify()
    assert (run["state"], found(run, "words")["rows"]) == ("succeeded", 4)
    shop.execute("DELETE FROM words WHERE rowid = 1")
    shop.execute("UPDATE words SET word = 'c' WHERE rowid = 3")
    run = verify(repair=True)
    assert run["state"] == "failed"
    assert "words.key: is needed to repair" in run["error"]["message"]
    run = verify()
    assert (found(run, "words")["missing"], found(run, "words")["extra"]) == (1, 2)


@DATABASES
def test_a_job_verifies_each_run_where_asked(shop: Works) -> None:
    shop.job(STREAM, verify=True)
    run = shop.done()
    assert (found(run)["rows"], found(run)["differing"]) == (ROWS, 0)
    assert "2,000 rows, all equal" in "".join(shop.log(run))


@pytest.mark.parametrize("lake", ["files"], indirect=True)
def test_a_row_changed_in_a_file_is_mended(shop: Works, verify: Verify) -> None:
    shop.job(STREAM)
    shop.done()
    assert isinstance(shop.lake, FilesLake)
    (file,) = Path(shop.lake.settings["path"]).glob("items.*")
    file.write_text(file.read_text().replace("item 1234", "changed"))
    run = verify()
    assert (run["state"], found(run)["changed"]) == ("failed", 1)
    assert verify(repair=True)["state"] == "succeeded"
    assert shop.lake.rows("items")[1_233]["name"] == "item 1234"


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_one_stream_alone(shop: Works, verify: Verify) -> None:
    shop.execute("CREATE TABLE others (id INTEGER PRIMARY KEY)")
    shop.job(STREAM, StreamSpec(name="others"))
    shop.done()
    assert set(verify(stream="items")["verified"]) == {"items"}
    assert set(verify()["verified"]) == {"items", "others"}
    run = verify(stream="nowhere")
    assert "stream: is 'nowhere'; job j has items, others" in run["error"]["message"]


@pytest.mark.parametrize("lake", ["sqlite"], indirect=True)
def test_a_retry_of_a_verification_verifies(shop: Works, verify: Verify) -> None:
    shop.job(STREAM)
    shop.done()
    delete(shop.lake, 77)
    run = verify(repair=False)
    again = shop.store.runs.retry(run["_id"], "ada")
    assert again["verify"] == {"repair": False, "stream": None}
    assert shop.go(again["_id"])["state"] == "failed"
    assert len(shop.lake.rows("items")) == ROWS - 1
