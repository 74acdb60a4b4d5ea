"""The drill's own eye: good documents pass, and each planted bug is found."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.drill import promises

Document = dict[str, Any]
START = datetime(2026, 5, 1, 12, tzinfo=UTC)
INSTANCE = "i-1"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def attempt(start: float, end: float, outcome: str = "succeeded", instance: str = INSTANCE) -> Document:
    return {"instance": instance, "started_at": at(start), "ended_at": at(end), "outcome": outcome}


def run(due: float, *attempts: Document, state: str = "succeeded", **more: Any) -> Document:
    return {
        "_id": f"r-{due}",
        "job_id": "j",
        "trigger": "schedule",
        "fire_time": at(due),
        "state": state,
        "reason": None,
        "error": None,
        "attempt_started_at": attempts[-1]["started_at"] if attempts else None,
        "attempts": list(attempts),
        **more,
    }


def history() -> list[Document]:
    """Run, rescued, skipped, a gap of three, run."""
    return [
        run(0, attempt(0.1, 0.5)),
        run(1, attempt(1.1, 4.5, "lost"), attempt(4.6, 5.0, instance="i-2")),
        run(2, state="skipped", reason="the job was active"),
        run(3, state="missed", reason="nobody led", missed_until=at(5), missed_count=3),
        run(6, attempt(6.1, 6.4)),
    ]


DUE = {"j": [at(second) for second in range(7)]}


def terms() -> list[Document]:
    return [
        {"_id": 1, "gained_at": at(0), "ended_at": at(10), "how": "expired"},
        {"_id": 2, "gained_at": at(10), "ended_at": at(20), "how": "released"},
        {"_id": 3, "gained_at": at(20.4), "ended_at": None, "how": None},
    ]


def wrong_fire_times(runs: list[Document]) -> list[str]:
    found = promises.fire_times(DUE, runs)
    return [*found.duplicates, *found.holes, *found.odd]


def test_a_good_history_passes() -> None:
    found = promises.fire_times(DUE, history())
    assert (found.checked, found.states) == (7, {"succeeded": 3, "skipped": 1, "missed": 1})
    assert wrong_fire_times(history()) == []
    assert promises.never_twice_at_once(history()) == []
    assert promises.nothing_left_running(history()) == []
    assert promises.failures(history()) == []
    assert promises.tokens_only_grow(terms(), {"token": 3}, seen=[1, 2, 3]) == []
    assert promises.late_writes(history(), history(), INSTANCE, at(5)) == []


def first_is_missing(runs: list[Document]) -> None:
    del runs[0]


def hole(runs: list[Document]) -> None:
    del runs[2]


def last_is_missing(runs: list[Document]) -> None:
    del runs[-1]


def short_gap(runs: list[Document]) -> None:
    runs[3].update(missed_until=at(4), missed_count=2)


def duplicate(runs: list[Document]) -> None:
    runs.append(runs[0] | {"_id": "again"})


def gap_over_a_run(runs: list[Document]) -> None:
    runs[3].update(missed_until=at(6), missed_count=4)


def stray(runs: list[Document]) -> None:
    runs.append(run(0.5, state="skipped", reason="why not"))


def miscounted(runs: list[Document]) -> None:
    runs[3]["missed_count"] = 5


def unreasoned(runs: list[Document]) -> None:
    runs[2]["reason"] = None


@pytest.mark.parametrize(
    ("bug", "told"),
    [
        (first_is_missing, "j: the fire time 2026-05-01T12:00:00Z has no run"),
        (hole, "12:00:02Z has no run"),
        (last_is_missing, "12:00:06Z has no run"),
        (short_gap, "12:00:05Z has no run"),
        (duplicate, "j: 2026-05-01T12:00:00Z has 2 runs"),
        (gap_over_a_run, "12:00:06Z has 2 runs"),
        (stray, "there is a run for 2026-05-01T12:00:00.500Z, when it was not due"),
        (miscounted, "counts 5 missed fire times where 3 were due"),
        (unreasoned, "was skipped without a reason"),
    ],
)
def test_a_planted_fault_of_the_fire_times_is_found(bug: Callable[[list[Document]], None], told: str) -> None:
    runs = history()
    bug(runs)
    (wrong,) = wrong_fire_times(runs)
    assert told in wrong


def test_a_run_beyond_what_was_planned_last_is_no_fault() -> None:
    assert wrong_fire_times([*history(), run(7, state="queued")]) == []


def test_two_attempts_at_once_are_found() -> None:
    runs = [*history(), run(6.2, attempt(6.3, 6.5))]
    assert len(promises.never_twice_at_once(runs)) == 1
    runs = [*history(), run(6.2, attempt(6.3, 6.5), state="running", attempt_started_at=at(6.45))]
    assert len(promises.never_twice_at_once(runs)) == 2


@pytest.mark.parametrize(
    ("change", "lease", "seen", "told"),
    [
        (lambda found: found[2].update(gained_at=at(9)), 3, (), "token 3 was gained before token 2 was"),
        (lambda found: found[0].update(ended_at=None), 3, (), "the term of token 1 has no end"),
        (lambda found: None, 2, (), "the lease has token 2, although 3 was given out"),
        (lambda found: None, 3, (1, 3, 2), "the lease's token went from 3 to 2"),
    ],
)
def test_a_shrinking_token_is_found(
    change: Callable[[list[Document]], None], lease: int, seen: tuple[int, ...], told: str
) -> None:
    found = terms()
    change(found)
    (wrong,) = promises.tokens_only_grow(found, {"token": lease}, seen)
    assert told in wrong


def test_takeovers_and_rescues_are_measured_from_the_blow() -> None:
    assert promises.takeover(terms(), 1, at(7.5)) == 2.5
    assert promises.takeover(terms(), 3, at(30)) is None
    (rescue,) = promises.rescues(history(), INSTANCE, at(1.6))
    assert (rescue.run, rescue.seconds) == ("r-1", 3.0)
    abandoned = history()
    abandoned[1]["attempts"].pop()
    assert [one.seconds for one in promises.rescues(abandoned, INSTANCE, at(1.6))] == [None]
    assert promises.rescues(history(), "i-2", at(1.6)) == []
    struck_again = run(9, attempt(9, 14, "lost"), attempt(15, 16, instance="i-2"))
    assert [one.run for one in promises.rescues([*history(), struck_again], INSTANCE, at(1.6))] == ["r-1"]
    assert [one.seconds for one in promises.rescues([struck_again], INSTANCE, at(11))] == [4.0]


def test_what_a_woken_instance_writes_late_is_found() -> None:
    before = history()
    after = deepcopy(before)
    after[0]["reason"] = "scribbled"
    (wrong,) = promises.late_writes(before, after, INSTANCE, at(5))
    assert "run r-0 of j had ended succeeded, and was changed afterwards" in wrong
    after = [*history(), run(4.8, attempt(4.9, 5.2))]
    (wrong,) = promises.late_writes(before, after, INSTANCE, at(5))
    assert "although its instance was frozen" in wrong
    assert promises.late_writes(before, after, "another", at(5)) == []


def test_runs_that_failed_or_were_left_running_are_found() -> None:
    failed = run(8, state="failed", error={"message": "no such table"})
    assert promises.failures([failed]) == ["run r-8 of j is failed: no such table"]
    assert len(promises.nothing_left_running([run(8, state="running")])) == 1


def test_rows_are_lost_or_doubled() -> None:
    assert promises.rows(range(3), [0, 1, 2]) == promises.Rows(expected=3, lost=0, doubled=0)
    assert promises.rows(range(3), [0, 1, 1, 1]) == promises.Rows(expected=3, lost=1, doubled=2)
    assert promises.rows(range(3), [0, 1, 2, 9]) == promises.Rows(expected=3, lost=0, doubled=1)
