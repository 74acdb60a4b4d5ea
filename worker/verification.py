"""Verify one stream of a run, and mend it where the run is to repair: what `syncworker verify` and `verify: true` do.

A run that verifies moves nothing; it is one of the job's runs, so that no other changes the destination meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from worker import connectors
from worker.connection import Connection
from worker.connectors.protocol import Source
from worker.errors import BadInput, Differs, Fault
from worker.job import Job, Mode, StreamSpec
from worker.run import StreamState
from worker.store.client import Document
from worker.sync.basis import changed
from worker.sync.mend import Bench, mend
from worker.sync.move import Ends, Keeper, Reporter, StreamRun, prepare
from worker.sync.progress import StreamProgress
from worker.sync.sides import Sides, There
from worker.sync.verify import Comparison, Verdict

_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is to verify: `repair` what differs, one `stream` alone."""

    repair: bool = False
    stream: str | None = None

    def document(self) -> Document:
        return {"repair": self.repair, "stream": self.stream}


def asked_of(run: Document) -> Asked | None:
    """What the run is to verify; None where it moves rows as every other."""
    stored = run.get("verify")
    return None if stored is None else Asked(repair=stored["repair"], stream=stored["stream"])


def concerned(job: Job, run: Document) -> Job:
    """The job with the streams alone that the run is about. Raises BadInput where it has no such stream."""
    asked = asked_of(run)
    if asked is None or asked.stream is None:
        return job
    streams = tuple(spec for spec in job.streams if spec.name == asked.stream)
    if not streams:
        names = ", ".join(spec.name for spec in job.streams)
        raise BadInput([Fault(field="stream", message=f"is {asked.stream!r}; job {job.id} has {names}")])
    return replace(job, streams=streams)


def there(source: Source, connection: Connection, spec: StreamSpec) -> There:
    """The destination of a stream, opened to be read with what the stream says of how its rows lie there."""
    known = connectors.connector(connection.type).stream_options - {"glob"}  # which says where they come from
    lies = {name: value for name, value in spec.options.items() if name in known}
    exact = lies.get("timestamps", connection.settings.get("timestamps")) == "text"
    return There(source=source, options=lies, exact=exact)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """One stream of one run with all that is needed to look at both sides of it; `now` is the server's clock."""

    part: StreamRun
    ends: Ends
    there: There
    keeper: Keeper
    progress: StreamProgress
    reporter: Reporter
    now: Callable[[], datetime]

    def look(self, *, repair: bool = False) -> Verdict:
        """Compare, mend where asked, and tell; the stream's progress counts what was read anew and written."""
        spec = self.part.spec
        at = self.now()
        kept = (self.keeper.load() or {}) if spec.mode is Mode.INCREMENTAL else {}
        stored = None if changed(kept.get("of"), self.part.basis) else kept.get("value")
        if spec.mode is Mode.INCREMENTAL and stored is None:
            raise BadInput([Fault(field=spec.name, message="has no checkpoint yet: run the job before it is verified")])
        cover = self.part.cover
        checkpoint = stored if cover is None or stored is None else cover.open(stored)
        moving, record = prepare(self.part, self.ends, self.keeper.delivered(), self.reporter.check)
        sides = Sides(moving, record, self.ends, self.there, self.reporter.check)
        with Comparison(sides, at, checkpoint) as comparison:
            verdict = comparison.verdict
            if repair and verdict.differing:
                bench = Bench(
                    destination=self.ends.destination,
                    checkpoint=stored,
                    progress=self.progress,
                    reporter=self.reporter,
                )
                mend(sides, comparison, bench)
        self._tell(verdict)
        return verdict

    def _tell(self, verdict: Verdict) -> None:
        self.reporter.tell("warning" if verdict.differing else "info", verdict.words())
        for example in verdict.examples[:_TOLD]:
            self.reporter.tell("warning", example)

    def demand(self, *, repair: bool, note: Callable[[Verdict], None]) -> None:
        """As `look`, and `note` what it found; raises Differs where rows differ afterwards."""
        self.progress.state = StreamState.RUNNING
        self.progress.read = self.progress.written = self.progress.deleted = self.progress.bytes = 0
        verdict = self.look(repair=repair)
        note(verdict)
        if verdict.differing:
            raise Differs(verdict.words())
        self.progress.state = StreamState.SUCCEEDED
