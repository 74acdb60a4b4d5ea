"""The checker itself, against planted bugs: a check that cannot fail proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys import checker

START = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def run(second: float, *, sequence: int, state: str = "succeeded", seconds: float = 0.5, **more: Any) -> dict[str, Any]:
    attempt = {"started_at": at(second), "ended_at": at(second + seconds)}
    return {
        "_id": f"r{sequence}",
        "job_id": "j",
        "trigger": "schedule",
        "fire_time": at(second),
        "state": state,
        "sequence": sequence,
        "attempts": [attempt] if state == "succeeded" else [],
    } | more


GOOD = [
    run(0, sequence=1),
    run(1, sequence=2, state="skipped"),
    run(2, sequence=3, state="missed", missed_until=at(5), missed_count=4),
    run(6, sequence=4),
]


def test_a_history_that_keeps_the_promises_passes() -> None:
    assert checker.fire_times_without_holes(GOOD, SECOND) == []
    assert checker.never_twice_at_once(GOOD) == []
    assert checker.sequences_grow(GOOD) == []
    assert checker.nothing_left_running(GOOD) == []


@pytest.mark.parametrize(
    ("check", "bug"),
    [
        ("hole", [run(0, sequence=1), run(2, sequence=2)]),
        ("hole", [run(0, sequence=1), run(0, sequence=2)]),
        ("hole", [run(0, sequence=1, state="missed", missed_until=at(3)), run(3, sequence=2)]),
        ("twice", [run(0, sequence=1, seconds=2), run(1, sequence=2)]),
        ("sequence", [run(0, sequence=1), run(1, sequence=1)]),
        ("sequence", [run(0, sequence=2), run(1, sequence=1)]),
        ("running", [run(0, sequence=1, state="running")]),
    ],
)
def test_a_planted_bug_is_found(check: str, bug: list[dict[str, Any]]) -> None:
    found = {
        "hole": checker.fire_times_without_holes(bug, SECOND),
        "twice": checker.never_twice_at_once(bug),
        "sequence": checker.sequences_grow(bug),
        "running": checker.nothing_left_running(bug),
    }
    assert found[check]


def test_a_term_that_never_ended_is_found() -> None:
    first = {"_id": 1, "gained_at": at(0), "ended_at": None, "how": None}
    second = {"_id": 2, "gained_at": at(5), "ended_at": None, "how": None}
    assert checker.tokens_only_grow([first, second])
    assert not checker.tokens_only_grow([first | {"ended_at": at(5), "how": "expired"}, second])
