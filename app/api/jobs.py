"""Jobs: what is synced, from where to where, when; and the deeds on one.

`PUT` and `PATCH` take what `GET` returned: what only the program knows (times, runs) is left out of account.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from starlette.responses import Response

from app.api import runs
from app.api.context import Context
from app.api.operation import Answer, Ask, etag, revision_of
from app.api.problems import Stale
from app.api.questions import FireTimesQuery, JobDraft, Paging, Reset, Undo, Verify
from app.api.wire import FireTimes, Guards, Job, JobList, PastFireTime, ResetDone, Run, Schedule
from worker import declaration, schedule
from worker import job as records
from worker.apply import due
from worker.errors import BadInput, Conflict, Fault, JobActive, StaleRevision, Unreadable
from worker.run import RunState, Trigger
from worker.undo import offers
from worker.verification import Asked, concerned

RECENT_RUNS = 20
FAR = timedelta(days=366 * 10)
# What GET adds to a job's draft: sent back, it changes nothing.
ADDED = frozenset(Job.model_fields) - frozenset(JobDraft.model_fields)
MAY_BE_EMPTY = frozenset({"key", "exclude", "rename", "hash", "metadata"})
UNSAID = frozenset({RunState.SKIPPED, RunState.MISSED})


def list_(ask: Ask[Paging, None]) -> JobList:
    """All jobs by id."""
    found = ask.context.store.jobs.list(ask.query.after, ask.query.limit + 1)
    page = [shape(ask.context, job) for job in found[: ask.query.limit]]
    return JobList(items=page, next=page[-1].id if len(found) > ask.query.limit else None)


def get(ask: Ask[Any, None]) -> Answer:
    """One job; its revision is the ETag."""
    return _told(ask.context, ask.context.store.jobs.get(ask.path["id"]))


def create(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Save a new job; it fires from now on."""
    job_id = ask.body.get("id")
    if not isinstance(job_id, str):
        raise BadInput([Fault(field="id", message="is missing" if job_id is None else "is not a text")])
    job = _parsed(ask.context, job_id, ask.body)
    stored = ask.context.store.jobs.insert(due(job, None, ask.context.store.now()))
    told = _told(ask.context, stored)
    return replace(told, status=201, headers=told.headers | {"Location": f"/api/jobs/{stored.id}"})


def put(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Replace a job; what is left out gets its default. It mends one that cannot be read."""
    _refuse_owned(ask)
    try:
        before = ask.context.store.jobs.get(ask.path["id"])
    except Unreadable:
        job = _parsed(ask.context, ask.path["id"], ask.body)
        return _saved(ask, due(job, None, ask.context.store.now()))
    return _replaced(ask, before, ask.body)


def patch(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Merge into a job (RFC 7396): null takes a field back to its default, a list replaces the list."""
    _refuse_owned(ask)
    before = ask.context.store.jobs.get(ask.path["id"])
    return _replaced(ask, before, merged(declaration.job_document(before), ask.body))


def delete(ask: Ask[Any, Any]) -> Response:
    """Delete a job and its checkpoints; its runs stay as history."""
    _refuse_owned(ask)
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
    return runs.shape(queued)


def undo(ask: Ask[Any, Undo]) -> Run:
    """Queue a run that takes the job's streams back to what they were before their last replace."""
    store = ask.context.store
    offered = offers(store, store.jobs.get(ask.path["id"]), ask.body.stream)
    queued = store.runs.create(ask.path["id"], Trigger.MANUAL, undo=[offer.stream for offer in offered])
    if ask.context.worker is not None:
        ask.context.worker.nudge()
    return runs.shape(queued)


def verify(ask: Ask[Any, Verify]) -> Run:
    """Queue a run that compares both sides of the job's streams, and moves nothing but what it is to repair."""
    store = ask.context.store
    asked = Asked(repair=ask.body.repair, stream=ask.body.stream).document()
    concerned(store.jobs.get(ask.path["id"]), {"verify": asked})
    queued = store.runs.create(ask.path["id"], Trigger.MANUAL, verify=asked)
    if ask.context.worker is not None:
        ask.context.worker.nudge()
    return runs.shape(queued)


def enable(ask: Ask[Any, Any]) -> Answer:
    """Let the schedule fire again, from now on."""
    store = ask.context.store
    job = store.jobs.get(ask.path["id"])
    if not job.enabled:
        ready = due(replace(job, enabled=True), None, store.now())
        job = store.jobs.set_enabled(job.id, True, ready.next_fire_time)
    return _told(ask.context, job)


def disable(ask: Ask[Any, Any]) -> Answer:
    """Stop the schedule; a run that goes on is left alone."""
    store = ask.context.store
    job = store.jobs.get(ask.path["id"])
    if job.enabled:
        job = store.jobs.set_enabled(job.id, False, None)
    return _told(ask.context, job)


def reset(ask: Ask[Any, Reset]) -> ResetDone:
    """Forget the checkpoints: the next run reads from the beginning."""
    active = ask.context.store.runs.active(ask.path["id"])
    if active:
        raise JobActive(ask.path["id"], active["_id"])
    return ResetDone(streams=ask.context.store.checkpoints.reset(ask.path["id"], ask.body.stream))


def fire_times(ask: Ask[FireTimesQuery, None]) -> FireTimes:
    """The next `n` fire times, and the last `n` with what became of each."""
    store = ask.context.store
    job = store.jobs.get(ask.path["id"])
    following: list[datetime] = []
    if job.schedule is not None and job.enabled:
        now = store.now()
        following = schedule.fire_times(job.schedule, now, now + FAR, ask.query.n, job_id=job.id)
    fired = [one for one in store.runs.list(job.id, limit=4 * ask.query.n) if one["fire_time"] is not None]
    past = [
        PastFireTime(
            fire_time=one["fire_time"],
            state=one["state"],
            run_id=one["_id"],
            reason=one["reason"],
            until=one.get("missed_until"),
            count=one.get("missed_count"),
        )
        for one in fired[: ask.query.n]
    ]
    return FireTimes(next=following, past=past)


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
    recent = [runs.shape(one) for one in context.store.runs.list(job.id, limit=RECENT_RUNS)]
    last = next((one for one in recent if one.state not in UNSAID), None)
    if last is None and recent:
        latest = context.store.runs.latest_by_job([job.id]).get(job.id)
        last = runs.shape(latest) if latest else None
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
        last_run=last,
        recent_runs=recent,
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


def _parsed(context: Context, job_id: str, body: dict[str, Any]) -> records.Job:
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


def _refuse_owned(ask: Ask[Any, Any]) -> None:
    """Raise Conflict where a file says what the job is, NotFound where there is none."""
    owner = ask.context.store.jobs.owner(ask.path["id"])
    if owner is not None:
        raise Conflict(f"job {ask.path['id']} is kept by {owner}; change it there")


def _replaced(ask: Ask[Any, dict[str, Any]], before: records.Job, body: dict[str, Any]) -> Answer:
    given = body.get("id", before.id)
    if given != before.id:
        raise BadInput([Fault(field="id", message=f"is {given!r}; a job's id cannot change")])
    job = _parsed(ask.context, before.id, body)
    return _saved(ask, due(job, before, ask.context.store.now()))


def _saved(ask: Ask[Any, Any], job: records.Job) -> Answer:
    try:
        stored = ask.context.store.jobs.replace(job, revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    return _told(ask.context, stored)


def _stale(ask: Ask[Any, Any], error: StaleRevision) -> Stale:
    try:
        current = shape(ask.context, ask.context.store.jobs.get(ask.path["id"])).model_dump(mode="json", fallback=str)
    except Unreadable:
        current = {"id": ask.path["id"], "revision": error.current}
    return Stale(str(error), current)
