"""What happens to jobs becomes events to be told: the work of whoever holds the lease.

It looks at the runs that ended since it looked last and a minute before that (one may be seen late), at those that are
held, and now and then at how old data is. Events first, then how far it has looked: a crash in between repeats what
the events' ids make harmless, and two leaders write the same. It sends nothing: `worker.messenger` does, anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from worker import alert_words, clock
from worker.alert import Kind
from worker.alert_rules import Judge, Judged, Open, Outcome, Rule, outcome_of
from worker.lease import Holding, Lease
from worker.store import Store
from worker.store.alert_events import new_event
from worker.store.client import Document
from worker.vault import Vault

log = logging.getLogger(__name__)

POLL = 2.0
SOON = 0.05
# Runs in one turn.
PAGE = 2_000
OVERLAP = timedelta(seconds=60)
AGES_EVERY = 10.0
HELD_AT_ONCE = 500


class Alerter:
    """Driven by `turn()`; does nothing where this instance does not lead. `told`: something waits to be sent."""

    def __init__(self, store: Store, lease: Lease, vault: Vault, told: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._lease = lease
        self._alerts = store.alerts(vault)
        self._told = told
        self._seen: dict[str, datetime] = {}
        self._seen_held: set[tuple[str, int]] = set()
        self._saved: set[tuple[str, int]] = set()
        self._ages_due = 0.0
        self._put_aside: set[str] = set()

    def turn(self) -> float:
        """Look once; the seconds until the next look."""
        holding = self._lease.holding()
        rules = self._rules() if holding else []
        if holding is None or not rules:
            return POLL
        now = self._store.now()
        full = self._look_at_runs(rules, now, holding)
        self._look_at_held(now, holding)
        if clock.monotonic() >= self._ages_due:
            self._look_at_ages(now, holding)
            self._ages_due = clock.monotonic() + AGES_EVERY
        return SOON if full else POLL

    def _rules(self) -> list[Rule]:
        watching = self._alerts.watching()
        self._complain(list(watching.broken.values()))
        rules = [Rule(alert, since) for alert, since in watching.alerts]
        saved = {(rule.alert.id, rule.alert.revision) for rule in rules}
        if saved != self._saved:  # what was looked at for other rules is looked at again
            self._saved = saved
            self._seen.clear()
            self._seen_held.clear()
        return rules

    def _complain(self, broken: Sequence[str]) -> None:
        for why in broken:
            if why not in self._put_aside:
                log.error("%s; it is put aside, the others go on", why)
                self._put_aside.add(why)

    # Runs that ended.

    def _look_at_runs(self, rules: Sequence[Rule], now: datetime, holding: Holding) -> bool:
        """True where there is more to look at."""
        earliest = min(rule.since for rule in rules)
        done = self._store.alert_events.looked_at()
        begin = earliest if done is None else max(earliest, done - OVERLAP)
        self._seen = {run_id: moment for run_id, moment in self._seen.items() if moment >= begin}
        runs = self._store.outcomes.ended(begin, self._seen, PAGE)
        if not runs:
            return False
        rules = self._rules()  # again: an alert that was made before a run ended must not miss it
        outcomes = self._outcomes(runs)
        if self._write(self._judge(outcomes, rules, now), holding):
            self._seen |= {run["_id"]: run["finished_at"] for run in runs}
            self._store.alert_events.look_on(runs[-1]["finished_at"])
        return len(runs) == PAGE

    def _outcomes(self, runs: Sequence[Document]) -> list[Outcome]:
        found, broken = [], []
        for run in runs:
            try:
                found.append(outcome_of(run))
            except (KeyError, TypeError, ValueError) as error:
                broken.append(f"run {run['_id']!r} cannot be told of, its document was changed by hand: {error}")
        self._complain(broken)
        return found

    def _judge(self, outcomes: Sequence[Outcome], rules: Sequence[Rule], now: datetime) -> Judged:
        """Ask the database only what the answer can depend on: mostly nothing, since most runs succeed."""
        asking = [one for one in outcomes if any(rule.tells_failure(one) for rule in rules)]
        told, over = self._open(sorted({one.job_id for one in outcomes}))
        lively = told.jobs | {one.job_id for one in asking}
        before = self._store.outcomes.successes_before([one.run_id for one in outcomes if one.job_id in lively])
        wanted = [
            one.run_id
            for one in outcomes
            if one.run_id in before
            and (not one.failed or not all(told.covers(rule, one, before[one.run_id]) for rule in _asking(rules, one)))
        ]
        judged = Judge(told, before, self._store.outcomes.streaks(wanted), now).judge(outcomes, rules)
        judged.closed += over
        return judged

    def _open(self, job_ids: Sequence[str]) -> tuple[Open, list[str]]:
        """The failures of these jobs that go on, and ids of those that were of another job of the same id."""
        events = self._store.alert_events.open(Kind.FAILING, job_ids)
        born = self._store.outcomes.born(sorted({event["job_id"] for event in events}))
        over = [event["_id"] for event in events if event["at"] < born.get(event["job_id"], event["at"])]
        return Open(event for event in events if event["_id"] not in over), over

    # What is so now.

    def _look_at_held(self, now: datetime, holding: Holding) -> None:
        runs, there = self._store.outcomes.held(self._seen_held, HELD_AT_ONCE)
        self._seen_held &= there
        if not runs:
            return
        judged = Judged()
        for rule in self._rules():
            judged.events += [event for run in runs if (event := _held(run, rule, now)) is not None]
        if self._write(judged, holding):
            self._seen_held |= {(run["_id"], run.get("attempt") or 0) for run in runs}

    def _look_at_ages(self, now: datetime, holding: Holding) -> None:
        """Tell what became stale, and what was told and is not stale any more, or nobody asks for any more."""
        rules = {rule.alert.id: rule for rule in self._rules()}
        judged = Judged()
        told = self._store.alert_events.open(Kind.STALE)
        ages = self._store.outcomes.ages(sorted({event["job_id"] for event in told}))
        for event in told:
            rule, as_of, since = rules.get(event["alert"]), ages.get(event["job_id"]), event.get("since")
            if as_of is None or not isinstance(since, datetime):
                judged.closed.append(event["_id"])  # the job is gone
            elif rule is not None and as_of > since:  # an alert that is off waits
                limit = rule.alert.stale if rule.watches(event["job_id"]) else None
                if limit is None or as_of >= now - timedelta(seconds=limit):
                    judged.closed.append(event["_id"])
                    if limit is not None and rule.alert.recovery:
                        judged.events.append(_fresh(event, now))
        limits = [rule.alert.stale for rule in rules.values() if rule.alert.stale is not None]
        if limits:
            known = {(event["alert"], event["job_id"]) for event in told}
            for job_id, as_of in self._store.outcomes.old(now - timedelta(seconds=min(limits))).items():
                judged.events += [
                    _stale(job_id, as_of, rule, now)
                    for rule in rules.values()
                    if (rule.alert.id, job_id) not in known and _is_stale(job_id, as_of, rule, now)
                ]
        self._write(judged, holding)

    def _write(self, judged: Judged, holding: Holding) -> bool:
        """Events, then what has ended; False where we lead no more: then it is the next holder's work."""
        if not self._lease.trusted(holding.token):
            return False
        if judged.events and self._store.alert_events.add(judged.events):
            self._told()
        if judged.closed:
            self._store.alert_events.close(judged.closed)
        return True


def _asking(rules: Sequence[Rule], outcome: Outcome) -> list[Rule]:
    return [rule for rule in rules if rule.tells_failure(outcome)]


def _held(run: Document, rule: Rule, now: datetime) -> Document | None:
    """What is told of a held run; None where the alert does not ask, or was made after it was held."""
    job_id, attempts = str(run.get("job_id")), run.get("attempts")
    if not rule.alert.held or not rule.watches(job_id):
        return None
    last = attempts[-1] if isinstance(attempts, list) and attempts else None
    since = last.get("ended_at") if isinstance(last, dict) else None
    if isinstance(since, datetime) and since < rule.since:
        return None
    return new_event(
        rule.alert.id,
        job_id,
        Kind.HELD,
        f"{run['_id']}.{run.get('attempt') or 0}",  # approved, it may be held again: that is told too
        at=now,
        run_id=run["_id"],
        since=since,
        text=alert_words.held(job_id, run.get("reason")),
    )


def _is_stale(job_id: str, as_of: datetime, rule: Rule, now: datetime) -> bool:
    limit = rule.alert.stale
    return limit is not None and rule.watches(job_id) and as_of < now - timedelta(seconds=limit)


def _stale(job_id: str, as_of: datetime, rule: Rule, now: datetime) -> Document:
    text = alert_words.stale(job_id, as_of, now - as_of)
    what = str(round(as_of.timestamp() * 1000))
    return new_event(rule.alert.id, job_id, Kind.STALE, what, at=now, since=as_of, text=text)


def _fresh(stale: Document, now: datetime) -> Document:
    text = alert_words.fresh(stale["job_id"])
    since = stale.get("since")
    return new_event(stale["alert"], stale["job_id"], Kind.FRESH, stale["what"], at=now, since=since, text=text)
