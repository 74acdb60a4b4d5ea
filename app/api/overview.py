"""The pages that show all jobs at once: how they stand, what waits for whom, when they ran and will run, how much."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.api import search
from app.api.operation import Ask
from app.api.questions import ThroughputQuery, TimelineQuery, WindowQuery
from app.api.wire import Ahead, Bucket, Span, Summary, Throughput, Timeline, TimelineRow
from worker import schedule
from worker.clock import EPOCH
from worker.errors import BadInput, Fault
from worker.job import Job
from worker.run import RunState
from worker.standing import Standing, standing
from worker.store import Store

PAST, FUTURE = timedelta(hours=12), timedelta(hours=12)
LONGEST = timedelta(days=366)
MOST_RUNS = 2_000
# Seconds of runs from which a rate is foretold.
TELLING = 600.0
MOST_AHEAD = 2_000


def summary(ask: Ask[Any, None]) -> Summary:
    """How many jobs stand how, and what is next."""
    store = ask.context.store
    return summed(store, standings(store, store.now()))


def summed(store: Store, stand: Mapping[str, Standing]) -> Summary:
    """The summary of jobs that stand so."""
    counts = Counter(stand.values())
    soonest = store.jobs.next_fire_times(1)
    job_id, moment = soonest[0] if soonest else (None, None)
    return Summary(
        jobs=counts.total(),
        standings={one: counts[one] for one in Standing},
        next_fire_time=moment,
        next_job=job_id,
    )


def timeline(ask: Ask[TimelineQuery, None]) -> Timeline:
    """A page of jobs by id, each with its runs and its fire times to come within a window, close ones drawn as one."""
    store, query = ask.context.store, ask.query
    now = store.now()
    since, until = window(query, now, past=PAST, future=FUTURE)
    found = found_jobs(store, query.q, now, query.after, query.limit + 1)
    page = found[: query.limit]
    ids = [job.id for job in page]
    runs = store.figures.timeline(ids, since, min(until, now + timedelta(minutes=1)), MOST_RUNS)
    typical = {job_id: typical_seconds(ended) for job_id, ended in store.figures.successes(ids).items()}
    near = (until - since) / query.buckets
    rows = [
        TimelineRow(
            job_id=job.id,
            enabled=job.enabled,
            source=job.source,
            destination=job.destination,
            past=_merged(runs.get(job.id, ()), near),
            ahead=_ahead(job, max(now, since), until, near, typical.get(job.id)),
            typical_seconds=typical.get(job.id),
        )
        for job in page
    ]
    following = page[-1].id if len(found) > query.limit else None
    return Timeline(since=since, until=until, now=now, items=rows, next=following)


def throughput(ask: Ask[ThroughputQuery, None]) -> Throughput:
    """Runs, rows and bytes over time, by when the runs ended."""
    store, query = ask.context.store, ask.query
    since, until = window(query, store.now(), past=2 * PAST, future=timedelta())
    width = (until - since) / query.buckets
    sums = [Counter[str]() for _ in range(query.buckets)]
    for part in store.figures.throughput(since, until, query.buckets, query.job):
        counted = sums[min(part["bucket"], query.buckets - 1)]
        if part["state"] in (RunState.SKIPPED, RunState.MISSED):
            continue
        counted.update({name: part[name] for name in ("runs", "read", "written", "deleted", "bytes")})
        counted["failed"] += part["runs"] if part["state"] == RunState.FAILED else 0
    fields = ("runs", "failed", "read", "written", "deleted", "bytes")
    items = [
        Bucket(start=since + number * width, **{name: one[name] for name in fields}) for number, one in enumerate(sums)
    ]
    return Throughput(since=since, until=until, seconds=width.total_seconds(), items=items)


def standings(store: Store, now: datetime) -> dict[str, Standing]:
    """How every job stands, by its id."""
    return stood(store, now)[0]


def stood(store: Store, now: datetime) -> tuple[dict[str, Standing], Mapping[str, Mapping[str, Any]]]:
    """How every job stands, and {state, error} of the newest run of those that do not simply succeed; by their ids."""
    facts = store.figures.facts()
    # Who succeeded since it last failed stands as its newest run says without a look at it.
    failed = [id for id, at in store.figures.failures().items() if at >= (facts.get(id, {}).get("data_as_of") or EPOCH)]
    telling = store.figures.telling([*{*failed, *store.figures.lively()}])
    succeeded = {"state": RunState.SUCCEEDED, "error": None}
    stand = {
        job_id: standing(one, telling.get(job_id) or (succeeded if one.get("data_as_of") else None), now)
        for job_id, one in facts.items()
    }
    return stand, telling


def found_jobs(store: Store, q: str | None, now: datetime, after: str | None, limit: int) -> list[Job]:
    """A page of the jobs that a search finds, by id. Raises BadInput for a search that cannot be read."""
    wanted = search.read(q)
    ids = None
    if wanted.standings is not None:
        ids = [job_id for job_id, one in standings(store, now).items() if one in wanted.standings]
    return store.jobs.list(after, limit, where=wanted.conditions, ids=ids)


def window(query: WindowQuery, now: datetime, *, past: timedelta, future: timedelta) -> tuple[datetime, datetime]:
    """The span that is asked for. Raises BadInput for one that is none, or too long to be drawn."""
    since, until = query.since, query.until
    try:
        since = since or (until or now) - past
        until = until or max(now, since) + future
    except OverflowError:
        raise BadInput([Fault(field="since", message="is too close to an end of time")]) from None
    if until <= since:
        raise BadInput([Fault(field="until", message="is not after since")])
    if until - since > LONGEST:
        raise BadInput([Fault(field="since", message=f"is more than {LONGEST.days} days before until")])
    return since, until


def typical_seconds(ended: Iterable[Mapping[str, Any]]) -> float | None:
    """The median time that runs took; None of none."""
    taken = [(one["finished_at"] - one["started_at"]).total_seconds() for one in ended if one["started_at"]]
    return round(statistics.median(taken), 3) if taken else None


def _merged(runs: Iterable[Mapping[str, Any]], near: timedelta) -> list[Span]:
    """Runs, oldest first, as spans; those of one state with less than `near` from start to start become one."""
    spans: list[Span] = []
    for run in runs:
        start, end, count = _extent(run)
        last = spans[-1] if spans else None
        if last and last.state == run["state"] and last.end and start - last.start < near:
            spans[-1] = last.model_copy(update={"end": end, "count": last.count + count, "run_id": run["_id"]})
        else:
            spans.append(Span(run_id=run["_id"], state=RunState(run["state"]), start=start, end=end, count=count))
    return spans


def _extent(run: Mapping[str, Any]) -> tuple[datetime, datetime | None, int]:
    """When it was, and how many fire times it stands for. What never started was at its fire time."""
    if run["state"] in (RunState.SKIPPED, RunState.MISSED):
        start = run["fire_time"] or run["queued_at"]
        return start, run.get("missed_until") or start, run.get("missed_count") or 1
    return run["started_at"] or run["queued_at"], run["finished_at"], 1


def _ahead(job: Job, after: datetime, until: datetime, near: timedelta, seconds: float | None) -> list[Ahead]:
    if job.schedule is None or not job.enabled or until <= after:
        return []
    found: list[Ahead] = []
    for moment in schedule.fire_times(job.schedule, after, until, MOST_AHEAD, job.id):
        note = schedule.notes(job.schedule, moment, job_id=job.id)
        last = found[-1] if found else None
        if last and moment - last.start < near and note == last.note:
            found[-1] = last.model_copy(update={"count": last.count + 1})
        else:
            found.append(Ahead(start=moment, count=1, seconds=seconds, note=note))
    return found


def rows_per_day(ended: Sequence[Mapping[str, Any]], now: datetime) -> int | None:
    """What the last runs wrote by the time since the oldest of them began; None where that is too short to tell."""
    begun = [one["started_at"] for one in ended if one["started_at"]]
    span = (now - min(begun)).total_seconds() if begun else 0.0
    if len(begun) < 2 or span < TELLING:
        return None
    written = sum(int(one["written"]) for one in ended)
    return int(written * 86_400 / span + 0.5)
