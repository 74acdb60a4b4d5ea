"""Which alerts tell of which runs: failures in a row, once until a run succeeds, and then that. Pure.

What it is given is what the database says; the events that it makes have ids that say what they tell of, so judging
the same runs again makes the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker import alert_words
from worker.alert import Alert, Kind
from worker.run import RunState
from worker.store.alert_events import new_event
from worker.store.client import Document


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run that succeeded or failed."""

    run_id: str
    job_id: str
    failed: bool
    sequence: int
    finished_at: datetime
    error: Mapping[str, Any] | None


@dataclass(frozen=True)
class Rule:
    """An enabled alert, and since when it is: what ended before that is not told."""

    alert: Alert
    since: datetime

    def watches(self, job_id: str) -> bool:
        return self.alert.jobs is None or job_id in self.alert.jobs

    def tells_failure(self, outcome: Outcome) -> bool:
        """Whether a failed run may be what it tells; how many failed before is another question."""
        asked = self.alert.failures is not None and outcome.failed
        return asked and self.watches(outcome.job_id) and outcome.finished_at >= self.since


@dataclass
class Judged:
    """Events to write, and ids of those that have ended."""

    events: list[Document] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


class Open:
    """Failures that were told and have not ended, by alert and job."""

    def __init__(self, events: Iterable[Document]) -> None:
        self._events: dict[tuple[str, str], list[Document]] = {}
        for event in events:
            if isinstance(event.get("sequence"), int):  # one that was broken by hand is as if it were not
                self.add(event)
        self.jobs = {job_id for _, job_id in self._events}

    def add(self, event: Document) -> None:
        self._events.setdefault((event["alert"], event["job_id"]), []).append(event)

    def of(self, rule: Rule, outcome: Outcome) -> list[Document]:
        return list(self._events.get((rule.alert.id, outcome.job_id), ()))

    def drop(self, event: Document) -> None:
        self._events[event["alert"], event["job_id"]].remove(event)

    def covers(self, rule: Rule, outcome: Outcome, before: int) -> bool:
        """Whether the alert has told of the row of failures that the run belongs to."""
        return any(before < event["sequence"] <= outcome.sequence for event in self.of(rule, outcome))


def outcome_of(run: Mapping[str, Any]) -> Outcome:
    """Raises ValueError, TypeError, KeyError where a run's document is not what was stored."""
    sequence, finished_at = run["sequence"], run["finished_at"]
    if not (isinstance(sequence, int) and isinstance(finished_at, datetime) and isinstance(run["job_id"], str)):
        raise ValueError("its job, sequence or end is not what it was")
    return Outcome(
        run_id=run["_id"],
        job_id=run["job_id"],
        failed=run["state"] == RunState.FAILED,
        sequence=sequence,
        finished_at=finished_at,
        error=alert_words.error_of(run),
    )


class Judge:
    """`before` and `streaks`: of each run that needs them, see `store.outcomes`.

    A run without `before` has nothing to tell: nothing of its job was told, and no rule asks.
    """

    def __init__(self, told: Open, before: Mapping[str, int], streaks: Mapping[str, Document], now: datetime) -> None:
        self._told = told
        self._before = before
        self._streaks = streaks
        self._now = now
        self._judged = Judged()

    def judge(self, outcomes: Sequence[Outcome], rules: Sequence[Rule]) -> Judged:
        for outcome in sorted(outcomes, key=lambda one: (one.job_id, one.sequence)):
            if outcome.run_id in self._before:
                for rule in rules:
                    if rule.watches(outcome.job_id) and outcome.finished_at >= rule.since:
                        self._judge(outcome, rule, self._before[outcome.run_id])
        return self._judged

    def _judge(self, outcome: Outcome, rule: Rule, last: int) -> None:
        for event in self._told.of(rule, outcome):
            if event["sequence"] < last:  # it ended unseen, while the alert was off
                self._close(event)
            elif not outcome.failed and event["sequence"] < outcome.sequence:
                self._close(event)
                if rule.alert.recovery:
                    self._judged.events.append(self._recovered(outcome, event))
        if rule.tells_failure(outcome) and not self._told.covers(rule, outcome, last):
            streak = self._streaks.get(outcome.run_id)
            if streak and streak["failures"] >= (rule.alert.failures or 1):
                event = self._failing(outcome, rule, streak)
                self._judged.events.append(event)
                self._told.add(event)

    def _close(self, event: Document) -> None:
        self._told.drop(event)
        self._judged.closed.append(event["_id"])

    def _failing(self, outcome: Outcome, rule: Rule, streak: Document) -> Document:
        failures, since = streak["failures"], streak["since"]
        return new_event(
            rule.alert.id,
            outcome.job_id,
            Kind.FAILING,
            streak["first"],
            at=self._now,
            run_id=outcome.run_id,
            sequence=outcome.sequence,
            since=since,
            failures=failures,
            error=outcome.error,
            text=alert_words.failing(outcome.job_id, failures, since, outcome.error),
        )

    def _recovered(self, outcome: Outcome, told: Document) -> Document:
        failures = (self._streaks.get(outcome.run_id) or told)["failures"]
        return new_event(
            told["alert"],
            outcome.job_id,
            Kind.RECOVERED,
            told["what"],
            at=self._now,
            run_id=outcome.run_id,
            sequence=outcome.sequence,
            since=told["since"],
            failures=failures,
            text=alert_words.recovered(outcome.job_id, failures),
        )
