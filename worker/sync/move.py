"""Move one stream from a source to a destination: batches, each durably written before its checkpoint is saved.

Reading and writing overlap through a pipe bounded in bytes. The destination's own checkpoint, stored in one
transaction with the rows, outranks ours where it is newer: that gives exactly once, append included.
It does not decide on retries, and it writes nothing more once `check` raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from worker.batch import Batch
from worker.connectors.protocol import Destination, Fence, Position, Source, Stream, Target, Writer
from worker.errors import BadInput, Cancelled, Fault, Held, Permanent
from worker.job import Guards, Mode, StreamSpec, Write
from worker.run import StreamState
from worker.sync.columns import Marks, Selection
from worker.sync.pipe import Pipe, patiently
from worker.sync.progress import StreamProgress
from worker.sync.types import Column, columns_of

# A guard leaves small changes alone: fewer rows than this are never held, save when they are all there is.
GUARD_FLOOR = 10
READER_GOODBYE = 0.5


class Keeper(Protocol):
    """Keeps one stream's checkpoint for the job. Raises LostClaim where a newer run or claim has written."""

    def load(self) -> Mapping[str, Any] | None:
        """{value, sequence, token} as saved last."""

    def save(self, value: Any) -> None: ...

    def forget(self) -> None: ...


class Cover(Protocol):
    """Hides what a checkpoint holds of columns that are only sent as hashes, and reads it again."""

    def seal(self, checkpoint: Any) -> Any: ...

    def open(self, sealed: Any) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class StreamRun:
    """One stream of one run. `generations` are the sequences of this run and of the one that it retries.

    `approved` is the number of rows that a person let this run remove, or None. `cover` is there where the stream
    hashes columns.
    """

    spec: StreamSpec
    fence: Fence
    generations: frozenset[int]
    guards: Guards
    approved: int | None = None
    marks: Marks = field(default_factory=Marks)
    cover: Cover | None = None


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The two open connections of a run."""

    source: Source
    destination: Destination


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """What the engine tells while it works: `check` raises when it must end, `tell` adds a line to the run's log."""

    check: Callable[[], None]
    tell: Callable[[str, str], None]


def move(part: StreamRun, ends: Ends, keeper: Keeper, progress: StreamProgress, reporter: Reporter) -> None:
    """Move the stream to its verified end, then make it visible. Raises the families of `worker.errors`."""
    spec = part.spec
    stream = patiently(lambda: ends.source.describe(spec), reporter.check)
    selection = Selection(spec, part.marks)
    target = _target(part, ends.destination, stream, selection)
    progress.state = StreamState.RUNNING
    progress.total = stream.rows if spec.mode is Mode.FULL else None
    writer = ends.destination.open(target)
    try:
        start = starting_point(part, keeper.load(), writer.position())
        if start is None:
            progress.read = progress.written = progress.bytes = 0
        else:
            reporter.tell("info", "goes on from its checkpoint" if part.cover else f"goes on from checkpoint {start}")
        last = _pump(ends, writer, _Moving(part, stream, selection, target, start), keeper, progress, reporter)
        reporter.check()
        _guard(part, writer)
        writer.finish()
    except (Permanent, Cancelled, Held):
        writer.abort()
        raise
    finally:
        _told(reporter, ends.source, writer)
        writer.close()
    if spec.mode is Mode.FULL:
        keeper.forget()
    elif last is not None:
        keeper.save(last)
    progress.state = StreamState.SUCCEEDED


def starting_point(part: StreamRun, stored: Mapping[str, Any] | None, position: Position | None) -> Any:
    """The checkpoint to read from; None: from the beginning. The newest of ours and the destination's, by fence."""
    if part.spec.write is Write.REPLACE:
        return position.checkpoint if position else None
    known = []
    if stored:
        known.append((stored["sequence"], stored["token"], 0, stored["value"]))
    if position:
        known.append((position.sequence, position.token, 1, position.checkpoint))
    if part.spec.mode is Mode.FULL:
        known = [entry for entry in known if entry[0] in part.generations]
    return max(known, key=lambda entry: entry[:3])[3] if known else None


@dataclass(frozen=True)
class _Moving:
    part: StreamRun
    stream: Stream
    selection: Selection
    target: Target
    start: Any


def _target(part: StreamRun, destination: Destination, stream: Stream, selection: Selection) -> Target:
    spec = part.spec
    # A key that nobody asked for, and whose columns are left out, is no key of the target.
    key = spec.key or (stream.key if selection.keeps_all(stream.key) else ())
    if spec.write is Write.UPSERT and not key:
        raise BadInput([Fault(field=f"{spec.name}.key", message="is needed for upsert, and the source names none")])
    if spec.write not in destination.capabilities.writes:
        allowed = ", ".join(sorted(destination.capabilities.writes))
        message = f"{spec.write} is not offered here; allowed: {allowed}"
        raise BadInput([Fault(field=f"{spec.name}.write", message=message)])
    selection.check(stream.columns, key)
    return Target(
        name=spec.destination_name,
        write=spec.write,
        columns=selection.columns(stream.columns),
        key=tuple(selection.name(name) for name in key),
        fence=part.fence,
        options=spec.options,
    )


def _pump(
    ends: Ends, writer: Writer, moving: _Moving, keeper: Keeper, progress: StreamProgress, reporter: Reporter
) -> Any:
    """Read and write until the source ends; the last checkpoint seen."""
    pipe = Pipe()
    batches = ends.source.read(moving.part.spec, _opened(moving))
    reader = threading.Thread(target=pipe.fill, args=(batches,), name=f"read {moving.stream.name}", daemon=True)
    columns, last = moving.target.columns, None
    resumes = ends.destination.capabilities.resumes
    reader.start()
    try:
        for read in pipe.drain(reporter.check):
            batch, columns = _map(read, moving, columns)
            writer.write(batch, columns)
            progress.read += batch.count
            progress.written += batch.count
            progress.bytes += batch.bytes
            if batch.checkpoint is not None:
                last = progress.checkpoint = batch.checkpoint
                if resumes:
                    keeper.save(last)
    finally:
        pipe.close()
        reader.join(READER_GOODBYE)  # a source that hangs keeps its thread, which only reads; we go on
    return last


def _opened(moving: _Moving) -> Any:
    cover = moving.part.cover
    return moving.start if cover is None or moving.start is None else cover.open(moving.start)


def _map(batch: Batch, moving: _Moving, columns: tuple[Column, ...]) -> tuple[Batch, tuple[Column, ...]]:
    if not moving.selection.plain:
        batch = replace(batch, rows=moving.selection.rows(batch.rows))
    if moving.part.cover and batch.checkpoint is not None:
        batch = replace(batch, checkpoint=moving.part.cover.seal(batch.checkpoint))
    if not moving.stream.columns:
        columns = columns_of(batch.rows, columns)
    return batch, columns


def _guard(part: StreamRun, writer: Writer) -> None:
    """Raise Held where a `replace` would take more rows away than the job's guard allows, or all of them."""
    limit = part.guards.max_shrink
    if part.spec.write is not Write.REPLACE or limit is None:
        return
    now, then = writer.staged()
    removes = now - then
    if part.approved is not None and removes <= part.approved:
        return
    if removes > 0 and (then == 0 or (removes >= GUARD_FLOOR and removes > limit * now)):
        raise Held(
            f"{part.spec.destination_name} has {now:,} rows and would have {then:,}; that removes {removes:,}, "
            f"more than max_shrink ({limit:.0%}) allows. Nothing was removed: approve or discard the run",
            removes=removes,
        )


def _told(reporter: Reporter, *ends: object) -> None:
    for end in ends:
        told = getattr(end, "told", None)
        for message in told() if told else ():
            reporter.tell("warning", message)
