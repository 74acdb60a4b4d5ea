"""Jobs: what is synced, from where to where, when; and the deeds on one.

`PUT` and `PATCH` take what `GET` returned: what only the program knows (times, runs) is left out of account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from starlette.responses import Response

from app.api import runs
from app.api.context import Context
from app.api.kept import refuse_kept
from app.api.operation import Answer, Ask, etag, revision_of
from app.api.overview import found_jobs, rows_per_day, typical_seconds
from app.api.problems import Stale
from app.api.questions import JobDraft, JobsQuery, Reset, Undo, Verify
from app.api.wire import (
    Guards,
    Job,
    JobList,
    ResetDone,
    Run,
    Schedule,
)
from worker import declaration, schedule
from worker import job as records
from worker.apply import due
from worker.errors import BadInput, Fault, JobActive, StaleRevision, Unreadable
from worker.run import RunState, Trigger
from worker.standing import standing
from worker.store import Store
from worker.undo import offers
from worker.verification import Asked, concerned

FAR = timedelta(days=366 * 10)
# What GET adds to a job's draft: sent back, it changes nothing.
ADDED = frozenset(Job.model_fields) - frozenset(JobDraft.model_fields)
MAY_BE_EMPTY = frozenset({"key", "exclude", "rename", "hash", "metadata"})
UNSAID = frozenset({str(RunState.SKIPPED), str(RunState.MISSED)})


def list_(ask: Ask[JobsQuery, None]) -> JobList:
    """Jobs by id, each with its newest runs; `q` searches."""
    store, query = ask.context.store, ask.query
    now = store.now()
    found = found_jobs(store, query.q, now, query.after, query.limit + 1)
    page = shapes(store, found[: query.limit], now)
    return JobList(items=page, next=page[-1].id if len(found) > query.limit else None)


def get(ask: Ask[Any, None]) -> Answer:
    """One job; its revision is the ETag."""
    return _told(ask.context, ask.context.store.jobs.get(ask.path["id"]))


def create(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Save a new job; it fires from now on."""
    job_id = ask.body.get("id")
    if not isinstance(job_id, str):
        raise BadInput([Fault(field="id", message="is missing" if job_id is None else "is not a text")])
    job = parsed(ask.context, job_id, ask.body)
    stored = ask.context.store.jobs.insert(due(job, None, ask.context.store.now()))
    ask.note(after=declaration.job_document(stored), subject=f"jobs/{stored.id}")
    told = _told(ask.context, stored)
    return replace(told, status=201, headers=told.headers | {"Location": f"/api/jobs/{stored.id}"})


def put(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Replace a job; what is left out gets its default. It mends one that cannot be read."""
    refuse_kept(ask.context.store.jobs, "job", ask.path["id"])
    try:
        before = ask.context.store.jobs.get(ask.path["id"])
    except Unreadable:
        job = parsed(ask.context, ask.path["id"], ask.body)
        return _saved(ask, None, due(job, None, ask.context.store.now()))
    return _replaced(ask, before, ask.body)


def patch(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Merge into a job (RFC 7396): null takes a field back to its default, a list replaces the list."""
    refuse_kept(ask.context.store.jobs, "job", ask.path["id"])
    before = ask.context.store.jobs.get(ask.path["id"])
    return _replaced(ask, before, merged(declaration.job_document(before), ask.body))


def delete(ask: Ask[Any, Any]) -> Response:
    """Delete a job and its checkpoints; its runs stay as history."""
    refuse_kept(ask.context.store.jobs, "job", ask.path["id"])
    ask.note(before=_last_seen(ask))
    try:
        ask.context.store.jobs.delete(ask.path["id"], revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    return Response(status_code=204)


def run(ask: Ask[Any, Any]) -> Run:
    """Queue a run now, whatever the schedule says."""
    queued = ask.context.store.runs.create(ask.path["id"], Trigger.MANUAL)
    if ask.context.worker is not None:
        ask.context.worker.nudge()
    ask.note(after=runs.trace(queued))
    return runs.shape(queued)


def undo(ask: Ask[Any, Undo]) -> Run:
    """Queue a run that takes the job's streams back to what they were before their last replace."""
    store = ask.context.store
    offered = offers(store, store.jobs.get(ask.path["id"]), ask.body.stream)
    queued = store.runs.create(ask.path["id"], Trigger.MANUAL, undo=[offer.stream for offer in offered])
    if ask.context.worker is not None:
        ask.context.worker.nudge()
    ask.note(after=runs.trace(queued))
    return runs.shape(queued)


def verify(ask: Ask[Any, Verify]) -> Run:
    """Queue a run that compares both sides of the job's streams, and moves nothing but what it is to repair."""
    store = ask.context.store
    asked = Asked(repair=ask.body.repair, stream=ask.body.stream).document()
    concerned(store.jobs.get(ask.path["id"]), {"verify": asked})
    queued = store.runs.create(ask.path["id"], Trigger.MANUAL, verify=asked)
    if ask.context.worker is not None:
        ask.context.worker.nudge()
    ask.note(after=runs.trace(queued))
    return runs.shape(queued)


def enable(ask: Ask[Any, Any]) -> Answer:
    """Let the schedule fire again, from now on."""
    store = ask.context.store
    job = store.jobs.get(ask.path["id"])
    if not job.enabled:
        ready = due(replace(job, enabled=True), None, store.now())
        job = store.jobs.set_enabled(job.id, True, ready.next_fire_time)
        ask.note({"enabled": False}, {"enabled": True})
    return _told(ask.context, job)


def disable(ask: Ask[Any, Any]) -> Answer:
    """Stop the schedule; a run that goes on is left alone."""
    store = ask.context.store
    job = store.jobs.get(ask.path["id"])
    if job.enabled:
        job = store.jobs.set_enabled(job.id, False, None)
        ask.note({"enabled": True}, {"enabled": False})
    return _told(ask.context, job)


def reset(ask: Ask[Any, Reset]) -> ResetDone:
    """Forget the checkpoints: the next run reads from the beginning."""
    active = ask.context.store.runs.active(ask.path["id"])
    if active:
        raise JobActive(ask.path["id"], active["_id"])
    forgotten = ask.context.store.checkpoints.reset(ask.path["id"], ask.body.stream)
    ask.note(after={"forgotten": forgotten})
    return ResetDone(streams=forgotten)


def merged(document: Any, change: Any) -> Any:
    """JSON merge patch, RFC 7396."""
    if not isinstance(change, dict):
        return change
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def shape(context: Context, job: records.Job) -> Job:
    """A job as it goes out, with its newest runs."""
    return shapes(context.store, [job], context.store.now())[0]


def shapes(store: Store, page: Sequence[records.Job], now: datetime) -> list[Job]:
    """Jobs as they go out, each with its newest runs; the cost does not grow with how many runs are kept."""
    ids = [job.id for job in page]
    recent = {id: runs.sound(found) for id, found in store.figures.recent(ids).items()}
    ended = {id: runs.sound(found) for id, found in store.figures.successes(ids).items()}
    said = {id: next((one for one in found if one["state"] not in UNSAID), None) for id, found in recent.items()}
    silent = [id for id, one in said.items() if one is None]
    latest = said | {one["job_id"]: one for one in runs.sound(store.figures.latest(silent).values() if silent else ())}
    return [_shape(job, recent.get(job.id, []), latest.get(job.id), ended.get(job.id, []), now) for job in page]


def _shape(
    job: records.Job,
    recent: list[dict[str, Any]],
    latest: dict[str, Any] | None,
    ended: list[dict[str, Any]],
    now: datetime,
) -> Job:
    draft = JobDraft.model_validate(declaration.job_document(job))
    said = {name: getattr(draft, name) for name in JobDraft.model_fields}
    said["guards"] = Guards(max_delete=_part(job.guards.max_delete), max_shrink=_part(job.guards.max_shrink))
    if job.schedule is not None:
        said["schedule"] = _schedule(job.schedule)
    assert job.created_at is not None and job.updated_at is not None  # it was stored
    return Job(
        **said,
        id=job.id,
        words=schedule.in_words(job.schedule),
        owner=job.owner,
        next_fire_time=job.next_fire_time,
        created_at=job.created_at,
        updated_at=job.updated_at,
        revision=job.revision,
        standing=standing(vars(job), latest, now),
        data_as_of=job.data_as_of,
        typical_seconds=typical_seconds(ended),
        rows_per_day=rows_per_day(ended, now),
        last_run=runs.brief(latest) if latest else None,
        recent_runs=[runs.mark(one) for one in recent],
    )


def _schedule(saved: records.Schedule) -> Schedule:
    return Schedule(
        cron=saved.cron,
        every=None if saved.every is None else schedule.format_duration(saved.every),
        timezone=saved.timezone,
        jitter=schedule.format_duration(saved.jitter) if saved.jitter else None,
    )


def _part(fraction: float | None) -> str | Literal[False]:
    return False if fraction is None else f"{fraction * 100:g}%"


def _told(context: Context, job: records.Job) -> Answer:
    return Answer(shape=shape(context, job), headers=etag(job.revision))


def parsed(context: Context, job_id: str, body: dict[str, Any]) -> records.Job:
    """The job that `body` says. Raises BadInput, for connections that are not there too."""
    said = {name: value for name, value in body.items() if name not in ADDED}
    types = {one.id: one.type for one in context.store.connections(context.vault).list()}
    return declaration.parse_job(job_id, _without_nothing(said), types=types)


def _without_nothing(value: Any) -> Any:
    """null says the same as a field left out, and so do the empty lists that GET shows."""
    if isinstance(value, dict):
        said = {name: item for name, item in value.items() if item is not None}
        return {name: _without_nothing(item) for name, item in said.items() if item or name not in MAY_BE_EMPTY}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _last_seen(ask: Ask[Any, Any]) -> dict[str, Any] | None:
    """The job as it is now, for the audit; None where it cannot be read."""
    try:
        return declaration.job_document(ask.context.store.jobs.get(ask.path["id"]))
    except Unreadable:
        return None


def _replaced(ask: Ask[Any, dict[str, Any]], before: records.Job, body: dict[str, Any]) -> Answer:
    given = body.get("id", before.id)
    if given != before.id:
        raise BadInput([Fault(field="id", message=f"is {given!r}; a job's id cannot change")])
    job = parsed(ask.context, before.id, body)
    return _saved(ask, before, due(job, before, ask.context.store.now()))


def _saved(ask: Ask[Any, Any], before: records.Job | None, job: records.Job) -> Answer:
    try:
        stored = ask.context.store.jobs.replace(job, revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    ask.note(declaration.job_document(before) if before else None, declaration.job_document(stored))
    return _told(ask.context, stored)


def _stale(ask: Ask[Any, Any], error: StaleRevision) -> Stale:
    try:
        current = shape(ask.context, ask.context.store.jobs.get(ask.path["id"])).model_dump(mode="json", fallback=str)
    except Unreadable:
        current = {"id": ask.path["id"], "revision": error.current}
    return Stale(str(error), current)
