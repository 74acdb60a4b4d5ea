"""What becomes of a job's due fire times: the catch-up rule, pure.

Every due fire time ends up in exactly one part of the plan: run, skipped, part of one missed gap, or left for later
by `next_fire_time`. It writes nothing and knows no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.clock import iso
from worker.job import CatchUp, Job

# A hand-over between two holders takes up to a second: a fire time inside it is late, not missed.
HANDOVER = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Fire times that passed while nobody led, written as one `missed` document."""

    first: datetime
    last: datetime
    count: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`waits`: where the job is active, leave `run` for later instead of skipping it."""

    job: Job
    gap: Gap | None = None
    skipped: tuple[datetime, ...] = ()
    run: datetime | None = None
    waits: bool = False
    next_fire_time: datetime


def plan(job: Job, due: Sequence[datetime], *, led_since: datetime, following: Callable[[datetime], datetime]) -> Plan:
    """Plan `due` (ascending, not empty); `led_since` is when this term of the lease began (the server's clock)."""
    if job.catch_up is CatchUp.ALL:
        first = due[0]
        rest = due[1] if len(due) > 1 else following(first)
        return Plan(job=job, run=first, waits=first < led_since, next_fire_time=rest)
    last = due[-1]
    run: datetime | None = last
    before = due[:-1]
    if job.catch_up is CatchUp.NONE and last < led_since - HANDOVER:
        run, before = None, due
    missed = [moment for moment in before if moment < led_since]
    return Plan(
        job=job,
        gap=_gap(missed, run),
        skipped=tuple(before[len(missed) :]),
        run=run,
        next_fire_time=following(last),
    )


def _gap(missed: Sequence[datetime], run: datetime | None) -> Gap | None:
    if not missed:
        return None
    instead = f"the run of {iso(run)} stands for it" if run else "catch_up is none"
    count = f"{len(missed)} fire times passed" if len(missed) > 1 else "this fire time passed"
    return Gap(first=missed[0], last=missed[-1], count=len(missed), reason=f"{count} while no instance led; {instead}")
