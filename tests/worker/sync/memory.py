"""A source and a destination in memory, for the engine's tests: small, and true to the protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

from worker.batch import Batch, Row
from worker.connectors.protocol import Capabilities, ConnectorSettings, Position, Stream, Target
from worker.errors import LostClaim, StreamNotFound
from worker.job import StreamSpec, Write
from worker.sync.types import Column, Kind, Type

ID = Column(name="id", type=Type(kind=Kind.INTEGER), nullable=False)
NAME = Column(name="name", type=Type(kind=Kind.TEXT))


def rows(first: int, last: int) -> list[Row]:
    return [{"id": number, "name": f"n{number}"} for number in range(first, last + 1)]


class MemorySource:
    """Rows in batches of `size`; the checkpoint is the number of rows read. `fails_after` rows it breaks off."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, content: Sequence[Row], *, size: int = 10) -> None:
        self.content = list(content)
        self.columns: tuple[Column, ...] = (ID, NAME)
        self.size = size
        self.error: Exception | None = None
        self.fails_after: int | None = None
        self.asked_from: list[Any] = []
        self.closed = threading.Event()
        self.gate: threading.Event | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None: ...

    def streams(self) -> list[Stream]:
        return [Stream(name="people", columns=self.columns, key=("id",), rows=len(self.content))]

    def describe(self, spec: StreamSpec) -> Stream:
        if spec.name != "people":
            raise StreamNotFound(f"there is no stream {spec.name!r}")
        return self.streams()[0]

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        self.asked_from.append(checkpoint)
        try:
            for start in range(checkpoint or 0, len(self.content), self.size):
                if self.fails_after is not None and start >= self.fails_after:
                    assert self.error is not None
                    raise self.error
                if self.gate is not None and start > 0:
                    self.gate.wait(30)
                part = self.content[start : start + self.size]
                done = start + len(part)
                yield Batch(stream=spec.name, rows=part, bytes=100 * len(part), checkpoint=done, first_row=start + 1)
        finally:
            self.closed.set()


class MemoryDestination:
    """Tables as lists; keeps the position in one step with the rows, and refuses an older fence."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {}
        self.staging: dict[tuple[str, int], list[Row]] = {}
        self.positions: dict[tuple[str, str], Position] = {}
        self.columns: tuple[Column, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None: ...

    def holds(self, name: str) -> bool:
        return name in self.tables

    def open(self, target: Target) -> MemoryWriter:
        return MemoryWriter(self, target)


class MemoryWriter:
    def __init__(self, home: MemoryDestination, target: Target) -> None:
        self._home = home
        self._target = target
        self._place = (target.fence.job, target.fence.stream)
        self.staged_key = (target.name, target.fence.sequence)

    def position(self) -> Position | None:
        position = self._home.positions.get(self._place)
        if self._target.write is Write.REPLACE and self.staged_key not in self._home.staging:
            return None
        return position

    def write(self, batch: Batch, columns: tuple[Column, ...]) -> None:
        fence = self._target.fence
        stored = self._home.positions.get(self._place)
        if stored and (stored.sequence, stored.token) > (fence.sequence, fence.token):
            raise LostClaim("a newer writer was here")
        self._home.columns = columns
        self._rows().extend(batch.rows)
        self._home.positions[self._place] = Position(
            sequence=fence.sequence, token=fence.token, checkpoint=batch.checkpoint
        )

    def _rows(self) -> list[Row]:
        if self._target.write is Write.REPLACE:
            return self._home.staging.setdefault(self.staged_key, [])
        return self._home.tables.setdefault(self._target.name, [])

    def staged(self) -> tuple[int, int]:
        return len(self._home.tables.get(self._target.name, [])), len(self._rows())

    def finish(self) -> int:
        if self._target.write is Write.REPLACE:
            self._home.tables[self._target.name] = self._rows()
            self._home.staging.pop(self.staged_key, None)
        return 0

    def abort(self) -> None:
        self._home.staging.pop(self.staged_key, None)

    def close(self) -> None: ...


class MemorySettings(ConnectorSettings):
    """Which of the `SOURCES` or `DESTINATIONS` to use."""

    name: str


SOURCES: dict[str, MemorySource] = {}
DESTINATIONS: dict[str, MemoryDestination] = {}


class Memory:
    """The connector, for REGISTRY."""

    settings: ClassVar[type[ConnectorSettings]] = MemorySettings
    stream_options: ClassVar[frozenset[str]] = frozenset()
    source_options: ClassVar[dict[str, type]] = {}

    @staticmethod
    def source(settings: Any) -> MemorySource:
        return SOURCES[settings.name]

    @staticmethod
    def destination(settings: Any) -> MemoryDestination:
        return DESTINATIONS[settings.name]
