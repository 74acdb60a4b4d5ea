"""Sources that give nothing, half of their rows or all of them twice: no destination is emptied, none is doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worker.connectors.moving import Mover, Twist
from tests.worker.connectors.test_sqlite_edges import execute
from worker.batch import Batch
from worker.connectors import open_end, row_batches
from worker.errors import BadValue, Held, SourceUnavailable
from worker.job import StreamSpec, Write

ROWS = 40
WRITES = [Write.REPLACE, Write.MIRROR, Write.APPEND]


def nothing(batches: Iterator[Batch]) -> Iterator[Batch]:
    return iter(())


def half(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Breaks off without a word."""
    yield next(batches)


def broken(batches: Iterator[Batch]) -> Iterator[Batch]:
    yield next(batches)
    raise SourceUnavailable("the connection broke in the middle")


def twice(batches: Iterator[Batch]) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        yield batch


def twice_in_one(batches: Iterator[Batch]) -> Iterator[Batch]:
    for batch in batches:
        yield Batch(
            stream=batch.stream, rows=[*batch.rows, *batch.rows], bytes=2 * batch.bytes, checkpoint=batch.checkpoint
        )


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of forty rows, read in two batches."""
    monkeypatch.setattr(row_batches, "TARGET_ROWS", ROWS // 2)
    path = tmp_path / "shop.db"
    execute(path, "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    for number in range(1, ROWS + 1):
        execute(path, "INSERT INTO items VALUES (?, ?)", number, f"item {number}")
    return path


class Lake:
    """A destination of one kind that has the shop's rows already."""

    def __init__(self, shop: Path, kind: str, settings: dict[str, str], write: Write) -> None:
        self._end = kind, settings
        spec = StreamSpec(name="items", write=write, key=("id",))
        self.mover = Mover(("sqlite", {"path": str(shop)}), self._end, spec)
        self.mover.go()

    def ids(self) -> Counter[int]:
        source: Any = open_end(*self._end, "source")
        with source:
            return Counter(row["id"] for batch in source.read(StreamSpec(name="items"), None) for row in batch.rows)


ONCE = Counter(range(1, ROWS + 1))


@pytest.fixture(params=["sqlite", "postgres", "mongodb", "files"])
def lake(request: pytest.FixtureRequest, shop: Path, tmp_path: Path, write: Write) -> Lake:
    kind: str = request.param
    if kind == "files" and write is Write.MIRROR:
        pytest.skip("files are not mirrored")
    if kind == "mongodb":
        url, database = request.getfixturevalue("mongo_url"), request.getfixturevalue("mongo_database")
        return Lake(shop, kind, {"url": url, "database": database}, write)
    if kind == "postgres":
        return Lake(shop, kind, {"url": request.getfixturevalue("postgres_database")}, write)
    return Lake(shop, kind, {"path": str(tmp_path / ("lake.db" if kind == "sqlite" else "lake"))}, write)


@pytest.mark.parametrize("write", WRITES)
def test_a_source_that_gives_nothing_takes_nothing_away(lake: Lake, write: Write) -> None:
    if write is Write.APPEND:
        lake.mover.go(nothing)
    else:
        with pytest.raises(Held):
            lake.mover.go(nothing)
    assert lake.ids() == ONCE


@pytest.mark.parametrize("write", [Write.REPLACE, Write.MIRROR])
def test_a_source_that_gives_half_takes_no_half_away(lake: Lake, write: Write) -> None:
    with pytest.raises(Held):
        lake.mover.go(half)
    assert lake.ids() == ONCE


@pytest.mark.parametrize("write", WRITES)
def test_a_source_that_breaks_in_the_middle_loses_and_repeats_nothing(lake: Lake, write: Write) -> None:
    with pytest.raises(SourceUnavailable):
        lake.mover.go(broken)
    seen = lake.ids()
    assert seen.keys() == ONCE.keys()
    assert write is Write.APPEND or seen == ONCE
    lake.mover.go(again=True)
    assert lake.ids() == (Counter(dict.fromkeys(ONCE, 2)) if write is Write.APPEND else ONCE)


@pytest.mark.parametrize("write", [Write.REPLACE, Write.MIRROR])
@pytest.mark.parametrize("twist", [twice, twice_in_one])
def test_a_source_that_gives_all_twice_doubles_nothing(lake: Lake, write: Write, twist: Twist) -> None:
    """A mirror takes a row for itself again; where the key is there twice, a replace is refused."""
    if write is Write.REPLACE:
        with pytest.raises(BadValue, match="id"):
            lake.mover.go(twist)
    else:
        lake.mover.go(twist)
    assert lake.ids() == ONCE
