"""The declarative file over HTTP: a job as YAML and back, the whole as a file, and to plan and apply a text.

A text that has mistakes is an answer with their places where it is only read or planned, and a 422 where it is applied.
What a file on the server owns is not changed here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from app.api.jobs import parsed
from app.api.operation import Ask
from app.api.questions import DeclarationText, JobText, PrintedJob
from app.api.wire import Change, JobPrinted, JobRead, PlacedFault, Plan
from worker import apply as applying
from worker import change as changing
from worker import export as exporting
from worker.declaration import job_document, load, load_job, print_job
from worker.errors import BadInput, Conflict, Fault

MEDIA_TYPE = "application/yaml"


def read(ask: Ask[Any, JobText]) -> JobRead:
    """What a job's YAML says: its fields alone, under an id, or a file with one job."""
    context = ask.context
    types = {one.id: one.type for one in context.store.connections(context.vault).list()}
    try:
        id, job = load_job(ask.body.text, types)
    except BadInput as error:
        return JobRead(id=None, job=None, faults=_placed(error))
    return JobRead(id=id, job=job_document(job), faults=[])


def print_(ask: Ask[Any, PrintedJob]) -> JobPrinted:
    """A draft of a job as YAML, in the words of an export: defaults are left out."""
    job = parsed(ask.context, ask.body.id, ask.body.job)
    return JobPrinted(text=print_job(job.id, job_document(job)))


def export(ask: Ask[Any, None]) -> Response:
    """All connections, jobs and alerts as a file; a literal secret is a reference in it."""
    text = exporting.export(ask.context.store, ask.context.vault)
    return Response(text, headers={"Cache-Control": "no-store"}, media_type=MEDIA_TYPE)


def plan(ask: Ask[Any, DeclarationText]) -> Plan:
    """What applying a text would change, and what that means for runs and checkpoints."""
    try:
        declared = load(ask.body.text)
    except BadInput as error:
        return Plan(applied=False, changes=[], faults=_placed(error))
    changes = applying.plan(ask.context.store, ask.context.vault, declared, prune=ask.body.prune)
    return _plan([replace(one, blocked=one.blocked or _kept(one)) for one in changes], applied=False)


def apply(ask: Ask[Any, DeclarationText]) -> Plan:
    """Make the database what a text says, all of it or nothing."""
    try:
        declared = load(ask.body.text)
    except BadInput as error:
        faults = [replace(one, message=f"line {one.line}, column {one.column}: {one.message}") for one in error.faults]
        raise BadInput([replace(one, field=one.field or "text") for one in faults]) from None
    store, vault = ask.context.store, ask.context.vault
    done = applying.apply(store, vault, declared, prune=ask.body.prune, agree=_refuse_owned)
    counts = Counter(one.mark for one in done)
    ask.note(after={"added": counts["+"], "changed": counts["~"], "deleted": counts["-"]}, subject="declaration")
    applying.record(store, ask.who, done)
    return _plan(done, applied=True)


def _refuse_owned(changes: list[changing.Change]) -> bool:
    for one in changes:
        if kept := _kept(one):
            raise Conflict(kept)
    return True


def _kept(one: changing.Change) -> str | None:
    return None if one.owner is None else f"{one.kind} {one.id} is kept by {one.owner}; change it there"


def _plan(changes: list[changing.Change], *, applied: bool) -> Plan:
    items = [
        Change.model_validate(
            {name: getattr(one, name) for name in Change.model_fields}
            | {"details": list(one.details), "means": list(one.means)}
        )
        for one in changes
    ]
    return Plan(applied=applied, changes=items, faults=[])


def _placed(error: BadInput) -> list[PlacedFault]:
    return [_fault(one) for one in error.faults]


def _fault(one: Fault) -> PlacedFault:
    return PlacedFault(line=one.line or 1, column=one.column or 1, field=one.field, message=one.message)
