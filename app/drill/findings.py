"""From what a drill noted and left in the database to findings: which promise was tried, and did it hold? Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.drill import promises
from app.drill.course import HANDOVER, RESCUE, TAKEOVER, Blow, Kind
from app.drill.promises import Document
from worker.run import ACTIVE, RunState

SLOW = "is the machine, or the database, overloaded?"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the drill noted (`blows`, `tokens` as seen, `stuck`, exit `codes`) and what was read when all had ended.

    `due` and `tables` (the keys there) are by job; `sources` are the keys that should be there. `transactions`: whether
    the server has them.
    """

    blows: Sequence[Blow]
    runs: Sequence[Document]
    terms: Sequence[Document]
    lease: Document | None
    due: Mapping[str, Sequence[datetime]]
    tables: Mapping[str, Sequence[int]]
    sources: Mapping[str, Sequence[int]]
    transactions: bool
    tokens: Sequence[int] = ()
    stuck: Sequence[str] = ()
    codes: Mapping[int, int | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One promise: `found` in words, `numbers` for programs, `broken` says each way in which it did not hold.

    `held` None: it was not tried.
    """

    promise: str
    found: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    broken: Sequence[str] = ()
    tried: bool = True

    @property
    def held(self) -> bool | None:
        return not self.broken if self.tried else None


def judge(evidence: Evidence) -> list[Finding]:
    """Every promise that a drill tries, in the order of the report."""
    return [
        _lease(evidence),
        _takeovers(evidence),
        _fire_times(evidence),
        _one_at_a_time(evidence),
        _rescues(evidence),
        _runs(evidence),
        _rows(evidence),
        _appends(evidence),
        _late_writes(evidence),
        _ends(evidence),
    ]


def _lease(evidence: Evidence) -> Finding:
    tokens = sorted(int(term["_id"]) for term in evidence.terms)
    how = Counter(str(term["how"]) for term in evidence.terms if term["how"])
    ended = ", ".join(f"{count} {word}" for word, count in sorted(how.items()))
    span = f"tokens {tokens[0]} to {tokens[-1]}, only growing; ended: {ended}" if tokens else "nobody led"
    return Finding(
        promise="lease",
        found=f"{_number(len(tokens), 'term')}, {span}",
        numbers={"tokens": tokens, "ended": dict(how)},
        broken=promises.tokens_only_grow(evidence.terms, evidence.lease, evidence.tokens),
    )


def _takeovers(evidence: Evidence) -> Finding:
    struck = [(blow, promises.takeover(evidence.terms, blow.token, blow.at)) for blow in evidence.blows if blow.token]
    told, broken = [], []
    for words, promised, stopped in (("killed or frozen", TAKEOVER, False), ("told to stop", HANDOVER, True)):
        own = [(blow, seconds) for blow, seconds in struck if (blow.kind is Kind.STOP) is stopped]
        broken += [f"nobody led after token {blow.token} ({blow.kind})" for blow, seconds in own if seconds is None]
        known = [(blow, seconds) for blow, seconds in own if seconds is not None]
        broken += [
            f"after token {blow.token} ({blow.kind}) another led only {seconds:.1f} s later, "
            f"promised: {promised:g} s; {SLOW}"
            for blow, seconds in known
            if seconds > promised
        ]
        if known:
            slowest = max(seconds for _, seconds in known)
            often = f"the holder was {words} {_times(len(own))}"
            told.append(f"{often}, and another led after {slowest:.1f} s at most (promised {promised:g})")
    numbers = [{"blow": str(blow.kind), "token": blow.token, "seconds": seconds} for blow, seconds in struck]
    return Finding(
        promise="takeover",
        found="; ".join(told) or "no holder was struck",
        numbers={"takeovers": numbers, "promised": TAKEOVER, "promised_on_stop": HANDOVER},
        broken=broken,
        tried=bool(struck),
    )


def _fire_times(evidence: Evidence) -> Finding:
    found = promises.fire_times(evidence.due, evidence.runs)
    states = ", ".join(
        f"{found.states[state]:,} {'still ' if state in ACTIVE else ''}{state}"
        for state in RunState
        if state in found.states
    )
    wrong = f"{_number(len(found.duplicates), 'duplicate')}, {_number(len(found.holes), 'hole')}"
    return Finding(
        promise="fire times",
        found=f"{found.checked:,} checked: {wrong} ({states})",
        numbers={
            "checked": found.checked,
            "duplicates": len(found.duplicates),
            "holes": len(found.holes),
            "states": dict(found.states),
        },
        broken=[*found.duplicates, *found.holes, *found.odd],
        tried=found.checked > 0,
    )


def _one_at_a_time(evidence: Evidence) -> Finding:
    attempts = sum(len(run["attempts"]) for run in evidence.runs)
    overlaps = promises.never_twice_at_once(evidence.runs)
    return Finding(
        promise="one at a time",
        found=f"{_number(attempts, 'attempt')}, {_number(len(overlaps), 'overlap')} within a job",
        numbers={"attempts": attempts, "overlaps": len(overlaps)},
        broken=overlaps,
    )


def _rescues(evidence: Evidence) -> Finding:
    found = [
        rescue
        for blow in evidence.blows
        if blow.kind is not Kind.STOP
        for rescue in promises.rescues(evidence.runs, blow.instance, blow.at)
    ]
    broken = [f"nobody went on with run {one.run} of {one.job}" for one in found if one.seconds is None]
    waited = {one: one.seconds for one in found if one.seconds is not None}
    broken += [
        f"run {one.run} of {one.job} waited {seconds:.1f} s for another instance, promised: {RESCUE:g} s; {SLOW}"
        for one, seconds in waited.items()
        if seconds > RESCUE
    ]
    slowest = max(waited.values(), default=None)
    told = f", the slowest after {slowest:.1f} s (promised {RESCUE:g})" if slowest is not None else ""
    return Finding(
        promise="rescue",
        found=f"{_number(len(found), 'run')} of struck instances gone on with{told}",
        numbers={"rescued": len(waited), "slowest": slowest, "promised": RESCUE},
        broken=broken,
        tried=bool(found),
    )


def _runs(evidence: Evidence) -> Finding:
    """Nobody stuck: no job fails for being struck, and all go on in the quiet."""
    failed = promises.failures(evidence.runs)
    ended = sum(run["state"] == RunState.SUCCEEDED for run in evidence.runs)
    stuck = f", {len(evidence.stuck)} stuck" if evidence.stuck else ", all jobs went on after the last blow"
    return Finding(
        promise="runs",
        found=f"{ended:,} succeeded, {len(failed):,} failed{stuck}",
        numbers={"succeeded": ended, "failed": len(failed), "stuck": len(evidence.stuck)},
        broken=[*failed, *evidence.stuck],
    )


def _rows(evidence: Evidence) -> Finding:
    """What replaces and upserts wrote: the rows of the source, once each."""
    counted = {job: _counted(evidence, job) for job in evidence.due}
    broken = [f"{job}: {_number(one.lost, 'row')} lost" for job, one in counted.items() if one.lost]
    broken += [f"{job}: {_number(one.doubled, 'row')} too many" for job, one in counted.items() if one.doubled]
    lost, doubled = sum(one.lost for one in counted.values()), sum(one.doubled for one in counted.values())
    tables = _number(len(counted), "table")
    return Finding(
        promise="rows",
        found=f"{tables} replaced or upserted over and over: {_number(lost, 'row')} lost, {doubled:,} doubled",
        numbers={"tables": len(counted), "lost": lost, "doubled": doubled},
        broken=broken,
        tried=bool(counted),
    )


def _appends(evidence: Evidence) -> Finding:
    """Exactly once; without transactions a batch may come twice, and that is not promised."""
    jobs = [job for job in evidence.tables if job not in evidence.due]
    counted = {job: _counted(evidence, job) for job in jobs}
    lost, doubled = sum(one.lost for one in counted.values()), sum(one.doubled for one in counted.values())
    sent = sum(one.expected for one in counted.values())
    broken = [f"{job}: {_number(one.lost, 'row')} lost" for job, one in counted.items() if one.lost]
    note = ""
    if evidence.transactions:
        broken += [f"{job}: {_number(one.doubled, 'row')} doubled" for job, one in counted.items() if one.doubled]
    else:
        note = "; a standalone server has no transactions, so that none is doubled is not promised"
    return Finding(
        promise="append",
        found=f"{sent:,} rows appended by syncs that were killed midway: {lost:,} lost, {doubled:,} doubled{note}",
        numbers={"rows": sent, "lost": lost, "doubled": doubled, "exactly_once": evidence.transactions},
        broken=broken,
        tried=any(blow.kind is Kind.SYNC for blow in evidence.blows),
    )


def _late_writes(evidence: Evidence) -> Finding:
    woken = [blow for blow in evidence.blows if blow.woken_at is not None]
    late = [
        wrong
        for blow in woken
        if blow.woken_at is not None
        for wrong in promises.late_writes(blow.before, evidence.runs, blow.instance, blow.woken_at)
    ]
    return Finding(
        promise="frozen",
        found=f"{_number(len(woken), 'instance')} frozen and woken: {_number(len(late), 'late write')}",
        numbers={"woken": len(woken), "late_writes": len(late)},
        broken=late,
        tried=bool(woken),
    )


def _ends(evidence: Evidence) -> Finding:
    """What a clean stop leaves behind: nothing that runs, and a lease that nobody holds."""
    told = {blow.pid: blow.ended for blow in evidence.blows if blow.kind is Kind.STOP} | dict(evidence.codes)
    late = "did not end in time"
    broken = [f"pid {pid} {late if code is None else f'ended with {code}'}" for pid, code in told.items() if code != 0]
    broken += promises.nothing_left_running(evidence.runs)
    if evidence.lease is not None and evidence.lease["holder"] is not None:
        broken.append("the lease was not released by the last that held it")
    running = sum(run["state"] == RunState.RUNNING for run in evidence.runs)
    good = sum(code == 0 for code in told.values())
    left = f"{good} ended cleanly, {_number(running, 'run')} left running"
    return Finding(
        promise="stop",
        found=f"{_number(len(told), 'instance')} told to stop: {left}",
        numbers={"told": len(told), "clean": good, "left_running": running},
        broken=broken,
        tried=bool(told),
    )


def _counted(evidence: Evidence, job: str) -> promises.Rows:
    return promises.rows(evidence.sources[job], evidence.tables[job])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
