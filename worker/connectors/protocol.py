"""What a connector is: a Source to read from, a Destination to write to, or both. Plain blocking code.

Connectors know nothing of jobs, leases or the store. Closing the iterator that `read` returns is how a source is
told to stop; a `Destination` is told by the engine not calling it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict

from worker.batch import Batch
from worker.job import Mode, StreamSpec, Write
from worker.sync.types import Column


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A named set of records as a source describes it. `rows` is an estimate or None."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    cursor: str | None = None
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Who writes: stored with the destination's own checkpoint, so that an older writer is refused.

    `sequence` grows with every run of the job, `token` with every claim of a run.
    """

    job: str
    stream: str
    sequence: int
    token: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """A checkpoint as the destination committed it in one transaction with the rows before it."""

    sequence: int
    token: int
    checkpoint: Any


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be written where. `columns` are the destination's names; those of the first batch or the catalog.

    `key` is in the destination's names. With `replace` nothing of the old data may be touched before `finish`.
    """

    name: str
    write: Write
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    fence: Fence
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """`modes` a source reads, `writes` a destination does; `resumes`: checkpoints survive in the middle of a write."""

    modes: frozenset[Mode] = frozenset(Mode)
    writes: frozenset[Write] = frozenset(Write)
    resumes: bool = True


class Source(Protocol):
    """Raises SourceUnavailable (try again), StreamNotFound, BadData, BadInput."""

    capabilities: ClassVar[Capabilities]

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        """Prove that the connection works, or raise with what is wrong and what to do."""

    def streams(self) -> list[Stream]:
        """Every stream that could be read, with columns, key and a suggested cursor."""

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        """Batches from `checkpoint` (None: the beginning), each with the checkpoint that follows it.

        With `incremental` the upper bound is fixed before the first row is read. A stream that ends without an
        exception was read to its verified end.
        """

    def describe(self, spec: StreamSpec) -> Stream:
        """This one stream; StreamNotFound where there is none. Columns may be empty for a source without a schema."""


class Writer(Protocol):
    """Writes one stream once. `write` is durable when it returns where `Capabilities.resumes`, else `finish` is."""

    def position(self) -> Position | None:
        """What this destination stored, with the data, for (job, stream): of whichever run; the engine decides.

        None where nothing is stored or the destination keeps no such row. With `replace`: None unless the staged
        data of this very run (fence.sequence) is still there.
        """

    def write(self, batch: Batch, columns: tuple[Column, ...]) -> None:
        """Write `batch`; `columns` are all seen so far (a superset of the target's), with widened types.

        Raises BadValue naming column, row and value; LostClaim where the fence is newer than ours.
        """

    def staged(self) -> tuple[int, int]:
        """With `replace`, before `finish`: (rows that readers see now, rows that they would see)."""

    def finish(self) -> None:
        """Make all of it visible at once (`replace`), or durable; then forget what was staged."""

    def abort(self) -> None:
        """Forget what was staged, where the run ends for good without `finish`."""

    def close(self) -> None:
        """Release resources; staged data stays for the next attempt."""


class Destination(Protocol):
    """Raises DestinationUnavailable (try again), BadInput, Unsupported."""

    capabilities: ClassVar[Capabilities]

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        """Prove that the connection works and may be written to."""

    def open(self, target: Target) -> Writer:
        """Prepare to write one stream; refuses names that cannot be held before anything is written."""


class ConnectorSettings(BaseModel):
    """Settings of a connection; form, check, JSON schema and docs are made from the subclass's fields.

    A field that holds a secret is declared `Field(json_schema_extra={"secret": True})`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def names(cls) -> list[str]:
        """The settings as a person writes them: `schema` where the field is `schema_`."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        extras = {field.alias or name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return frozenset(n for n, extra in extras.items() if isinstance(extra, dict) and extra.get("secret"))


class Connector(Protocol):
    """One kind of connection; REGISTRY names its class. An end that it does not offer raises Unsupported.

    A stream may have its `stream_options` at either end, its `source_options` (name -> type) where it is the source.
    """

    settings: ClassVar[type[ConnectorSettings]]
    stream_options: ClassVar[frozenset[str]]
    source_options: ClassVar[Mapping[str, type]]

    @staticmethod
    def source(settings: Any) -> Source: ...

    @staticmethod
    def destination(settings: Any) -> Destination: ...
