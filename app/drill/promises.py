"""What the documents of a coordination database say about the promises. Pure: documents in, numbers and words out.

All times in them are the database server's. It trusts what was written and asks nobody; that enough happened for a
promise to be tried is for the caller to know.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from worker.clock import iso
from worker.run import FINAL, RunState, Trigger

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FireTimes:
    """`checked` were due; `states` counts the documents by state. The rest are what is wrong, in words."""

    checked: int
    states: Mapping[str, int]
    duplicates: Sequence[str]
    holes: Sequence[str]
    odd: Sequence[str]


def fire_times(due: Mapping[str, Sequence[datetime]], runs: Iterable[Document]) -> FireTimes:
    """Has each fire time of `due` (by job) exactly one document? One of `missed` covers its whole span."""
    states: Counter[str] = Counter()
    duplicates: list[str] = []
    holes: list[str] = []
    odd: list[str] = []
    planned = [run for run in runs if run["trigger"] == Trigger.SCHEDULE]
    for job, moments in due.items():
        covered: Counter[datetime] = Counter()
        for run in planned:
            if run["job_id"] != job:
                continue
            states[run["state"]] += 1
            first, last = run["fire_time"], run.get("missed_until") or run["fire_time"]
            span = [moment for moment in moments if first <= moment <= last] or [first]
            covered.update(span)
            if moments and last <= moments[-1]:
                odd += _oddities(run, span)
        times = {moment: covered[moment] for moment in moments}
        holes += [f"{job}: the fire time {iso(moment)} has no run" for moment, count in times.items() if not count]
        duplicates += [f"{job}: {iso(moment)} has {count} runs" for moment, count in covered.items() if count > 1]
        odd += [
            f"{job}: there is a run for {iso(moment)}, when it was not due"
            for moment in sorted(covered.keys() - times.keys())
            if moments and moment < moments[-1]
        ]
    checked = sum(len(moments) for moments in due.values())
    return FireTimes(checked=checked, states=states, duplicates=duplicates, holes=holes, odd=odd)


def _oddities(run: Document, span: Sequence[datetime]) -> list[str]:
    wrong = []
    counted = run.get("missed_count") or 1
    if counted != len(span):
        wrong.append(f"{run['job_id']}: run {run['_id']} counts {counted} missed fire times where {len(span)} were due")
    if run["state"] in (RunState.SKIPPED, RunState.MISSED) and not run["reason"]:
        wrong.append(f"{run['job_id']}: {iso(run['fire_time'])} was {run['state']} without a reason")
    return wrong


def never_twice_at_once(runs: Iterable[Document]) -> list[str]:
    """Two attempts of one job must not overlap; one that goes on has no end yet."""
    spans: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for run in runs:
        own = spans[run["job_id"]]
        own += [(one["started_at"], one["ended_at"]) for one in run["attempts"] if one["started_at"]]
        if run["state"] == RunState.RUNNING:
            own.append((run["attempt_started_at"], None))
    wrong = []
    for job, own in spans.items():
        own.sort(key=lambda span: span[0])
        for (began, ended), (started, _) in pairwise(own):
            if ended is None or started < ended:
                until = iso(ended) if ended else "now"
                wrong.append(f"{job}: an attempt from {iso(began)} to {until}, and another since {iso(started)}")
    return wrong


def tokens_only_grow(terms: Iterable[Document], lease: Document | None, seen: Sequence[int] = ()) -> list[str]:
    """`seen` are the lease's tokens in the order in which somebody who looked on saw them."""
    wrong = [f"the lease's token went from {before} to {after}" for before, after in pairwise(seen) if after < before]
    ordered = sorted(terms, key=lambda term: int(term["_id"]))
    for earlier, later in pairwise(ordered):
        if later["gained_at"] < earlier["gained_at"]:
            wrong.append(f"token {later['_id']} was gained before token {earlier['_id']} was")
        if earlier["ended_at"] is None:
            wrong.append(f"the term of token {earlier['_id']} has no end although that of {later['_id']} began")
    last = int(ordered[-1]["_id"]) if ordered else 0
    if ordered and (lease is None or lease["token"] < last):
        wrong.append(f"the lease has token {lease['token'] if lease else 'none'}, although {last} was given out")
    return wrong


def takeover(terms: Iterable[Document], token: int, since: datetime) -> float | None:
    """Seconds from `since`, when the holder of `token` was struck, until another led; None where nobody did."""
    after = [term["gained_at"] for term in terms if term["_id"] > token]
    return (min(after) - since).total_seconds() if after else None


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """A run whose instance was struck; `seconds` until another went on with it, None where nobody did."""

    run: str
    job: str
    seconds: float | None


def rescues(runs: Iterable[Document], instance: str, since: datetime) -> list[Rescue]:
    """Of the runs that `instance` lost when it was struck at `since`: how long each waited for another.

    What it began later, awake again, it may have lost to a later blow.
    """
    found = []
    for run in runs:
        attempts: Sequence[Document] = run["attempts"]
        for number, attempt in enumerate(attempts):
            if attempt["instance"] != instance or attempt["outcome"] != "lost":
                continue
            if not attempt["started_at"] or not attempt["started_at"] <= since <= attempt["ended_at"]:
                continue
            later = [one["started_at"] for one in attempts[number + 1 :] if one["started_at"]]
            if run["state"] == RunState.RUNNING:
                later.append(run["attempt_started_at"])
            seconds = (later[0] - since).total_seconds() if later else None
            found.append(Rescue(run=run["_id"], job=run["job_id"], seconds=seconds))
    return found


def late_writes(before: Iterable[Document], after: Iterable[Document], instance: str, woken_at: datetime) -> list[str]:
    """What an instance that had been frozen wrote under its old claims: `before` are all runs when it was woken.

    A run's insert that was on its way when it froze is none of them: the unique key makes it harmless.
    """
    now = {run["_id"]: run for run in after}
    wrong = [
        f"run {run['_id']} of {run['job_id']} had ended {run['state']}, and was changed afterwards"
        for run in before
        if run["state"] in FINAL and now.get(run["_id"], run) != run
    ]
    for run in now.values():
        for attempt in run["attempts"]:
            old = attempt["instance"] == instance and attempt["started_at"] and attempt["started_at"] < woken_at
            if old and attempt["ended_at"] > woken_at and attempt["outcome"] != "lost":
                what = f"an attempt that began at {iso(attempt['started_at'])} is recorded as {attempt['outcome']}"
                wrong.append(f"run {run['_id']} of {run['job_id']}: {what}, although its instance was frozen")
    return wrong


def nothing_left_running(runs: Iterable[Document]) -> list[str]:
    return [f"run {run['_id']} of {run['job_id']} is still running" for run in runs if run["state"] == RunState.RUNNING]


def failures(runs: Iterable[Document]) -> list[str]:
    """Runs that ended failed or cancelled, with the reason."""
    ended = [run for run in runs if run["state"] in (RunState.FAILED, RunState.CANCELLED)]
    return [
        f"run {run['_id']} of {run['job_id']} is {run['state']}: {(run['error'] or {}).get('message') or run['reason']}"
        for run in ended
    ]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Of one table: how many should be there, and how many are too few and too many."""

    expected: int
    lost: int
    doubled: int


def rows(expected: Iterable[int], found: Iterable[int]) -> Rows:
    """Compare the keys that should be there once each with those that are."""
    wanted, there = set(expected), Counter(found)
    doubled = sum(there.values()) - len(wanted & there.keys())
    return Rows(expected=len(wanted), lost=len(wanted - there.keys()), doubled=doubled)
