"""What becomes of a job's due fire times: the catch-up rule, pure.

Every due fire time ends up in exactly one part of the plan: run, skipped, part of one missed gap, or left for later
by `next_fire_time`. At most one document stands for what is not run, and it begins with the first: where a holder that
was frozen writes its plan late, the documents of another's plan are in its way. It writes nothing and knows no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile

from worker.clock import iso
from worker.job import CatchUp, Job

# The first and the last of the fire times that one document stands for.
Span = tuple[datetime, datetime]
# A hand-over between two holders takes up to a second: a fire time inside it is late, not missed.
HANDOVER = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Fire times that passed while nobody led, or planned, written as one `missed` document."""

    first: datetime
    last: datetime
    count: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Either a `gap` or a `skipped` one, if any; `waits`: where the job is active, leave `run` for later."""

    job: Job
    gap: Gap | None = None
    skipped: datetime | None = None
    run: datetime | None = None
    waits: bool = False
    next_fire_time: datetime


def undocumented(due: Sequence[datetime], spans: Sequence[Span]) -> list[datetime]:
    """The first of `due` that lie in none of `spans`, up to the next that does: a plan never reaches across one."""
    single = {first for first, last in spans if first == last}
    gaps = [(first, last) for first, last in spans if first != last]

    def documented(moment: datetime) -> bool:
        return moment in single or any(first <= moment <= last for first, last in gaps)

    return list(takewhile(lambda moment: not documented(moment), dropwhile(documented, due)))


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
    if len(before) == 1 and before[0] >= led_since:
        return Plan(job=job, skipped=before[0], run=run, next_fire_time=following(last))
    return Plan(job=job, gap=_gap(before, run, led_since), run=run, next_fire_time=following(last))


def _gap(passed: Sequence[datetime], run: datetime | None, led_since: datetime) -> Gap | None:
    if not passed:
        return None
    instead = f"the run of {iso(run)} stands for it" if run else "catch_up is none"
    count = f"{len(passed)} fire times passed" if len(passed) > 1 else "this fire time passed"
    late = "before the scheduler came to them, or while the job was active"
    why = "while no instance led" if passed[-1] < led_since else late
    return Gap(first=passed[0], last=passed[-1], count=len(passed), reason=f"{count} {why}; {instead}")
