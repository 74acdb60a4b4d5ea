"""What a change means for runs and checkpoints, in words that a plan shows before anything is done.

It tells what the engine will do and decides nothing: the fate of a checkpoint is `worker.sync.basis`'s.
Source: docs/decisions/0030-what-a-changed-job-means.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from worker import schedule
from worker.alert import Alert
from worker.clock import iso
from worker.declaration import what_it_tells
from worker.job import Job, Mode, StreamSpec
from worker.run import RunState
from worker.store.client import Document
from worker.sync.basis import Fate, basis_of, changed, fate

# Fields of a stream that neither shape the rows nor say where reading goes on.
_NO_MATTER = {"undo": None}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is there now: each job's queued, running or held run, and the checkpoints by (job, stream)."""

    runs: Mapping[str, Document]
    checkpoints: Mapping[tuple[str, str], Document]


def of_new_job(job: Job) -> tuple[str, ...]:
    """`job` has its next fire time."""
    if job.schedule is None:
        return ("runs by hand only",)
    if job.next_fire_time is None:
        return ("is disabled: it does not fire, but runs by hand",)
    return (f"fires {schedule.in_words(job.schedule)}, first at {iso(job.next_fire_time)}",)


def of_changed_job(job: Job, before: Job, now: Situation) -> tuple[str, ...]:
    """Both have their next fire times."""
    words = [*_firing(job, before), *_streams(job, before, now)]
    if words or _says(job) != _says(before):
        words += _run(now.runs.get(job.id))
    return tuple(words)


def of_removed_job(job_id: str, now: Situation) -> tuple[str, ...]:
    kept = sum(of_job == job_id for of_job, _ in now.checkpoints)
    forgotten = f"{kept} checkpoint{'s' if kept != 1 else ''} and " if kept else ""
    return (f"{forgotten}what is kept for an undo is forgotten; its runs and what it wrote stay",)


def of_changed_connection(users: Sequence[str]) -> tuple[str, ...]:
    """`users` are the jobs that use it."""
    if not users:
        return ()
    return (
        f"used by {_listed(users)} from the next attempt on; the checkpoints stay: reset what leads to other data now",
    )


def of_alert(alert: Alert) -> tuple[str, ...]:
    if not alert.enabled:
        return ("is disabled: it tells nothing",)
    about = "all jobs" if alert.jobs is None else _listed(alert.jobs)
    return (f"tells {what_it_tells(alert)} of {about}, from now on",)


def of_changed_alert(alert: Alert, before: Alert) -> tuple[str, ...]:
    """Nothing where what it tells, and of what, stays as it was."""
    told = ("jobs", "failures", "recovery", "held", "stale", "enabled")
    return of_alert(alert) if any(getattr(alert, name) != getattr(before, name) for name in told) else ()


def _firing(job: Job, before: Job) -> Iterator[str]:
    then, now = before.next_fire_time, job.next_fire_time
    if job.enabled != before.enabled and not job.enabled:
        yield "does not fire any more; a run that goes on is left alone"
    elif job.enabled and (job.schedule, job.enabled) != (before.schedule, before.enabled):
        if now is None:
            yield "does not fire any more: by hand only"
        elif then is None:
            yield f"fires {schedule.in_words(job.schedule)}, first at {iso(now)}"
        else:
            yield f"the next fire time moves from {iso(then)} to {iso(now)}"


def _streams(job: Job, before: Job, now: Situation) -> Iterator[str]:
    was, are = {spec.name: spec for spec in before.streams}, {spec.name: spec for spec in job.streams}
    for name, spec in are.items():
        for words in _stream(job, spec, was.get(name), now.checkpoints.get((job.id, name))):
            yield f"stream {name}: {words}"
    for name in was.keys() - are.keys():
        yield f"stream {name}: is moved no more; what it wrote stays, and so does its checkpoint should it come back"


def _stream(job: Job, spec: StreamSpec, before: StreamSpec | None, checkpoint: Document | None) -> Iterator[str]:
    incremental = spec.mode is Mode.INCREMENTAL
    if before is not None and spec.write.keyed and before.key and spec.key != before.key:
        yield (
            f"rows that lie in {spec.destination_name} under the old key are not found by the new one: its runs fail "
            "until it has another target, or the old one is dropped"
        )
    if not incremental:
        return
    if checkpoint is None:
        if before is None or before.mode is not Mode.INCREMENTAL:
            yield "is read from its beginning first"
        return
    basis, of = basis_of(job, spec), checkpoint.get("of")
    why = "; ".join(changed(of, basis))
    ends = fate(of, basis, spec.write)
    if ends is Fate.ANEW:
        yield f"its checkpoint ends ({why}): the next run reads from the beginning"
    elif ends is Fate.REFUSED:
        yield f"its checkpoint does not fit any more ({why}): runs fail until it is reset, which appends all again"
    elif before is None:
        yield "goes on from the checkpoint that it had"
    elif replace(spec, **_NO_MATTER) != replace(before, **_NO_MATTER):  # type: ignore[arg-type]
        yield "its checkpoint is kept: rows that were sent before stay as they are, unless it is reset"


def _run(run: Document | None) -> Iterator[str]:
    if run is None:
        return
    if run["state"] == RunState.RUNNING:
        yield f"run {run['_id']} ends what it has begun by the old definition; another attempt of it takes the new one"
    elif run["state"] == RunState.HELD:
        yield f"run {run['_id']} is held: once it is approved, it takes the new definition"
    else:
        yield f"run {run['_id']} is queued, and takes the new definition"


def _says(job: Job) -> Job:
    """The job without what only the program knows, and without its owner: neither concerns a run."""
    unsaid = {"owner": None, "next_fire_time": None, "created_at": None, "updated_at": None, "data_as_of": None}
    return replace(job, **unsaid, revision=0, last_sequence=0)  # type: ignore[arg-type]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
