"""Dry runs over the API: bounded in time and in how many go on at once; what was found, as it is shown.

It looks and writes nothing; `worker.dry_run` does the looking.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from app.api.cells import cell, fitting
from app.api.jobs import parsed
from app.api.operation import Ask
from app.api.problems import Refused
from app.api.questions import DryRunOf
from app.api.wire import DryRun, NewColumn, StreamOutlook
from worker import clock, dry_run
from worker.errors import BadInput, Fault, NotFound
from worker.job import Job
from worker.logs import redact
from worker.sync.outlook import Outlook

# Less than a request may take: what was found by then is told.
SECONDS = 20.0
# Each reads two databases as fast as it can.
MOST_AT_ONCE = 2

_slots = threading.BoundedSemaphore(MOST_AT_ONCE)


def look(ask: Ask[Any, DryRunOf]) -> DryRun:
    """What the next run would do to each stream, found by reading both sides; nothing is written."""
    context, said = ask.context, ask.body
    saved = context.store.jobs.find(ask.path["id"])
    job = saved if said.draft is None else _drafted(ask, said.draft)
    if job is None:
        raise NotFound(f"there is no job {ask.path['id']!r}")
    asked = dry_run.Asked(stream=said.stream, rows=said.limit, seconds=SECONDS)
    if not _slots.acquire(blocking=False):
        message = f"{MOST_AT_ONCE} dry runs are under way in this process; try again when one has ended"
        raise Refused(503, message, headers={"Retry-After": "5"})
    try:
        begun = clock.monotonic()
        found = dry_run.DryRun(job, saved, context.store, context.vault).look(asked)
        return shape(found, clock.monotonic() - begun)
    finally:
        _slots.release()


def _drafted(ask: Ask[Any, DryRunOf], draft: dict[str, Any]) -> Job:
    """The job as the draft says it; its faults are named behind `draft.`."""
    try:
        return parsed(ask.context, ask.path["id"], draft)
    except BadInput as error:
        faults = [
            Fault(field=f"draft.{one.field}" if one.field else "draft", message=one.message) for one in error.faults
        ]
        raise BadInput(faults) from None


def shape(found: Mapping[str, Outlook], seconds: float) -> DryRun:
    return DryRun(
        streams={name: _shape(one) for name, one in found.items()},
        partial=any(one.partial for one in found.values()),
        ms=round(seconds * 1000),
    )


def _shape(found: Outlook) -> StreamOutlook:
    spec = found.spec
    sample = fitting([{name: cell(value) for name, value in row.items()} for row in found.sample])
    return StreamOutlook(
        target=spec.destination_name,
        mode=spec.mode,
        write=spec.write,
        read=found.read,
        would_insert=found.would_insert,
        would_update=found.would_update,
        would_delete=found.would_delete,
        would_create=found.would_create,
        would_add_columns=[NewColumn(name=one.name, type=str(one.type.kind)) for one in found.would_add_columns],
        would_hold=found.would_hold,
        from_checkpoint=found.from_checkpoint,
        partial=found.partial,
        notes=[redact(note) for note in found.notes],
        columns=list(dict.fromkeys(name for row in sample for name in row)),
        sample=sample,
        error=None if found.error is None else redact(found.error),
    )
