"""A connector for the tests of the API: two small streams in memory, settings with secrets, and ways to fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import Field

from worker.batch import Batch
from worker.connectors.protocol import Capabilities, ConnectorSettings, Stream
from worker.errors import SourceUnavailable, StreamNotFound, Unsupported
from worker.job import StreamSpec
from worker.sync.types import Column, Kind, Type

BOOKS = Stream(
    name="main/books",
    columns=(
        Column(name="id", type=Type(kind=Kind.INTEGER), nullable=False),
        Column(name="title", type=Type(kind=Kind.TEXT)),
    ),
    key=("id",),
    cursor="id",
    rows=3,
)
AUTHORS = Stream(name="authors", columns=(), rows=None)


class ShelfSettings(ConnectorSettings):
    url: str = Field(json_schema_extra={"secret": True})
    password: str | None = Field(default=None, json_schema_extra={"secret": True})
    room: str = "attic"
    trouble: str | None = None


class ShelfSource:
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: ShelfSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def check(self) -> None:
        if self._settings.trouble:
            raise SourceUnavailable(f"{self._settings.trouble} ({self._settings.url})")

    def streams(self) -> list[Stream]:
        return [BOOKS, AUTHORS]

    def describe(self, spec: StreamSpec) -> Stream:
        found = next((one for one in self.streams() if one.name == spec.name), None)
        if found is None:
            raise StreamNotFound(f"there is no stream {spec.name!r}")
        return found

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        self.describe(spec)
        for first in (1, 1001):
            rows: list[dict[str, Any]] = [
                {"id": number, "title": f"Book {number}", "size": 2**60, "cover": b"\xff\x00"}
                for number in range(first, first + 1000)
            ]
            yield Batch(stream=spec.name, rows=rows, bytes=1, checkpoint=None, first_row=first)

    def told(self) -> list[str]:
        return []


class Shelf:
    settings: ClassVar[type[ConnectorSettings]] = ShelfSettings
    stream_options: ClassVar[frozenset[str]] = frozenset({"glob"})
    source_options: ClassVar[dict[str, type]] = {}

    @staticmethod
    def source(settings: ShelfSettings) -> ShelfSource:
        return ShelfSource(settings)

    @staticmethod
    def destination(settings: ShelfSettings) -> Any:
        raise Unsupported("a shelf is not written to")
