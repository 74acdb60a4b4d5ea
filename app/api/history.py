"""What became of a job: its fire times, where its streams stand, what its runs are usually like."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.api.operation import Ask
from app.api.overview import typical_seconds
from app.api.questions import FireTimesQuery
from app.api.wire import Checkpoint, CheckpointList, FireTimes, PastFireTime, Spent, Usual, UsualStream
from worker import schedule
from worker.sync.progress import STAGES

FAR = timedelta(days=366 * 10)


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


def checkpoints(ask: Ask[Any, None]) -> CheckpointList:
    """Where reading of each stream goes on; streams that begin anew are not in it."""
    store = ask.context.store
    store.jobs.get(ask.path["id"])
    items = []
    for one in store.checkpoints.list(ask.path["id"]):
        sealed = isinstance(one["value"], dict) and "sealed" in one["value"]
        value = None if sealed else one["value"]
        items.append(Checkpoint(stream=one["stream"], value=value, sealed=sealed, run_id=one["run_id"]))
    return CheckpointList(items=items, next=None)


def usual(ask: Ask[Any, None]) -> Usual:
    """What the job's last runs that succeeded were like: medians, to compare a run with."""
    store, job_id = ask.context.store, ask.path["id"]
    job = store.jobs.get(job_id)
    ended = store.figures.moved(job_id)
    streams = {
        spec.name: [one["progress"][spec.name] for one in ended if spec.name in one["progress"]] for spec in job.streams
    }
    return Usual(
        runs=len(ended),
        seconds=typical_seconds(ended),
        streams={name: _usual(found) for name, found in streams.items() if found},
    )


def _usual(found: Sequence[dict[str, Any]]) -> UsualStream:
    def middle(values: Iterable[float]) -> float:
        return round(statistics.median(values), 3)

    return UsualStream(
        **{name: round(middle(one[name] for one in found)) for name in ("read", "written", "bytes")},
        spent=Spent(**{stage: middle(one.get("spent", {}).get(stage, 0.0) for one in found) for stage in STAGES}),
    )
