"""SIGTERM around the end of a `replace`: readers have the old rows or the new; the next start ends what was begun."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pymongo
import pytest

from tests.journeys.ending import check_end
from tests.journeys.moments import Scene
from tests.waiting import until
from worker.run import FINAL

pytestmark = [pytest.mark.journey, pytest.mark.chaos]
OLD, NEW = 50_000, 60_000


def lake_of(scene: Scene, kind: str, mongo_url: str, database: str) -> Callable[[], tuple[int, int]]:
    """A destination of that kind, filled with `OLD` rows; how many rows of the old and of the new a reader finds."""
    path = scene.folder / "lake"
    if kind == "postgres":
        scene.lake()
        sql = "SELECT count(*) FILTER (WHERE name LIKE 'old%%'), count(*) FILTER (WHERE name LIKE 'item%%') FROM items"

        def postgres() -> tuple[int, int]:
            with psycopg.connect(scene.postgres) as connection:
                row = connection.execute(sql, ()).fetchone()
            assert row is not None
            return int(row[0]), int(row[1])

        return postgres
    if kind == "mongodb":
        scene.connect("lake", "mongodb", url=mongo_url, database=f"{database}_lake")
        client = scene.ends.enter_context(pymongo.MongoClient[dict[str, Any]](mongo_url))
        scene.ends.callback(client.drop_database, f"{database}_lake")
        items = client[f"{database}_lake"]["items"]
        return lambda: (
            items.count_documents({"name": {"$regex": "^old"}}),
            items.count_documents({"name": {"$regex": "^item"}}),
        )
    if kind == "sqlite":
        scene.connect("lake", "sqlite", path=f"{path}.db")

        def sqlite() -> tuple[int, int]:
            with closing(sqlite3.connect(f"{path}.db")) as file:
                one = "SELECT sum(name LIKE 'old%'), sum(name LIKE 'item%') FROM items"
                old, new = file.execute(one).fetchone()
            return int(old), int(new)

        return sqlite
    path.mkdir()
    scene.connect("lake", "files", path=str(path), format="jsonl")

    def files() -> tuple[int, int]:
        text = "".join(file.read_text() for file in path.glob("items*.jsonl"))
        return text.count('"old'), text.count('"item')

    return files


def old_rows(scene: Scene) -> None:
    path = scene.folder / "before.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", ((n, f"old {n}") for n in range(OLD)))
    scene.connect("before", "sqlite", path=str(path))


def ended(scene: Scene, run_id: str) -> None:
    until(lambda: scene.run(run_id)["state"] in FINAL, "the run ends", timeout=90)
    run = scene.run(run_id)
    assert run["state"] == "succeeded", run["error"] or run["reason"]


def all_read(scene: Scene, run_id: str) -> bool:
    run = scene.run(run_id)
    read = sum(stream["read"] for stream in run["progress"].values())
    return bool(read >= NEW or run["finished_at"])


@pytest.mark.parametrize("kind", ["postgres", "mongodb", "sqlite", "files"])
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_reader_has_the_old_rows_or_the_new(
    kind: str,
    isolation: str,
    scene: Scene,
    mongo_url: str,
    mongo_database: str,
) -> None:
    scene.way = "worker alone"
    scene.env |= {"RUN_ISOLATION": isolation, "CLAIM_TTL": "1", "SHUTDOWN_GRACE": "10"}
    scene.shop(NEW)
    old_rows(scene)
    count = lake_of(scene, kind, mongo_url, mongo_database)
    for signals in (1, 2, 1, 2, 1, 2):
        one = scene.begin()
        ended(scene, scene.queue("before", "lake"))
        assert count() == (OLD, 0)
        run_id = scene.queue("shop", "lake")
        until(lambda run_id=run_id: all_read(scene, run_id), "all is read", timeout=60)  # type: ignore[misc]
        for number in (signal.SIGTERM, signal.SIGINT)[:signals]:
            one.signal(number)
        assert one.wait(15) == 0
        state, seen = scene.run(run_id)["state"], count()
        print(kind, state, seen)
        assert seen in {(OLD, 0), (0, NEW)}
        assert state == "queued" or seen == (0, NEW)
        check_end(scene, one)
        one = scene.begin()
        ended(scene, run_id)
        assert count() == (0, NEW)
        assert one.terminate(15) == 0
