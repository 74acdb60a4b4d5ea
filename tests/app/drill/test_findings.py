"""From evidence to a verdict: what held, what broke, what was not tried; and how it is told."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from app.drill.course import Blow, Kind
from app.drill.findings import Evidence, judge
from app.drill.report import Report, document, ok
from tests.app.drill.test_promises import DUE, INSTANCE, at, attempt, history, run, terms

KILL = Blow(kind=Kind.KILL, at=at(1.6), pid=7, instance=INSTANCE, token=1)
GOOD = Evidence(
    blows=[
        replace(KILL, at=at(7.5)),
        Blow(kind=Kind.SYNC, at=at(1.6), pid=8, instance=INSTANCE, token=None, run="r-1"),
        Blow(kind=Kind.FREEZE, at=at(6.5), pid=9, instance="i-3", token=None, woken_at=at(12), before=history()),
        Blow(kind=Kind.STOP, at=at(19.8), pid=10, instance="i-4", token=2, ended=0),
    ],
    runs=history(),
    terms=terms(),
    lease={"token": 3, "holder": None},
    due=DUE,
    tables={"j": [1, 2, 3], "sync-1": [1, 2, 3, 4]},
    sources={"j": range(1, 4), "sync-1": range(1, 5)},
    transactions=True,
    codes={11: 0},
)

LATE = [run(1, attempt(1.1, 4.5, "lost"), attempt(7.2, 7.4, instance="i-2"))]


def broken(evidence: Evidence) -> dict[str, list[str]]:
    return {one.promise: list(one.broken) for one in judge(evidence) if one.held is False}


def test_all_held() -> None:
    found = judge(GOOD)
    assert broken(GOOD) == {}
    assert [one.held for one in found] == [True] * 10
    assert ok(found)


@pytest.mark.parametrize(
    ("change", "promise", "told"),
    [
        ({"runs": history()[1:]}, "fire times", "has no run"),
        ({"runs": [*history(), run(6, state="skipped", reason="x")]}, "fire times", "has 2 runs"),
        ({"runs": [*history(), run(7, attempt(6.2, 6.3))]}, "one at a time", "and another since"),
        ({"tokens": [2, 1]}, "lease", "the lease's token went from 2 to 1"),
        ({"blows": [replace(KILL, at=at(4))]}, "takeover", "another led only 6.0 s later, promised: 4 s"),
        ({"blows": [replace(KILL, token=3)]}, "takeover", "nobody led after token 3 (kill)"),
        ({"blows": [replace(KILL, kind=Kind.STOP, at=at(8), ended=0)]}, "takeover", "2.0 s later, promised: 1 s"),
        ({"runs": LATE, "blows": [KILL]}, "rescue", "waited 5.6 s for another instance, promised: 5 s"),
        ({"stuck": ["tick-01 did not succeed again"]}, "runs", "tick-01"),
        ({"runs": [*history(), run(7, state="failed", error={"message": "oh"})]}, "runs", "is failed: oh"),
        ({"tables": {"j": [1, 2], "sync-1": [1, 2, 3, 4]}}, "rows", "j: 1 row lost"),
        ({"tables": {"j": [1, 2, 3], "sync-1": [1, 3, 4]}}, "append", "sync-1: 1 row lost"),
        ({"tables": {"j": [1, 2, 3], "sync-1": [1, 2, 2, 3, 4]}}, "append", "sync-1: 1 row doubled"),
        ({"codes": {11: None}}, "stop", "pid 11 did not end in time"),
        ({"lease": {"token": 3, "holder": "somebody"}}, "stop", "the lease was not released"),
    ],
)
def test_each_broken_promise_is_named(change: dict[str, Any], promise: str, told: str) -> None:
    found = broken(replace(GOOD, **change))
    assert told in found[promise][0]
    assert not ok(judge(replace(GOOD, **change)))


def test_a_late_write_of_a_frozen_instance_is_a_broken_promise() -> None:
    scribbled = history()
    scribbled[0]["reason"] = "scribbled"
    assert list(broken(replace(GOOD, runs=scribbled))) == ["frozen"]


def test_on_a_standalone_server_doubled_rows_are_told_and_not_judged() -> None:
    doubled = {"j": [1, 2, 3], "sync-1": [1, 2, 2, 3, 4]}
    evidence = replace(GOOD, tables=doubled, transactions=False)
    assert broken(evidence) == {}
    (append,) = [one for one in judge(evidence) if one.promise == "append"]
    assert "1 doubled; a standalone server has no transactions" in append.found


def test_what_was_not_tried_is_said_and_is_no_fault() -> None:
    found = judge(replace(GOOD, blows=[], codes={}))
    assert {one.promise for one in found if one.held is None} == {"takeover", "rescue", "append", "frozen", "stop"}
    out = io.StringIO()
    Report(out).findings(found, 30.4)
    assert out.getvalue().splitlines()[-1].startswith("all promises held that were tried; not tried: takeover")


def test_the_report_names_what_broke_and_is_plain_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    found = judge(replace(GOOD, runs=history()[3:]))
    Report(out).findings(found, 30.4)
    text = out.getvalue()
    assert "BROKEN     fire times     7 checked: 0 duplicates, 3 holes" in text
    assert "! j: the fire time 2026-05-01T12:00:00Z has no run" in text
    assert text.splitlines()[-1] == "broken: fire times (30 s)"
    assert "\x1b" not in text


def test_a_program_gets_the_same_as_one_document() -> None:
    told = document("x_drill_0", GOOD.blows, judge(GOOD), 30.44)
    assert (told["ok"], told["seconds"], told["blows"][0]["kind"]) == (True, 30.4, "kill")
    fire_times = next(one for one in told["promises"] if one["promise"] == "fire times")
    assert (fire_times["checked"], fire_times["duplicates"], fire_times["holes"]) == (7, 0, 0)
