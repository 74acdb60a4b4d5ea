"""What a run would do to one stream's target, found by reading both sides as the run would: how many rows it would
insert, change and delete, which columns it would add, and whether a guard would hold it. Nothing is written.

What a destination alone knows (constraints, room, whether a value fits a type) is not tried. The source is read once,
with the stream's own mode and from its checkpoint; the comparison is that of `worker.sync.verify`, out of core.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker import clock
from worker.batch import Row
from worker.connectors.protocol import Picking
from worker.errors import SyncworkerError
from worker.job import Mode, StreamSpec, Write
from worker.sync.drift import Record
from worker.sync.move import Ends, StreamRun, overstepped, prepare
from worker.sync.sides import Sides, There, drained
from worker.sync.spool import Entry, Mark, Spool, original
from worker.sync.types import Column, columns_of
from worker.sync.verify import side_by_side

SAMPLE = 10
_PAGE = 1_000
# Of the time that a stream has, so much is for reading its source; the rest to look what lies there.
_READING = 0.6
# Where the target is so much larger than what comes, its rows are asked for by key.
_FAR_LARGER = 10


class OutOfTime(SyncworkerError):
    """A dry run used up the time that it was given."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How far to look: at most `rows` of the source, and `seconds` in all. `check` raises where it must end at once."""

    rows: int | None = None
    seconds: float | None = None
    check: Callable[[], None] = lambda: None

    def until(self, part: float = 1.0) -> Callable[[], None]:
        """A check that also raises OutOfTime when `part` of the seconds, counted from now, have passed."""
        if self.seconds is None:
            return self.check
        end = clock.monotonic() + part * self.seconds

        def check() -> None:
            self.check()
            if clock.monotonic() > end:
                raise OutOfTime(f"not done within {self.seconds:g} s")

        return check


@dataclass(kw_only=True)
class Outlook:
    """What was found. A count is None where it could not be found in the time given, or because of `error`.

    `partial`: not all that the run would read was read; what is counted concerns the rows that were.
    """

    spec: StreamSpec
    read: int = 0
    would_insert: int | None = None
    would_update: int | None = None
    would_delete: int | None = None
    would_create: bool = False
    would_add_columns: tuple[Column, ...] = ()
    would_hold: str | None = None
    from_checkpoint: bool = False
    partial: bool = False
    notes: list[str] = field(default_factory=list)
    sample: list[Row] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Before:
    """Where the stream stands: what it delivered so far, and the checkpoint from which it goes on, opened."""

    record: Record | None = None
    checkpoint: Any = None


def look(outlook: Outlook, part: StreamRun, ends: Ends, there: There, before: Before, bounds: Bounds) -> None:
    """Fill in `outlook`. Raises what `move` raises before it writes: a stream that cannot run says so here too."""
    _Look(outlook, part, ends, there, before, bounds).execute()


class _Look:
    def __init__(
        self, outlook: Outlook, part: StreamRun, ends: Ends, there: There, before: Before, bounds: Bounds
    ) -> None:
        self._outlook = outlook
        self._part = part
        self._ends = ends
        self._bounds = bounds
        self._check = bounds.until()
        self._reading = bounds.until(_READING)
        self._checkpoint = before.checkpoint
        self._moving, record = prepare(part, ends, before.record, self._check)
        self._sides = Sides(self._moving, record, ends, there, self._check)
        self._columns = self._moving.target.columns
        spec = part.spec
        self._appends = spec.write is Write.APPEND
        keyed = bool(self._sides.key) and not self._appends
        self._picks = keyed and isinstance(there.source, Picking)

    def execute(self) -> None:
        outlook, lies = self._outlook, self._sides.lies
        outlook.would_create = lies is None
        outlook.from_checkpoint = self._checkpoint is not None
        with Spool() as source:
            outlook.partial = not self._read(source)
            outlook.would_add_columns = self._added()
            for end in (self._ends.source, self._moving.drifting):
                told = getattr(end, "told", None)
                outlook.notes += told() if told else ()
            if self._appends:
                outlook.would_insert, outlook.would_update, outlook.would_delete = source.rows, 0, 0
                return
            try:
                self._compare(source)
            except OutOfTime:
                outlook.partial = True

    # The source.

    def _read(self, spool: Spool) -> bool:
        """Read what the run would read; False where it was not all."""
        spec = self._part.spec
        left = self._bounds.rows
        batches = drained(self._ends.source.read(spec, self._checkpoint), spec.name, self._reading)
        try:
            for batch in batches:
                rows = batch.rows if left is None else batch.rows[:left]
                self._take(spool, rows)
                if left is not None:
                    left -= len(rows)
                    if left <= 0 and (len(rows) < batch.count or next(batches, None) is not None):
                        return False
        except OutOfTime:
            return False
        finally:
            close: Any = getattr(batches, "close", None)
            if close:
                close()
        return True

    def _take(self, spool: Spool, rows: Sequence[Row]) -> None:
        outlook, sides = self._outlook, self._sides
        outlook.read += len(rows)
        raw = list(rows)
        gone = self._moving.selection.removes(raw)
        entries = []
        for row, is_gone in zip(sides.mapped(raw), gone, strict=True):
            if row is None:
                continue
            if len(outlook.sample) < SAMPLE and not is_gone:
                outlook.sample.append(row)
            mark = Mark.GONE if is_gone else Mark.PLAIN
            if self._appends:
                entries.append(Entry(b"", b"", mark))
            else:
                entries.append(sides.entry(row, mark, sides.key_there(row) if self._picks else None))
            if not self._moving.stream.columns:
                self._columns = self._moving.selection.stamped(columns_of([row], self._columns))
        spool.add(entries)

    def _added(self) -> tuple[Column, ...]:
        """The columns that the target would have and does not; none in documents, which have no columns."""
        lies, destination = self._sides.lies, self._ends.destination
        if lies is None:
            return self._columns
        if not (lies.columns or destination.capabilities.typed):
            return ()
        have = {column.name for column in lies.columns}
        return tuple(column for column in self._columns if column.name not in have)

    # The comparison.

    def _compare(self, source: Spool) -> None:
        outlook, sides, spec = self._outlook, self._sides, self._part.spec
        with Spool() as lying, Spool() as noted:
            if self._by_key(source):
                for page in _pages(source):
                    self._check()
                    lying.add(sides.pick_there(page))
            else:
                sides.read_there(lying)
            if spec.write is Write.MIRROR and not outlook.partial:
                sides.read_keys(noted)
            found = _Count(spec, keyed=bool(sides.key))
            for groups in side_by_side([spool.groups() for spool in (source, lying, noted)]):
                self._check()
                found.add(*groups)
        outlook.would_insert, outlook.would_update = found.inserts, found.updates
        whole = not outlook.partial
        outlook.would_delete = found.gone + (found.deletes if whole else 0)
        if outlook.partial and spec.write in (Write.REPLACE, Write.MIRROR):
            outlook.would_delete = None  # whoever is not among the rows that were read may come yet
        elif whole and spec.write in (Write.REPLACE, Write.MIRROR):
            outlook.would_hold = overstepped(self._part, found.now, found.then)

    def _by_key(self, source: Spool) -> bool:
        """Whether the rows that lie there are asked for by key, in place of reading all of them."""
        if not self._picks or self._sides.lies is None:
            return False
        spec, rows = self._part.spec, self._sides.lies.rows
        if self._outlook.partial or spec.mode is Mode.INCREMENTAL:
            return True
        return spec.write is Write.UPSERT and rows is not None and rows > _FAR_LARGER * source.rows


def _pages(source: Spool) -> Iterator[list[Row]]:
    keys = (original(entries[-1]) for _, entries in source.groups())
    while page := list(itertools.islice(keys, _PAGE)):
        yield page


class _Count:
    """What becomes of the rows, key after key. `now` and `then` are what the guards look at."""

    def __init__(self, spec: StreamSpec, *, keyed: bool) -> None:
        self._replaces = spec.write is Write.REPLACE
        self._mirrors = spec.write is Write.MIRROR
        self._keyed = keyed
        self.inserts = self.updates = self.deletes = self.gone = self.now = self.then = 0

    def add(self, source: list[Entry], there: list[Entry], noted: list[Entry]) -> None:
        (self._of_key if self._keyed else self._of_row)(source, there, bool(noted))

    def _of_key(self, source: list[Entry], there: list[Entry], noted: bool) -> None:
        last = source[-1] if source else None  # the last word on a key counts
        comes = last is not None and last.mark is not Mark.GONE
        if last is not None and comes:
            self.inserts += not there
            self.updates += bool(there) and there[-1].digest != last.digest
            self.deletes += max(0, len(there) - 1) if self._replaces else 0
        elif last is not None:
            self.gone += len(there)
        elif self._replaces or (self._mirrors and noted):
            self.deletes += len(there)
        # A mirror's guard looks at the rows that it wrote, those that it is about to write among them.
        self.now += len(there) if self._replaces else bool(comes or (noted and there))
        self.then += comes

    def _of_row(self, source: list[Entry], there: list[Entry], noted: bool) -> None:
        """Without a key: how often a row is on each side."""
        comes = sum(entry.mark is not Mark.GONE for entry in source)
        self.inserts += max(0, comes - len(there))
        self.deletes += max(0, len(there) - comes) if self._replaces else 0
        self.now += len(there)
        self.then += comes
