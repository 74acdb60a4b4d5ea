"""Mend what a comparison found: read the rows that differ anew, write them, delete what must go, and look again.

It writes through the destination's upsert under the fence of its own run, so it must be a run of the job. Rows that an
upsert or append left at the destination are none of its business, and neither are rows of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from worker.batch import Batch, Row
from worker.connectors.protocol import Destination, Writer
from worker.errors import BadInput, Fault
from worker.job import DELETED_AT, Write
from worker.sync.basis import kept_with
from worker.sync.move import GUARD_FLOOR, Reporter, mapped
from worker.sync.progress import StreamProgress
from worker.sync.sides import Sides
from worker.sync.spool import original
from worker.sync.types import Column, columns_of
from worker.sync.verify import Comparison, Difference, Differing

PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What mending works with. `checkpoint` is the stream's as it is saved: the destination's own stays there too."""

    destination: Destination
    checkpoint: Any
    progress: StreamProgress
    reporter: Reporter


def mend(sides: Sides, comparison: Comparison, bench: Bench) -> None:
    """Mend all that differs; the verdict's `mended` are the rows that were seen to be right afterwards."""
    if not sides.key:
        message = "is needed to repair: without one, rows are counted but not found again. Run the job instead"
        raise BadInput([Fault(field=f"{sides.spec.name}.key", message=message)])
    deletes = _may_delete(sides, comparison, bench)
    target = sides.moving.target
    if target.write is Write.REPLACE:
        target = replace(target, write=Write.UPSERT)
    writer = bench.destination.open(target)
    try:
        pages = _Pages(sides, comparison, bench, writer, deletes=deletes)
        differing = comparison.differing()
        while page := list(islice(differing, PAGE)):
            bench.reporter.check()
            pages.mend(page)
        if target.write is Write.UPSERT:  # a mirror's end would delete all that it was not shown
            writer.finish()
        pages.look_again()
    finally:
        told = getattr(writer, "told", None)
        for message in told() if told else ():
            bench.reporter.tell("warning", message)
        writer.close()


def _may_delete(sides: Sides, comparison: Comparison, bench: Bench) -> bool:
    """Whether the guards let go what is too many; where not, it is told and stays."""
    verdict = comparison.verdict
    if not verdict.extra:
        return True
    if not bench.destination.capabilities.removes:
        bench.reporter.tell("warning", f"{verdict.extra:,} rows too many stay: no single row can be deleted there")
        return False
    guards = sides.moving.part.guards
    mirrors = sides.spec.write is Write.MIRROR
    limit = guards.max_delete if mirrors else guards.max_shrink
    there = verdict.there
    if limit is None or not (
        verdict.extra >= there or (verdict.extra >= GUARD_FLOOR and verdict.extra > limit * there)
    ):
        return True
    rule = f"max_delete ({limit:.0%})" if mirrors else f"max_shrink ({limit:.0%})"
    bench.reporter.tell(
        "warning",
        f"{verdict.extra:,} of {there:,} rows are too many, more than {rule} allows: none of them was deleted. "
        "Run the job, and approve or discard the run",
    )
    return False


class _Pages:
    """Mends a page of differences after the other, and remembers a digest of each row to look for at the end."""

    def __init__(self, sides: Sides, comparison: Comparison, bench: Bench, writer: Writer, *, deletes: bool) -> None:
        self._sides = sides
        self._verdict = comparison.verdict
        self._bench = bench
        self._writer = writer
        self._deletes = deletes
        self._columns: tuple[Column, ...] = sides.moving.target.columns
        self._expected: dict[bytes, tuple[Row, set[bytes]]] = {}

    def mend(self, page: Sequence[Differing]) -> None:
        found = [one for one in page if one.source]
        if found:
            self._send([original(one.source[0]) for one in found])
        extra = [one for one in page if not one.source and one.kind is Difference.EXTRA]
        if extra and self._deletes:
            self._remove([original(one.there[0]) for one in extra])
        if len(self._expected) >= PAGE and not self._at_end:
            self.look_again()

    @property
    def _at_end(self) -> bool:
        """Whether rows are there only once the writer has finished."""
        return not self._bench.destination.capabilities.resumes or not self._bench.destination.capabilities.removes

    def _send(self, keys: list[Row]) -> None:
        sides, progress = self._sides, self._bench.progress
        for read in sides.pick_source(keys):
            self._verdict.reread += read.count
            progress.read += read.count
            gone = sides.moving.selection.removes(read.rows)
            for row, is_gone in zip(sides.mapped(read.rows), gone, strict=True):
                if row is not None:
                    entry = sides.entry(row)
                    _, digests = self._expected.setdefault(entry.key, (sides.key_there(row), set()))
                    digests |= set() if is_gone else {entry.digest}
            batch, self._columns = mapped(replace(read, checkpoint=None), sides.moving, self._columns)
            self._write(batch)

    def _remove(self, keys: list[Row]) -> None:
        rows = [row for row in map(self._sides.removal, keys) if row is not None]
        for entry in self._sides.pick_there(keys):
            self._expected[entry.key] = (entry.raw, set())
        moment = self._sides.moving.target.deleted_at
        if moment is None:
            self._columns = self._columns or columns_of(rows, ())
            self._write(Batch(stream=self._sides.spec.name, rows=[], bytes=0, removed=rows))
            return
        for batch in self._sides.rows_there(keys):
            marked = [row | {DELETED_AT: moment} for row in batch]
            self._columns = self._columns or columns_of(marked, ())
            self._write(Batch(stream=self._sides.spec.name, rows=marked, bytes=0))

    def _write(self, batch: Batch) -> None:
        progress = self._bench.progress
        checkpoint = kept_with(self._bench.checkpoint, self._sides.moving.part.basis)
        self._writer.write(replace(batch, checkpoint=checkpoint), self._columns)
        progress.written += batch.count
        progress.deleted += len(batch.removed)

    def look_again(self) -> None:
        """Count as mended what lies there now as it should."""
        expected, self._expected = self._expected, {}
        if not expected:
            return
        keys = [key for key, _ in expected.values()]
        lies = {entry.key: entry.digest for entry in self._sides.pick_there(keys)}
        self._verdict.mended += sum(
            (lies[key] in digests) if key in lies else not digests for key, (_, digests) in expected.items()
        )
