"""Due fire times become queued runs: the work of whoever holds the lease.

Order, for a crash at any point: first the documents (idempotent by their unique keys), then the job's next fire
time (only from the value that the plan was made from, only under a token not older than ours). A repeat is harmless.
What it does not promise: that a run starts when it is due. Claiming is the runners' work, on any instance. A job that
cannot be planned (its document was broken by hand) is left as it is and told once; it delays no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from worker import schedule
from worker.errors import StoreUnavailable, SyncworkerError
from worker.job import Job, Overlap
from worker.lease import Holding, Lease
from worker.metrics import COUNTERS, LATENESS
from worker.plan import Plan, Span, plan, undocumented
from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.client import Document
from worker.store.jobs import Advance, Due
from worker.store.runs import Clash, new_run

log = logging.getLogger(__name__)

PAGE = 500
POLL = 0.5
SOON = 0.05
# Fire times of one job planned in one turn: two months of a job that fires every minute.
LONGEST_GAP = 100_000


class LeaseRanOut(SyncworkerError):
    """The lease cannot be trusted any more: what is planned but not written is the next holder's work."""


class Scheduler:
    """Driven by `turn()`; does nothing where this instance does not lead."""

    def __init__(self, store: Store, lease: Lease, queued: Callable[[], None]) -> None:
        self._store = store
        self._lease = lease
        self._queued = queued
        self._put_aside: set[str] = set()
        self.swamped = False  # more is due than a page: planning it goes before claiming here

    def turn(self) -> float:
        """Plan all that is due; the seconds until the next fire time, at most `POLL`."""
        holding = self._lease.holding()
        if holding is None:
            return POLL
        now = self._store.now()
        unfinished = False
        try:
            page: Due | None = None
            while page is None or page.end:
                page = self._store.jobs.due(now, PAGE, after=page.end if page else None)
                self.swamped = page.end is not None
                unfinished |= self._plan_page(page, now, holding)
        except LeaseRanOut:
            log.warning("the lease ran out while planning; the rest is left to the next holder")
            return POLL
        finally:
            self.swamped = False
        if unfinished:
            return SOON
        nearest = self._store.jobs.nearest_fire_time(now)
        return min(POLL, (nearest - now).total_seconds()) if nearest else POLL

    def _plan_page(self, due: Due, now: datetime, holding: Holding) -> bool:
        """Plan one page; True where something of it must be looked at again soon."""
        plans, broken = [], set(due.broken.values())
        spans = self._store.runs.documented({job.id: job.next_fire_time for job in due.jobs if job.next_fire_time})
        for job in due.jobs:
            try:
                plans.append(self._plan(job, spans.get(job.id, ()), holding, now))
            except StoreUnavailable:
                raise
            except Exception as error:  # no cron, an unknown zone: whatever it is, the others go on
                broken.add(f"job {job.id!r} cannot be planned: {error}")
        for why in sorted(broken - self._put_aside):
            log.error("%s; it is put aside, the other jobs go on", why)
        self._put_aside |= broken
        page = _Page(self._store, self._lease, plans, token=holding.token, now=now)
        if page.write():
            self._queued()
        return page.unfinished

    def _plan(self, job: Job, spans: Sequence[Span], holding: Holding, now: datetime) -> Plan:
        rule, first = job.schedule, job.next_fire_time
        assert rule is not None and first is not None  # a job without either is never due

        def following(moment: datetime) -> datetime:
            return schedule.next_fire_time(rule, moment, job_id=job.id)

        due = [first, *schedule.fire_times(rule, first, now, LONGEST_GAP, job_id=job.id)]
        left = undocumented(due, spans)  # a planner before us may have died between the documents and the advance
        if not left:
            return Plan(job=job, next_fire_time=following(due[-1]))
        return plan(job, left, led_since=holding.acquired_at, following=following)


class _Page:
    """One page of plans, written in bulk; the lease is looked at before each burst of writes."""

    def __init__(self, store: Store, lease: Lease, plans: Sequence[Plan], *, token: int, now: datetime) -> None:
        self._store = store
        self._lease = lease
        self._token = token
        self._now = now
        self._plans = {made.job.id: made for made in plans}
        self._sequences = {made.job.id: made.job.last_sequence for made in plans}
        self._held = store.runs.held_jobs(list(self._plans))
        self.unfinished = False

    def write(self) -> bool:
        """Write documents, then advances; True where a run was queued."""
        # A refused gap means that somebody planned before us: the next turn looks at what is there.
        self._insert(document for made in self._plans.values() for document in self._unrun(made))
        runs = [self._born(m.job, RunState.QUEUED, fire_time=m.run) for m in self._plans.values() if self._may_run(m)]
        active = self._insert(runs)
        for run in runs:
            if run["job_id"] not in active and run["job_id"] in self._plans:
                COUNTERS.observe(LATENESS, (self._now - run["fire_time"]).total_seconds())
        waiting = {job_id for job_id in active if self._waits(job_id)}
        self._insert(self._late(made) for made in self._plans.values() if made.job.id in active - waiting)
        self._insert(self._late(made) for made in self._plans.values() if made.run and made.job.id in self._held)
        self._advance(waiting)
        return len(active) < len(runs)

    def _may_run(self, made: Plan) -> bool:
        return made.run is not None and made.job.id not in self._held

    def _waits(self, job_id: str) -> bool:
        made = self._plans[job_id]
        return made.waits or made.job.overlap is Overlap.QUEUE

    def _unrun(self, made: Plan) -> Iterable[Document]:
        if made.gap:
            gap = made.gap
            span = {"missed_until": gap.last, "missed_count": gap.count} if gap.count > 1 else {}
            yield self._born(made.job, RunState.MISSED, fire_time=gap.first, reason=gap.reason, **span)
        if made.skipped:
            reason = "a later fire time took its place: the job was active, or the scheduler was late"
            yield self._born(made.job, RunState.SKIPPED, fire_time=made.skipped, reason=reason)

    def _late(self, made: Plan) -> Document:
        held = self._held.get(made.job.id)
        reason = f"run {held} of the job is held" if held else "the job was active"
        return self._born(made.job, RunState.SKIPPED, fire_time=made.run, reason=reason)

    def _born(self, job: Job, state: RunState, **fields: object) -> Document:
        self._sequences[job.id] += 1
        return new_run(
            job.id,
            Trigger.SCHEDULE,
            state=state,
            sequence=self._sequences[job.id],
            queued_at=self._now,
            lease_token=self._token,
            **fields,
        )

    def _insert(self, documents: Iterable[Document]) -> set[str]:
        """Insert what is not there; the jobs found active. A plan that must be made anew is dropped."""
        burst = [document for document in documents if document["job_id"] in self._plans]
        if not burst:
            return set()
        if not self._lease.trusted(self._token):
            raise LeaseRanOut
        active = set()
        for index, clash in self._store.runs.insert_planned(burst).items():
            document = burst[index]
            if clash == Clash.ACTIVE:
                active.add(document["job_id"])
            elif clash == Clash.SEQUENCE or document["state"] == RunState.MISSED:
                self._drop(document["job_id"], clash)
        return active

    def _drop(self, job_id: str, clash: str) -> None:
        """Leave a plan to the next turn, which reads the job again."""
        self._plans.pop(job_id, None)
        self.unfinished = True
        if clash == Clash.SEQUENCE:
            self._store.jobs.mend_sequence(job_id)

    def _advance(self, waiting: set[str]) -> None:
        if not self._lease.trusted(self._token):
            raise LeaseRanOut
        advances = [
            Advance(
                job_id=job_id,
                planned_from=made.job.next_fire_time,
                next_fire_time=made.run if job_id in waiting else made.next_fire_time,
                last_sequence=self._sequences[job_id],
            )
            for job_id, made in self._plans.items()
            if made.job.next_fire_time is not None
        ]
        self._store.jobs.advance(advances, self._token)
