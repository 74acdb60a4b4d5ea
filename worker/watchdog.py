"""Looks whether anything is stuck that should go on by itself: says so in words, and mends what can be mended.

`findings` reads the database alone, so whoever reaches it can ask, where no worker runs too. `Watchdog` asks on every
instance every few seconds. It kills nothing and decides no run's end: what it mends, it mends through the rescuer and
the job's own schedule. What is no finding: a slow run, a run that waits for its retry, a job that a person disabled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from worker import schedule
from worker.clock import EPOCH, iso
from worker.errors import StoreUnavailable, SyncworkerError, Unreadable
from worker.finding import Finding, Kind
from worker.job import Job
from worker.store import Store
from worker.store.client import Document
from worker.store.jobs import from_document

log = logging.getLogger(__name__)

POLL = 5.0
# The scheduler plans twice a second, the rescuer looks once, a standby tries twice: these are far beyond a busy moment.
LATE = timedelta(minutes=1)
WAITING = timedelta(minutes=1)
IN_HAND = timedelta(seconds=3)
LEADERLESS = timedelta(seconds=5)
# Of one kind; what is beyond is counted in a last finding.
SHOWN = 20
# Of a message: a receiver that restarts is none of our business.
TRIES = 3
FOREGROUND = "run"  # the mode of `syncworker run`, which neither leads nor claims other runs


def findings(store: Store) -> list[Finding]:
    """All that is wrong now, by the server's clock. Raises StoreUnavailable."""
    now = store.now()
    instances = [one for one in store.instances.list() if one.get("mode") != FOREGROUND]
    live = [one for one in instances if one["live"]]
    lease = store.leases.current()
    found = [
        *_leaderless(lease, live, now),
        *_jobs(store, _who_leads(lease, live), now),
        *_unclaimed(store, now),
        *_waiting(store, live, now),
        *_silent(store, [one for one in instances if not one["live"]]),
        *_files(store, live, now),
        *_untold(store),
    ]
    return [one for kind in Kind for one in _at_most([f for f in found if f.kind is kind])]


def _at_most(found: list[Finding]) -> list[Finding]:
    if len(found) <= SHOWN:
        return found
    hidden = found[SHOWN:]
    first = hidden[0]
    return [
        *found[:SHOWN],
        Finding(kind=first.kind, subject="others", since=first.since, message=f"{len(hidden):,} more like these"),
    ]


def _leads(lease: Document | None) -> bool:
    return bool(lease and lease["live"] and lease["holder"])


def _who_leads(lease: Document | None, live: Sequence[Document]) -> str:
    if not _leads(lease) or lease is None:
        return "nobody leads" if live else "no instance runs"
    return f"instance {_name(lease['instance'], live)} leads (term {lease['token']})"


def _name(instance: str, known: Sequence[Document]) -> str:
    return next((f"{one['host']}, pid {one['pid']}" for one in known if one["_id"] == instance), instance)


def _leaderless(lease: Document | None, live: Sequence[Document], now: datetime) -> Iterator[Finding]:
    """Nobody holds the lease although instances run that should have taken it long ago."""
    if _leads(lease) or not live:
        return
    since: datetime = min(one["started_at"] for one in live)
    if lease is not None:
        released = lease["expires_at"] == EPOCH
        since = max(since, lease["renewed_at"] if released else lease["expires_at"])
    if now - LEADERLESS < since <= now:
        return
    instances = "1 instance runs" if len(live) == 1 else f"{len(live)} instances run"
    drained = all(one.get("draining") for one in live)
    help = "every one of them drains: let one of them work again" if drained else "look at their logs"
    message = f"nobody leads since {iso(since)}, although {instances}: no fire time becomes a run; {help}"
    yield Finding(kind=Kind.NO_LEADER, subject="scheduler", since=since, message=message)


def _jobs(store: Store, leads: str, now: datetime) -> Iterator[Finding]:
    """Jobs whose fire time passed and which nobody planned, and those that have none although they should."""
    page = store.jobs.due(now - IN_HAND, 10 * SHOWN)
    for job_id, why in page.broken.items():
        yield Finding(kind=Kind.UNREADABLE_JOB, subject=job_id, since=None, message=why)
    for job in page.jobs:
        since = job.next_fire_time
        try:
            _after(job, now)
        except SyncworkerError as error:
            message = f"job {job.id!r} cannot be planned: {error}; save its schedule anew"
            yield Finding(kind=Kind.UNREADABLE_JOB, subject=job.id, since=since, message=message)
            continue
        if since is not None and now - since > LATE:
            message = f"job {job.id!r} was due {_ago(now - since)} ago, at {iso(since)}, and has no run for it; {leads}"
            yield Finding(kind=Kind.LATE_JOB, subject=job.id, since=since, message=message)
    for document in store.jobs.unplanned(SHOWN):
        job_id = str(document["_id"])
        try:
            _after(from_document(document | {"next_fire_time": None}), now)
        except SyncworkerError as error:
            yield Finding(kind=Kind.UNREADABLE_JOB, subject=job_id, since=None, message=f"{job_id!r}: {error}")
            continue
        message = f"job {job_id!r} is enabled and has a schedule, but no next fire time; it is given one"
        yield Finding(kind=Kind.UNPLANNED_JOB, subject=job_id, since=None, message=message)


def _after(job: Job, moment: datetime) -> datetime:
    """The job's first fire time after `moment`. Raises BadInput, or Unreadable for what is no schedule at all."""
    assert job.schedule is not None
    try:
        return schedule.next_fire_time(job.schedule, moment, job_id=job.id)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise Unreadable(f"its schedule cannot be read: {error}") from error


def _unclaimed(store: Store, now: datetime) -> Iterator[Finding]:
    for run in store.claims.abandoned(10 * SHOWN):
        since = run["claim"]["expires_at"]
        if since is not None and timedelta() <= now - since < IN_HAND:
            continue  # the rescuer has it in hand
        message = f"run {run['_id']} of {run['job_id']} runs without a live claim, and nobody has rescued it"
        yield Finding(kind=Kind.UNCLAIMED_RUN, subject=run["_id"], since=since, message=message)


def _waiting(store: Store, live: Sequence[Document], now: datetime) -> Iterator[Finding]:
    """Queued runs that could have started; one finding for all, since they wait for the same."""
    waiting = store.watch.waiting_since(now - WAITING)
    if not waiting:
        return
    (since, job_id), count = min(waiting), len(waiting)
    slots, busy = sum(one.get("slots") or 0 for one in live), sum(len(one["active_runs"]) for one in live)
    if not live:
        why = "no instance runs"
    elif slots > busy:
        why = f"although {slots - busy} of {slots} slots are free; look at the instances' logs"
    else:
        why = f"no instance has a free slot ({busy} runs are worked on); raise WORKER_CONCURRENCY, or start another"
    runs = "1 run waits" if count == 1 else f"{count:,} runs wait"
    message = f"{runs} to be started, the longest of {job_id} since {iso(since)}: {why}"
    yield Finding(kind=Kind.WAITING_RUNS, subject="queue", since=since, message=message)


def _silent(store: Store, silent: Sequence[Document]) -> Iterator[Finding]:
    """Instances that are not heard of any more and still own runs. One that died without any needs nobody."""
    for one in silent:
        owned = store.watch.claimed_by(one["_id"]) if one["active_runs"] else []
        if owned:
            who = f"instance {one['host']}, pid {one['pid']}"
            message = f"{who} was last heard of at {iso(one['seen_at'])}, and still owns {', '.join(owned[:SHOWN])}"
            yield Finding(kind=Kind.SILENT_INSTANCE, subject=one["_id"], since=one["seen_at"], message=message)


def _files(store: Store, live: Sequence[Document], now: datetime) -> Iterator[Finding]:
    """JOBS_FILEs that are broken or gone, of several versions, or that own jobs and are watched by nobody."""
    watching = [(one, one["jobs_file"]) for one in live if one.get("jobs_file")]
    for one, told in watching:
        who = f"instance {one['host']}, pid {one['pid']}"
        if told["trouble"]:
            message = "; ".join([f"{who}: {told['trouble']}", *told["faults"]])
            yield Finding(kind=Kind.JOBS_FILE, subject=one["_id"], since=told["since"], message=message)
            continue
        applied = store.declared.applied(told["file"])
        if applied and told["digest"] and told["digest"] != applied["digest"] and now - applied["applied_at"] > LATE:
            other = f"the one that {_name(applied['instance'], live)} applied at {iso(applied['applied_at'])}"
            message = f"{who} has another version of {told['file']} than {other}"
            yield Finding(kind=Kind.JOBS_FILE, subject=one["_id"], since=applied["applied_at"], message=message)
    if not any(now - one["started_at"] > LATE for one in live):
        return
    watched = {told["file"] for _, told in watching}
    for file, (count, job_id) in store.declared.owners().items():
        if file not in watched:
            jobs = f"job {job_id} belongs" if count == 1 else f"job {job_id} and {count - 1:,} more belong"
            way = f"set JOBS_FILE, or let them go: syncworker release {file}"
            message = f"{jobs} to {file}, which no running instance watches; {way}"
            yield Finding(kind=Kind.JOBS_FILE, subject=file, since=None, message=message)


def _untold(store: Store) -> Iterator[Finding]:
    """Alerts whose messages have not arrived for some tries."""
    for alert_id, count, why in store.watch.undelivered(TRIES):
        waiting = "1 event waits" if count == 1 else f"{count:,} events wait"
        message = f"messages of alert {alert_id} do not arrive, {waiting}: {why}"
        yield Finding(kind=Kind.UNDELIVERED_ALERT, subject=alert_id, since=None, message=message)


def _ago(passed: timedelta) -> str:
    return schedule.format_duration(float(int(passed.total_seconds())))


class Watchdog:
    """`rescue` looks for abandoned runs once more, should the rescuer's own loop be what is stuck."""

    def __init__(self, store: Store, rescue: Callable[[], object]) -> None:
        self._store = store
        self._rescue = rescue
        self._told: dict[tuple[Kind, str], Finding] = {}

    def turn(self) -> float:
        """Tell each finding once when it appears and once when it is gone; mend what can be mended."""
        found = {(finding.kind, finding.subject): finding for finding in findings(self._store)}
        for key, finding in found.items():
            if key not in self._told:
                log.warning("watchdog: %s", finding.message)
        for key, finding in self._told.items():
            if key not in found:
                log.info("watchdog: over: %s", finding.message)
        self._told = found
        if any(kind is Kind.UNCLAIMED_RUN for kind, _ in found):
            self._rescue()
        for kind, subject in found:
            if kind is Kind.UNPLANNED_JOB and subject != "others":
                self._plan_anew(subject)
        return POLL

    def _plan_anew(self, job_id: str) -> None:
        """From the last fire time that has a document, so that none is lost; but none from before the job was saved."""
        try:
            job = self._store.jobs.get(job_id)
            last = self._store.watch.last_fire_time(job_id) or EPOCH
            moment = _after(job, max(last, job.updated_at or EPOCH))
            if self._store.jobs.plan_anew(job_id, moment):
                log.warning("watchdog: job %s fires again, next at %s", job_id, iso(moment))
        except StoreUnavailable:
            raise
        except SyncworkerError as error:
            log.warning("watchdog: job %s could not be planned anew: %s", job_id, error)
