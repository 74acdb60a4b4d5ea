"""Move one stream from a source to a destination: batches, each durably written before its checkpoint is saved.

Reading and writing overlap through a pipe bounded in bytes. The destination's own checkpoint, stored in one
transaction with the rows, outranks ours where it is newer: that gives exactly once, append included.
It does not decide on retries, and it writes nothing more once `check` raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from worker import clock
from worker.batch import Batch, Row
from worker.connectors.protocol import Destination, Fence, Position, Source, Stream, Target, Writer
from worker.errors import BadInput, Cancelled, Fault, Held, Permanent
from worker.job import DELETED_AT, STAMPS, SYNCED_AT, Delete, Drift, Guards, Mode, StreamSpec, Write
from worker.log_fields import carried
from worker.run import StreamState
from worker.sync.basis import Basis, Fate, changed, fate, kept_with, parted
from worker.sync.columns import Marks, Selection
from worker.sync.drift import Drifting, Record
from worker.sync.pipe import Pipe, patiently
from worker.sync.progress import StreamProgress
from worker.sync.types import Column, columns_of
from worker.sync.values import text

# A guard leaves small changes alone: fewer rows than this are never held, save when they are all there is.
GUARD_FLOOR = 10
READER_GOODBYE = 0.5


class Keeper(Protocol):
    """Keeps one stream's checkpoint for the job. Raises LostClaim where a newer run or claim has written."""

    def load(self) -> Mapping[str, Any] | None:
        """{value, of, sequence, token} as saved last; `of` is the basis of `value`."""

    def save(self, value: Any) -> None: ...

    def forget(self) -> None: ...

    def delivered(self) -> Record | None:
        """What the stream delivered in its runs before."""

    def note(self, record: Record) -> None: ...


class Cover(Protocol):
    """Hides what a checkpoint holds of columns that are only sent as hashes, and reads it again."""

    def seal(self, checkpoint: Any) -> Any: ...

    def open(self, sealed: Any) -> Any: ...


class Keep(Protocol):
    """Notes what a `replace` takes away, for an undo; where `wanted`, the writer keeps it."""

    @property
    def wanted(self) -> bool: ...

    def begin(self, writer: Writer) -> None: ...

    def date(self) -> None: ...

    def close(self, writer: Writer) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StreamRun:
    """One stream of one run. `generations` are the sequences of this run and of the one that it retries.

    `approved` is the number of rows that a person let this run remove, or None. `cover` hides checkpoints where the
    stream hashes columns, and reads those that it hid; `keep` is there where something is kept of it or is to be.
    `basis` is what its checkpoints are of; None: of anything.
    """

    spec: StreamSpec
    fence: Fence
    generations: frozenset[int]
    guards: Guards
    approved: int | None = None
    marks: Marks = field(default_factory=Marks)
    cover: Cover | None = None
    keep: Keep | None = None
    basis: Basis | None = None


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
    moving, record = prepare(part, ends, keeper.delivered(), reporter.check)
    stream, target = moving.stream, moving.target
    progress.state = StreamState.RUNNING
    progress.total = stream.rows if spec.mode is Mode.FULL else None
    writer = ends.destination.open(target)
    try:
        if part.keep:
            part.keep.begin(writer)
        start, anew = starting_point(part, keeper.load(), writer.position())
        if anew:
            reporter.tell("warning", f"{anew}: it begins anew, not from its checkpoint")
        if anew and spec.write in (Write.REPLACE, Write.MIRROR):  # whose beginning lies there, staged or noted
            writer.abort()
            writer.close()
            writer = ends.destination.open(target)
        if start is None:
            progress.read = progress.written = progress.bytes = 0
        else:
            reporter.tell("info", "goes on from its checkpoint" if spec.hash else f"goes on from checkpoint {start}")
        moving = replace(moving, start=start)
        last, columns = _pump(ends, writer, moving, keeper, progress, reporter)
        reporter.check()
        _guard(part, writer)
        progress.spent.begin()
        progress.deleted += _finished(part, writer)
        progress.spent.lap("destination")
    except (Permanent, Cancelled, Held):
        writer.abort()
        raise
    finally:
        _told(reporter, ends.source, moving.drifting, writer)
        writer.close()
    _note(keeper, record, Record(target=target.name, key=target.key), columns)
    if spec.mode is Mode.FULL:
        keeper.forget()
    elif last is not None:
        keeper.save(last)
    progress.state = StreamState.SUCCEEDED


def _finished(part: StreamRun, writer: Writer) -> int:
    if part.keep:
        part.keep.date()
    deleted = writer.finish()
    if part.keep:
        part.keep.close(writer)
    return deleted


def starting_point(
    part: StreamRun, stored: Mapping[str, Any] | None, position: Position | None
) -> tuple[Any, str | None]:
    """The checkpoint to read from (None: the beginning), and in words why it is not the one that is there.

    That is the newest of ours and the destination's, by fence. Raises BadInput where it is of other data and rows
    would be appended twice.
    """
    spec = part.spec
    known: list[tuple[int, int, int, Any, Basis | None]] = []
    if stored and spec.write not in (Write.REPLACE, Write.MIRROR):  # what those saw is with the destination
        known.append((stored["sequence"], stored["token"], 0, stored["value"], stored.get("of")))
    if position:
        known.append((position.sequence, position.token, 1, *parted(position.checkpoint)))
    if spec.mode is Mode.FULL:
        known = [entry for entry in known if entry[0] in part.generations]
    checkpoint, of = max(known, key=lambda entry: entry[:3])[3:] if known else (None, None)
    if checkpoint is None or fate(of, part.basis, spec.write) is Fate.KEPT:
        return checkpoint, None
    why = "; ".join(changed(of, part.basis))
    if fate(of, part.basis, spec.write) is Fate.REFUSED:
        message = f"cannot go on from its checkpoint: {why}. Reset the stream, and it is appended from its beginning"
        raise BadInput([Fault(field=spec.name, message=message)])
    return None, why


@dataclass(frozen=True)
class Moving:
    """What the rows of one stream go through on their way, and from where they are read."""

    part: StreamRun
    stream: Stream
    selection: Selection
    drifting: Drifting
    target: Target
    start: Any = None


def prepare(
    part: StreamRun, ends: Ends, record: Record | None, check: Callable[[], None]
) -> tuple[Moving, Record | None]:
    """How the stream's rows are to be written, and its record where what comes is compared with it. Writes nothing."""
    spec = part.spec
    stream = patiently(lambda: ends.source.describe(spec), check)
    selection = Selection(spec, part.marks)
    key = _key(part, ends.destination, stream, selection)
    record = _comparable(record, part, ends, stream, key)
    drifting = Drifting(spec.name, spec.schema, record)
    columns = _planned(drifting, record, stream, selection, key)
    if drifting.found and not ends.destination.holds(spec.destination_name):  # made anew by hand: nothing to keep
        record, drifting, columns = None, Drifting(spec.name, spec.schema, None), selection.columns(stream.columns)
    return Moving(part, stream, selection, drifting, _target(part, columns, key)), record


def _key(part: StreamRun, destination: Destination, stream: Stream, selection: Selection) -> tuple[str, ...]:
    """The key in the destination's names; raises BadInput for what this stream cannot do there."""
    spec = part.spec
    # A key that nobody asked for, and whose columns are left out, is no key of the target.
    key = spec.key or (stream.key if selection.keeps_all(stream.key) else ())
    if (spec.write.keyed or spec.deleted) and not key:
        message = f"is needed for {spec.write}, and the source names none"
        raise BadInput([Fault(field=f"{spec.name}.key", message=message)])
    if spec.write not in destination.capabilities.writes:
        allowed = ", ".join(sorted(destination.capabilities.writes))
        message = f"{spec.write} is not offered here; allowed: {allowed}"
        raise BadInput([Fault(field=f"{spec.name}.write", message=message)])
    if spec.deleted and spec.delete is Delete.HARD and not destination.capabilities.removes:
        message = "would delete single rows, which is not offered here; allowed: with delete: soft"
        raise BadInput([Fault(field=f"{spec.name}.deleted", message=message)])
    selection.check(stream.columns, key)
    return tuple(selection.name(name) for name in key)


def _comparable(
    record: Record | None, part: StreamRun, ends: Ends, stream: Stream, key: tuple[str, ...]
) -> Record | None:
    """The record, where what comes now is to be compared with it. Raises BadInput where the key changed meanwhile."""
    spec = part.spec
    if record is None or record.target != spec.destination_name:
        return None
    if spec.write.keyed and record.key and record.key != key and ends.destination.holds(record.target):
        message = (
            f"was {', '.join(record.key)} and is {', '.join(key)} now: the rows that are there would stay beside the "
            "new ones. Give the stream another target, or drop the old one"
        )
        raise BadInput([Fault(field=f"{spec.name}.key", message=message)])
    mixed = not stream.columns and not ends.destination.capabilities.typed
    return None if mixed and spec.schema is Drift.EVOLVE else record


def _planned(
    drifting: Drifting, record: Record | None, stream: Stream, selection: Selection, key: tuple[str, ...]
) -> tuple[Column, ...]:
    """The columns to write, after the policy of `schema`; none yet where the source has no schema."""
    if not stream.columns or record is None:
        return selection.columns(stream.columns)
    present = {*map(selection.name, (column.name for column in stream.columns)), *STAMPS}
    gone = [name for name in record.columns if name not in present and not record.is_aside(name)]
    columns = drifting.plan(selection.columns(stream.columns), gone)
    if lost := set(key) - {column.name for column in columns}:
        message = f"{', '.join(sorted(lost))} is of another type than before; give the stream another target"
        raise BadInput([Fault(field=f"{drifting.stream}.key", message=message)])
    return columns


def _note(keeper: Keeper, before: Record | None, empty: Record, columns: tuple[Column, ...]) -> None:
    """Keep what was delivered, where it is more than was known."""
    if columns and (after := (before or empty).with_columns(empty.key, columns)) != before:
        keeper.note(after)


def _target(part: StreamRun, columns: tuple[Column, ...], key: tuple[str, ...]) -> Target:
    spec = part.spec
    return Target(
        name=spec.destination_name,
        write=spec.write,
        columns=columns,
        key=key,
        fence=part.fence,
        options=spec.options,
        deleted_at=part.marks.values.get(SYNCED_AT) if spec.delete is Delete.SOFT else None,
        keeps=part.keep is not None and part.keep.wanted,
    )


def _pump(
    ends: Ends, writer: Writer, moving: Moving, keeper: Keeper, progress: StreamProgress, reporter: Reporter
) -> tuple[Any, tuple[Column, ...]]:
    """Read and write until the source ends; the last checkpoint and all columns seen."""
    pipe = Pipe()
    batches = ends.source.read(moving.part.spec, _opened(moving))
    name = f"read {moving.stream.name}"
    reader = threading.Thread(target=carried(pipe.fill), args=(batches,), name=name, daemon=True)
    columns, last = moving.target.columns, None
    resumes = ends.destination.capabilities.resumes
    reader.start()
    try:
        progress.spent.begin()
        for read in pipe.drain(reporter.check):
            progress.spent.lap("source")
            batch, columns = mapped(read, moving, columns)
            progress.spent.lap("transform")
            writer.write(replace(batch, checkpoint=kept_with(batch.checkpoint, moving.part.basis)), columns)
            progress.spent.lap("destination")
            progress.last_write_at = clock.wall()
            progress.read += read.count
            progress.written += batch.count
            progress.deleted += len(batch.removed)
            progress.bytes += batch.bytes
            if batch.checkpoint is not None:
                last = progress.checkpoint = batch.checkpoint
                if resumes and not pipe.spent:  # behind the last batch comes the end, which settles the checkpoint
                    keeper.save(last)
                    progress.spent.lap("checkpoint")
        progress.spent.lap("source")
    finally:
        pipe.close()
        reader.join(READER_GOODBYE)  # a source that hangs keeps its thread, which only reads; we go on
    return last, columns


def _opened(moving: Moving) -> Any:
    cover = moving.part.cover
    return moving.start if cover is None or moving.start is None else cover.open(moving.start)


def mapped(batch: Batch, moving: Moving, columns: tuple[Column, ...]) -> tuple[Batch, tuple[Column, ...]]:
    """The batch as it is to be written, and the columns seen so far."""
    gone = moving.selection.removes(batch.rows)
    batch = replace(batch, rows=moving.selection.rows(batch.rows))
    if moving.part.cover and moving.part.spec.hash and batch.checkpoint is not None:
        batch = replace(batch, checkpoint=moving.part.cover.seal(batch.checkpoint))
    if any(gone):
        batch = _parted(batch, gone, moving)
    if moving.stream.columns:
        return replace(batch, rows=moving.drifting.take(batch.rows)), columns
    batch = replace(batch, rows=moving.drifting.sort(batch.rows))
    return batch, moving.selection.stamped(columns_of(batch.rows, columns)) if batch.rows else columns


def _parted(batch: Batch, gone: Sequence[bool], moving: Moving) -> Batch:
    """The batch with the rows that the source calls deleted apart, or marked where deletion is soft."""
    if moving.target.deleted_at is not None:
        moment = {DELETED_AT: moving.target.deleted_at}
        marked = [row | moment if is_gone else row for row, is_gone in zip(batch.rows, gone, strict=True)]
        return replace(batch, rows=marked)
    last: dict[tuple[Any, ...], tuple[Row, bool]] = {}
    for row, is_gone in zip(batch.rows, gone, strict=True):  # the last word on a key counts
        last[tuple(text(row.get(name)) for name in moving.target.key)] = row, is_gone
    kept = [row for row, is_gone in last.values() if not is_gone]
    return replace(batch, rows=kept, removed=[row for row, is_gone in last.values() if is_gone])


def _guard(part: StreamRun, writer: Writer) -> None:
    """Raise Held where a `replace` or `mirror` would take away more rows than the guard allows, or all of them."""
    if _limit(part) is None:
        return
    now, then = writer.staged()
    if part.approved is not None and now - then <= part.approved:
        return
    if why := overstepped(part, now, then):
        raise Held(f"{why}. Nothing was removed: approve or discard the run", removes=now - then)


def _limit(part: StreamRun) -> float | None:
    """The part of the rows that one run may take away; None where no guard looks."""
    if part.spec.write is Write.MIRROR:
        return part.guards.max_delete
    return part.guards.max_shrink if part.spec.write is Write.REPLACE else None


def overstepped(part: StreamRun, now: int, then: int) -> str | None:
    """What a guard says to a run that leaves `then` of `now` rows; None where it lets that pass."""
    limit, removes = _limit(part), now - then
    if limit is None or removes <= 0 or not (then == 0 or (removes >= GUARD_FLOOR and removes > limit * now)):
        return None
    mirrors = part.spec.write is Write.MIRROR
    has = f"{now:,} rows that we wrote" if mirrors else f"{now:,} rows"
    rule = f"max_delete ({limit:.0%})" if mirrors else f"max_shrink ({limit:.0%})"
    return (
        f"{part.spec.destination_name} has {has} and would have {then:,}; that removes {removes:,}, "
        f"more than {rule} allows"
    )


def _told(reporter: Reporter, *ends: object) -> None:
    for end in ends:
        told = getattr(end, "told", None)
        for message in told() if told else ():
            reporter.tell("warning", message)
