"""What waits, and what mends it: held, failed, misconfigured, late and stale jobs, and those that heal by themselves.

It reads what the runs recorded and what the watchdog found. It mends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.api import runs
from app.api.operation import Ask
from app.api.overview import stood, summed
from app.api.questions import NeedsQuery
from app.api.wire import Need, NeedList
from worker import schedule
from worker.job import Job
from worker.standing import Standing
from worker.store import Store

ORDER = ("held", "misconfigured", "failed", "late", "stale", "retrying")
WAITING = frozenset((Standing.HELD, Standing.FAILED, Standing.LATE, Standing.RETRYING))
# Where so many wait nobody looks for stale ones.
LOOKED_AT = 200
# What no further attempt mends: a person must change the job, its connection, or what is there.
FOR_A_PERSON = frozenset(
    {"BadInput", "BadValue", "BadData", "Differs", "StreamNotFound", "Unsupported", "MissingExtra", "NotFound"}
    | {"Permanent", "Unreadable", "Conflict"}
)
OF_THE_JOB = frozenset({"BadInput", "StreamNotFound", "Unsupported", "NotFound", "Unreadable"})
# Fire times without a success before data counts as stale, and how old data that is looked at must be.
PASSED = 3
OLD = timedelta(hours=1)
MOST_OLD = 500


def list_(ask: Ask[NeedsQuery, None]) -> NeedList:
    """What needs a person, and what heals by itself, the gravest first; and how all jobs stand at the same moment."""
    store = ask.context.store
    now = store.now()
    stand, telling = stood(store, now)
    waiting = {id: _kind(one, telling.get(id)) for id, one in stand.items() if one in WAITING}
    gravest = sorted(waiting, key=lambda id: (ORDER.index(waiting[id]), id))[: ask.query.limit]
    stale = _all_stale(store, waiting, now) if len(waiting) < LOOKED_AT else []
    needs = [*_needs(store, {id: stand[id] for id in gravest}), *stale]
    needs.sort(key=lambda need: (ORDER.index(need.kind), need.job_id))
    return NeedList(items=needs[: ask.query.limit], total=len(waiting) + len(stale), summary=summed(store, stand))


def _kind(stands: Standing, run: Mapping[str, Any] | None) -> str:
    """What kind of need a job that waits has; `run` is {state, error} of its newest."""
    if stands is Standing.FAILED and run is not None:
        error = run.get("error")
        return "misconfigured" if isinstance(error, dict) and error.get("type") in FOR_A_PERSON else "failed"
    return {Standing.HELD: "held", Standing.RETRYING: "retrying"}.get(stands, "late")


def _needs(store: Store, waiting: Mapping[str, Standing]) -> Iterator[Need]:
    latest = {one["job_id"]: one for one in runs.sound(store.figures.latest(list(waiting)).values())}
    for job in store.jobs.list(limit=0, ids=list(waiting)):
        yield _need(job, waiting[job.id], latest.get(job.id))


def _all_stale(store: Store, waiting: Mapping[str, str], now: datetime) -> list[Need]:
    """Of the jobs that do not wait for something graver, those whose data is stale."""
    old = (job for job in store.jobs.list(limit=MOST_OLD, where=[_old(now)]) if job.id not in waiting)
    return [need for job in old if (need := _stale(job, now))]


def _need(job: Job, standing: Standing, run: Mapping[str, Any] | None) -> Need:
    brief = runs.brief(dict(run)) if run else None
    more: dict[str, Any] = {"job_id": job.id, "run": brief, "field": None, "heals_at": None}
    if standing is Standing.LATE or run is None:
        since = job.next_fire_time
        return Need(kind="late", since=since, message="was due and has not run", heals=True, deed="run", **more)
    error = run["error"] or {}
    message = str(error.get("message") or run["reason"] or "")
    if standing is Standing.HELD:
        since = run["queued_at"]
        return Need(kind="held", since=since, message=message, heals=False, deed="approve", **more)
    if standing is Standing.RETRYING:
        more["heals_at"] = run["not_before"]
        return Need(kind="retrying", since=run["queued_at"], message=message, heals=True, deed="wait", **more)
    kind = error.get("type")
    if kind in FOR_A_PERSON:
        edit = "edit_job" if kind in OF_THE_JOB else "edit_connection"
        more["field"] = error.get("stream")
        deed = "retry" if kind == "Differs" else edit
        return Need(kind="misconfigured", since=run["finished_at"], message=message, heals=False, deed=deed, **more)
    more["heals_at"] = job.next_fire_time
    heals = job.next_fire_time is not None
    return Need(kind="failed", since=run["finished_at"], message=message, heals=heals, deed="retry", **more)


def _old(now: datetime) -> dict[str, Any]:
    return {"enabled": True, "schedule": {"$ne": None}, "data_as_of": {"$lt": now - OLD}}


def _stale(job: Job, now: datetime) -> Need | None:
    """Fire times passed, one after another, and none of them brought newer data."""
    assert job.schedule is not None and job.data_as_of is not None  # `_old` asked for them
    passed = schedule.fire_times(job.schedule, job.data_as_of, now, PASSED, job.id)
    if len(passed) < PASSED:
        return None
    message = f"{PASSED} fire times or more have passed since its data was last brought in step"
    return Need(
        kind="stale",
        job_id=job.id,
        run=None,
        since=job.data_as_of,
        message=message,
        heals=False,
        heals_at=None,
        deed="run",
        field=None,
    )
