"""What a connector is: a Source to read from, a Destination to write to, or both. Plain blocking code.

Connectors know nothing of jobs, leases or the store. Closing the iterator that `read` returns is how a source is
told to stop; a `Destination` is told by the engine not calling it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict

from worker.batch import Batch
from worker.errors import DestinationUnavailable
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

    def place(self, target: str) -> str:
        """A short name for what this stream keeps beside `target`, of whatever length and spelling: 16 hex digits."""
        return hashlib.sha256("\0".join((self.job, self.stream, target)).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Position:
    """A checkpoint as the destination committed it in one transaction with the rows before it."""

    sequence: int
    token: int
    checkpoint: Any


def moved_on(fence: Fence) -> DestinationUnavailable:
    """A writer found another position at its first write than when it was opened; the next attempt goes on there."""
    return DestinationUnavailable(
        f"stream {fence.stream} of job {fence.job}: an older writer woke up and wrote once more, before this one did"
    )


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is to be written where. `columns` are the destination's names; those of the first batch or the catalog.

    `key` is in the destination's names. With `replace` nothing of the old data may be touched before `finish`. A
    `mirror` writes as `upsert` does and notes the keys; `deleted_at` is what it writes in place of deleting rows.
    `keeps`: a `replace` keeps the generation that it takes away, where the destination is `Undoing`.
    """

    name: str
    write: Write
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    fence: Fence
    options: dict[str, Any] = field(default_factory=dict)
    deleted_at: datetime | None = None
    keeps: bool = False


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """`modes` a source reads, `writes` a destination does; `resumes`: checkpoints survive in the middle of a write.

    `typed`: the destination's columns have types, so that one that changes at the source needs another column there.
    `removes`: single rows can be deleted by their key. `side_by_side`: several streams may write at the same time.
    """

    modes: frozenset[Mode] = frozenset(Mode)
    writes: frozenset[Write] = frozenset(Write)
    resumes: bool = True
    typed: bool = True
    removes: bool = True
    side_by_side: bool = True


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


@runtime_checkable
class Picking(Protocol):
    """A source that finds single rows by key; of any other the whole stream is read for them."""

    def pick(self, spec: StreamSpec, keys: Sequence[Mapping[str, Any]]) -> Iterator[Batch]:
        """The rows that have one of `keys`, each by the same columns, as `read` would give them; in any order."""


@runtime_checkable
class Founded(Protocol):
    """A source that may be a place which a destination makes at its first write: a file, a folder."""

    def founded(self) -> bool:
        """Whether it is there."""


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
        """Before `finish`: (rows that there are now, rows that would be left); with `mirror` of those that we wrote."""

    def finish(self) -> int:
        """Make all visible at once (`replace`), delete what the source no longer has (`mirror`), or make it durable.

        Answers the number of rows that a mirror deleted.
        """

    def abort(self) -> None:
        """Forget what was staged, where the run ends for good or is held without `finish`: it is read anew."""

    def close(self) -> None:
        """Release resources; staged data stays for the next attempt."""


class Destination(Protocol):
    """Raises DestinationUnavailable (try again), BadInput, Unsupported."""

    capabilities: ClassVar[Capabilities]

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        """Prove that the connection works and may be written to."""

    def holds(self, name: str) -> bool:
        """Whether there is a table, collection or file of that name."""

    def open(self, target: Target) -> Writer:
        """Prepare to write one stream; refuses names that cannot be held before anything is written."""


@runtime_checkable
class KeepingWriter(Protocol):
    """A writer that keeps the generation before its `replace` where the target asks for it."""

    def stood(self) -> Position | None:
        """What was stored for (job, stream) when the writer was opened, of whichever run."""

    def kept(self) -> int | None:
        """After `finish`: the rows of what is kept; None where there was nothing to keep."""


class Generations(Protocol):
    """The generation before a `replace` of one stream, kept beside its target under the sequence of that run."""

    def stood(self) -> Position | None:
        """As of a writer."""

    def kept(self) -> list[int]:
        """The sequences of the runs that took away what is kept, the newest last."""

    def swap(self, sequence: int, checkpoint: Any) -> int:
        """Put back what run `sequence` took away, at once for readers, and keep what was there under our own sequence.

        The stream stands at `checkpoint` there afterwards. Repeated, it changes nothing more. Answers the rows that are
        kept now. Raises LostClaim where the fence is newer than ours, Permanent where there is nothing to swap.
        """

    def close(self) -> None: ...


@runtime_checkable
class Undoing(Protocol):
    """A destination that can keep the generation before a `replace`; its writers are `KeepingWriter`."""

    def generations(self, target: Target) -> Generations:
        """The kept generation of a stream, for the run of `target.fence`."""

    def discard(self, target: Target, sequence: int) -> None:
        """Drop what run `sequence` took away, where it is still there; the fence's numbers do not count."""


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
