"""A writer that was frozen wakes up after its successor looked where to go on, and before that wrote: nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.batch import Batch
from worker.connectors import open_end
from worker.connectors.protocol import Fence, Target, Writer
from worker.errors import SyncworkerError
from worker.job import StreamSpec, Write
from worker.sync.types import Column, Kind, Type

COLUMNS = (Column(name="id", type=Type(kind=Kind.INTEGER)),)


@pytest.fixture
def places(tmp_path: Path, postgres_database: str, mongo_url: str, mongo_database: str) -> dict[str, dict[str, str]]:
    return {
        "files": {"path": str(tmp_path / "files")},
        "mongodb": {"url": mongo_url, "database": mongo_database},
        "postgres": {"url": postgres_database},
        "sqlite": {"path": str(tmp_path / "there.db")},
    }


def batch(number: int) -> Batch:
    rows: list[dict[str, Any]] = [{"id": 10 * number + n} for n in range(10)]
    return Batch(stream="items", rows=rows, bytes=100, checkpoint={"after": number}, first_row=10 * number + 1)


def refused(call: Callable[[], None]) -> bool:
    try:
        call()
    except SyncworkerError:
        return True
    return False


@pytest.mark.parametrize("kind", ["files", "mongodb", "postgres", "sqlite"])
@pytest.mark.parametrize("before", [0, 1])
def test_of_two_writers_that_stand_at_one_place_only_one_goes_on(
    places: dict[str, dict[str, str]], kind: str, before: int
) -> None:
    destination, source = open_end(kind, places[kind], "destination"), open_end(kind, places[kind], "source")
    assert hasattr(destination, "open") and hasattr(source, "read")

    def writer(token: int) -> Writer:
        fence = Fence(job="j", stream="items", sequence=1, token=token)
        return destination.open(Target(name="there", write=Write.APPEND, columns=COLUMNS, key=(), fence=fence))

    with destination, source:
        woken = writer(1)
        for number in range(before):
            woken.write(batch(number), COLUMNS)
        heir = writer(2)
        position = heir.position()
        assert (position.checkpoint if position else None) == ({"after": before - 1} if before else None)
        late = refused(lambda: woken.write(batch(before), COLUMNS))
        if refused(lambda: heir.write(batch(before), COLUMNS)):
            assert not late, "one of them must go on"
            heir.close()
            heir = writer(3)
            position = heir.position()
            assert position is not None and position.checkpoint == {"after": before}
        heir.write(batch(before + 1), COLUMNS)
        assert refused(lambda: woken.write(batch(before + 1), COLUMNS)), "the older writer is out"
        heir.finish()
        heir.close()
        found = [
            row["id"] for one in source.read(StreamSpec(name="there", write=Write.APPEND), None) for row in one.rows
        ]
        assert sorted(found) == list(range(10 * (before + 2)))
