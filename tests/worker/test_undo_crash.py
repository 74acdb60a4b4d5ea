"""Undo under kill -9, frozen writers and readers that look all the time: whole generations, and never nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from tests.worker.real import Lake, MongodbLake, PostgresLake
from tests.worker.undo_child import SWAPS, destination, replace, target, undo
from worker import connectors
from worker.batch import Batch
from worker.errors import DestinationUnavailable, LostClaim, Permanent
from worker.job import Write
from worker.sync.types import columns_of

pytestmark = pytest.mark.own_database

ROOT = Path(__file__).parents[2]
QUERY_PLAN_KILLED = 175


@pytest.fixture
def to(lake: Lake) -> Iterator[Any]:
    with destination(lake.type, lake.settings) as opened:
        yield opened


def words(lake: Lake) -> set[str]:
    return {row["name"] for row in lake.rows("items")}


def die_between(lake: Lake, deed: str) -> None:
    """A process of its own keeps the old generation, and is killed before it swaps."""
    command = [sys.executable, "-m", "tests.worker.undo_child", lake.type, json.dumps(lake.settings), deed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        told = child.stdout.readline()
        child.kill()
    assert told == "between\n"


def test_a_replace_that_is_killed_between_keeping_and_swapping(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second")
    die_between(lake, "replace")
    assert words(lake) == {"second"}
    assert len(lake.rows("items")) == 50
    replace(to, 9, "third", token=2)  # the next attempt of that run
    assert words(lake) == {"third"}
    undo(to, 10)
    assert words(lake) == {"second"}
    assert len(lake.rows("items")) == 50


def test_what_a_broken_replace_kept_is_not_taken_for_a_generation(
    lake: Lake, to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: Any) -> None:
        raise DestinationUnavailable("it broke off")

    replace(to, 1, "first")
    replace(to, 2, "second")
    with monkeypatch.context() as broken:
        broken.setattr(f"worker.connectors.{SWAPS[lake.type][0]}", break_off)
        with pytest.raises(DestinationUnavailable):
            replace(to, 9, "third")
    undo(to, 10)  # the run never came to its end: before it there was the first
    assert words(lake) == {"first"}
    undo(to, 11)
    assert words(lake) == {"second"}


def test_an_undo_that_is_killed_between_keeping_and_swapping(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second", count=40)
    die_between(lake, "undo")
    assert words(lake) == {"second"}
    assert len(lake.rows("items")) == 40
    assert undo(to, 9, token=2) == 40
    assert words(lake) == {"first"}
    assert undo(to, 10) == 50
    assert words(lake) == {"second"}
    assert len(lake.rows("items")) == 40


def test_a_repeated_swap_changes_nothing_more(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second", count=40)
    assert undo(to, 3) == 40
    again = to.generations(target(3, 2))
    assert again.swap(2, None) == 40
    again.close()
    assert words(lake) == {"first"}


def test_an_older_claim_that_wakes_up_swaps_nothing(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second")
    frozen = to.generations(target(3, 1))
    undo(to, 3, token=2)
    with pytest.raises(LostClaim):
        frozen.swap(2, None)
    frozen.close()
    assert words(lake) == {"first"}
    undo(to, 4)
    assert words(lake) == {"second"}


def test_a_kept_generation_that_somebody_took_away_is_named(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second")
    to.discard(target(0, 0), 2)
    generations = to.generations(target(3))
    assert generations.kept() == []
    with pytest.raises(Permanent, match=r"the generation that was kept of items\S* is not there any more"):
        generations.swap(2, None)
    generations.close()
    assert words(lake) == {"second"}


def test_what_is_kept_is_no_stream(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second")
    kind = connectors.connector(lake.type)
    with kind.source(connectors.settings_of(lake.type, lake.settings)) as source:
        assert [stream.name for stream in source.streams()] == ["items"]


# Readers.


@contextmanager
def looking(look: Callable[[], tuple[set[str], int]]) -> Iterator[list[tuple[frozenset[str], int]]]:
    """What a reader saw that looked all the time: the words in the rows, and how many rows."""
    seen: list[tuple[frozenset[str], int]] = []
    over = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        try:
            while not over.is_set():
                found, count = look()
                seen.append((frozenset(found), count))
        except BaseException as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        over.set()
        reader.join()
    assert not failed, failed


@pytest.mark.parametrize("lake", ["postgres", "mongodb"], indirect=True)
def test_readers_see_whole_generations_alone(lake: Lake, to: Any) -> None:
    replace(to, 1, "first", count=2000)
    if isinstance(lake, PostgresLake):
        opened: Any = psycopg.connect(lake.settings["url"], autocommit=True)

        def look() -> tuple[set[str], int]:
            names = [name for (name,) in opened.execute("SELECT name FROM items").fetchall()]
            return set(names), len(names)

    else:
        assert isinstance(lake, MongodbLake)
        opened = pymongo.MongoClient[dict[str, Any]](lake.settings["url"])

        def look() -> tuple[set[str], int]:
            # A query that is at work while its collection is renamed over may break off; it shows nothing then.
            while True:
                try:
                    names = [row["name"] for row in opened[lake.settings["database"]]["items"].find(batch_size=10_000)]
                    return set(names), len(names)
                except OperationFailure as error:
                    assert error.code == QUERY_PLAN_KILLED, error

    with opened, looking(look) as seen:
        replace(to, 2, "second", count=3000)
        for sequence in range(3, 9):
            undo(to, sequence)
    assert {*seen} <= {(frozenset({"first"}), 2000), (frozenset({"second"}), 3000)}
    assert len({*seen}) == 2


# A crash at any step, where a swap is more than one transaction.

STEPS: dict[str, list[tuple[Any, str]]] = {
    "files": [(os, name) for name in ("rename", "link", "fsync", "truncate")],
    "mongodb": [
        *((Collection, name) for name in ("rename", "aggregate", "update_one", "drop")),
        *((Database, name) for name in ("create_collection", "drop_collection")),
    ],
}


class Died(BaseException):
    """Not an Exception: nothing may catch it and tidy up."""


def dying(monkeypatch: pytest.MonkeyPatch, steps: list[tuple[Any, str]], after: int) -> None:
    """Let so many steps happen, then die at every one."""
    left = itertools.count(after, -1)

    def step(call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            if next(left) <= 0:
                raise Died
            return call(*args, **kwargs)

        return stepped

    for owner, name in steps:
        monkeypatch.setattr(owner, name, step(getattr(owner, name)))


@pytest.mark.chaos
@pytest.mark.parametrize("lake", ["files", "mongodb"], indirect=True)
@pytest.mark.parametrize("deed", ["replace", "undo"])
def test_a_crash_at_any_step_loses_no_generation(
    lake: Lake, to: Any, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(to, 1, "first", count=3)
    replace(to, 2, "second", count=3)
    (before,), ended, steps = words(lake), False, 0
    while not ended:
        sequence = 10 * (steps + 1)
        with monkeypatch.context() as patched:
            dying(patched, STEPS[lake.type], steps)
            try:
                replace(to, sequence, f"of {sequence}", count=3) if deed == "replace" else undo(to, sequence)
                ended = True
            except Died:
                pass
        (between,) = words(lake)
        after = f"of {sequence}" if deed == "replace" else {"first": "second", "second": "first"}[before]
        assert between in (before, after), f"died after {steps} steps"
        if not ended:
            work_on(to, deed, sequence)
        assert words(lake) == {after}, f"died after {steps} steps"
        undo(to, sequence + 1)
        assert words(lake) == {before}, f"died after {steps} steps"
        if deed == "replace":
            replace(to, sequence + 2, before, count=3)
        steps += 1
    assert steps > 5


def work_on(to: Any, deed: str, sequence: int) -> None:
    """The next attempt of the run: an undo goes on to where the first one was going."""
    if deed == "replace":
        replace(to, sequence, f"of {sequence}", token=2, count=3)
        return
    generations = to.generations(target(sequence, 2))
    kept = generations.kept()
    generations.swap(next((one for one in kept if one != sequence), sequence), None)
    generations.close()


@pytest.mark.parametrize("lake", ["files"], indirect=True)
def test_rows_that_wait_for_their_file_are_not_undone(lake: Lake, to: Any) -> None:
    replace(to, 1, "first")
    replace(to, 2, "second")
    rows = [{"id": 51, "name": "more"}]
    writer = to.open(dataclasses.replace(target(3), write=Write.APPEND, columns=columns_of(rows, ())))
    writer.write(Batch(stream="items", rows=rows, bytes=1, checkpoint=51), columns_of(rows, ()))
    generations = to.generations(target(4))
    with pytest.raises(Permanent, match="rows that have not reached it; run the job first"):
        generations.swap(2, None)
    assert words(lake) == {"second"}
