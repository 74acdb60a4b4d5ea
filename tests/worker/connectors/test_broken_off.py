"""Runs that break off after any batch and go on, between real databases: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.contracts.source import stored
from worker.batch import Batch
from worker.connectors import open_end, row_batches
from worker.connectors.protocol import Destination, Fence, Source
from worker.errors import SourceUnavailable
from worker.job import Guards, Mode, StreamSpec, Write
from worker.sync.drift import Record
from worker.sync.move import Ends, Reporter, StreamRun, move
from worker.sync.progress import StreamProgress

ROWS = 35


class Keeper:
    """The job's own checkpoint; `dies`: the process died between the destination's commit and ours."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] | None = None
        self.fence = (0, 0)
        self.dies = False

    def load(self) -> Mapping[str, Any] | None:
        return self.kept

    def save(self, value: Any) -> None:
        if self.dies:
            raise SourceUnavailable("died before the checkpoint was saved")
        self.kept = {"value": stored(value), "sequence": self.fence[0], "token": self.fence[1]}

    def forget(self) -> None:
        self.kept = None

    def delivered(self) -> Record | None:
        return None

    def note(self, record: Record) -> None: ...


class Breaking:
    """A source that breaks off after so many batches."""

    def __init__(self, source: Source, batches: int) -> None:
        self._source = source
        self._left = batches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        for batch in self._source.read(spec, checkpoint):
            if self._left == 0:
                raise SourceUnavailable("broke off")
            self._left -= 1
            yield batch


@pytest.fixture
def shop(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(row_batches, "TARGET_ROWS", 10)
    with psycopg.connect(postgres_database) as connection:
        for name, key in (("keyed", "PRIMARY KEY"), ("plain", "")):
            connection.execute(f"CREATE TABLE {name} (id int {key}, at timestamptz)")
            made = f"INSERT INTO {name} SELECT n, timestamptz '2024-01-01' + n / 4 * interval '1 s'"
            connection.execute(f"{made} FROM generate_series(1, {ROWS}) n")
    return postgres_database


@pytest.fixture
def places(tmp_path: Path, postgres_database: str, mongo_url: str, mongo_database: str) -> dict[str, dict[str, str]]:
    return {
        "files": {"path": str(tmp_path / "files")},
        "mongodb": {"url": mongo_url, "database": mongo_database},
        "postgres": {"url": postgres_database},
        "sqlite": {"path": str(tmp_path / "there.db")},
    }


def ends_at(kind: str, settings: dict[str, str]) -> tuple[Destination, Source]:
    destination, source = open_end(kind, settings, "destination"), open_end(kind, settings, "source")
    return destination, source  # type: ignore[return-value]


READS = [(Mode.FULL, write) for write in Write] + [(Mode.INCREMENTAL, Write.APPEND), (Mode.INCREMENTAL, Write.UPSERT)]


@pytest.mark.parametrize("kind", ["files", "mongodb", "postgres", "sqlite"])
@pytest.mark.parametrize("stream", ["keyed", "plain"])
@pytest.mark.parametrize("read", READS, ids="-".join)
@pytest.mark.parametrize("saved", [True, False])
def test_a_run_that_breaks_off_after_every_batch_ends_with_every_row_once(
    shop: str, places: dict[str, dict[str, str]], kind: str, stream: str, read: tuple[Mode, Write], saved: bool
) -> None:
    mode, write = read
    spec = StreamSpec(name=stream, mode=mode, write=write, cursor="at", key=("id",), target="there")
    destination, there = ends_at(kind, places[kind])
    if write not in destination.capabilities.writes:
        pytest.skip(f"{kind} offers no {write}")
    keeper, token = Keeper(), 0

    def attempt(batches: int) -> None:
        nonlocal token
        token += 1
        keeper.fence = (1, token)
        source: Any = Breaking(open_end("postgres", {"url": shop}, "source"), batches)  # type: ignore[arg-type]
        fence = Fence(job="job", stream=stream, sequence=1, token=token)
        part = StreamRun(spec=spec, fence=fence, generations=frozenset({1}), guards=Guards())
        reporter = Reporter(check=lambda: None, tell=lambda level, message: None)
        move(part, Ends(source=source, destination=destination), keeper, StreamProgress(), reporter)

    for batches in (0, 1, 1, 1):
        keeper.dies = not saved and batches > 0
        with pytest.raises(SourceUnavailable):
            attempt(batches)
    keeper.dies = False
    attempt(-1)
    found = [row["id"] for batch in there.read(StreamSpec(name="there"), None) for row in batch.rows]
    assert sorted(found) == list(range(1, ROWS + 1))
