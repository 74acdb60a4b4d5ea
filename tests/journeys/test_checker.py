"""The checker itself, against planted bugs: a check that cannot fail proves nothing."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import StartProgram
from tests.journeys import checker
from tests.waiting import until
from worker.job import Job, Schedule, StreamSpec
from worker.store import Store

START = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def attempt(second: float, seconds: float = 0.5, *, token: int = 1, outcome: str = "succeeded") -> dict[str, Any]:
    return {"started_at": at(second), "ended_at": at(second + seconds), "token": token, "outcome": outcome}


def run(second: float, *, sequence: int, state: str = "succeeded", seconds: float = 0.5, **more: Any) -> dict[str, Any]:
    worked = state not in ("skipped", "missed", "queued")
    attempts = [attempt(second, seconds)] if worked and state != "running" else []
    return {
        "_id": f"r{sequence}",
        "job_id": "j",
        "trigger": "schedule",
        "fire_time": at(second),
        "state": state,
        "reason": None if worked else "because",
        "sequence": sequence,
        "attempt": int(worked),
        "claim": {"instance": "i" if state == "running" else None, "token": int(worked)},
        "lease_token": 1,
        "finished_at": None if state in ("queued", "running", "held") else at(second + seconds),
        "attempts": attempts,
    } | more


def claim(token: int, instance: str | None = None) -> dict[str, Any]:
    return {"claim": {"token": token, "instance": instance}}


def term(token: int, gained: float, ended: float | None, how: str | None = "released") -> dict[str, Any]:
    ended_at = None if ended is None else at(ended)
    return {"_id": token, "gained_at": at(gained), "ended_at": ended_at, "how": None if ended is None else how}


GOOD = [
    run(0, sequence=1),
    run(1, sequence=2, state="skipped"),
    run(2, sequence=3, state="missed", missed_until=at(5), missed_count=4),
    run(
        6,
        sequence=4,
        attempt=2,
        attempts=[
            attempt(6, 0.1, token=1, outcome="lost"),
            attempt(6.2, 0.1, token=2, outcome="interrupted"),
            attempt(6.4, 0.1, token=4),
        ],
        lease_token=2,
        **claim(4),
    ),
    run(7, sequence=5, state="queued", lease_token=2),
]
TERMS = [term(1, 0, 5, "expired"), term(2, 5, None)]


class Collection:
    """What the checker asks of a collection."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self._documents = documents

    def find(self) -> list[dict[str, Any]]:
        return self._documents


def all_promises(runs: list[dict[str, Any]], terms: list[dict[str, Any]] = TERMS) -> list[str]:
    return checker.all_promises({"runs": Collection(runs), "lease_terms": Collection(terms)}, SECOND)


def test_a_history_that_keeps_the_promises_passes() -> None:
    assert all_promises(GOOD) == []


# The check that must find it -> histories with one bug each.
BUGS: dict[str, list[list[dict[str, Any]]]] = {
    "fire_times_without_holes": [
        [run(0, sequence=1), run(2, sequence=2)],
        [run(0, sequence=1), run(0, sequence=2, state="skipped")],
        [run(0, sequence=1, state="missed", missed_until=at(3), missed_count=4), run(3, sequence=2)],
        [run(0, sequence=1, state="missed", missed_until=at(3), missed_count=4), run(5, sequence=2)],
    ],
    "told_why": [
        [run(0, sequence=1, state="skipped", reason=None)],
        [run(0, sequence=1, state="missed", reason="")],
        [run(0, sequence=1, state="missed", missed_until=at(3), missed_count=3)],
        [run(0, sequence=1, state="skipped", attempt=1, attempts=[attempt(0)], **claim(1))],
    ],
    "never_twice_at_once": [
        [run(0, sequence=1, seconds=2), run(1, sequence=2)],
        [run(0, sequence=1, attempt=2, attempts=[attempt(0, 2), attempt(1, token=2)], **claim(2))],
    ],
    "one_active_run": [
        [run(0, sequence=1, state="queued"), run(1, sequence=2, state="queued")],
        [run(0, sequence=1, state="queued", trigger="manual"), run(1, sequence=2, state="queued")],
    ],
    "claims_only_grow": [
        [run(0, sequence=1, attempt=2, attempts=[attempt(0, 0.1), attempt(0.2, 0.1)], **claim(1))],
        [run(0, sequence=1, attempt=2, attempts=[attempt(0, 0.1, token=3), attempt(0.2, 0.1, token=2)], **claim(3))],
        [run(0, sequence=1, attempts=[attempt(0, token=2)], **claim(1))],
    ],
    "attempts_are_counted": [
        [run(0, sequence=1, attempt=2)],
        [run(0, sequence=1, attempt=0)],
        [run(0, sequence=1, attempts=[attempt(0, outcome="interrupted")])],
    ],
    "sequences_grow": [
        [run(0, sequence=1), run(1, sequence=1)],
        [run(0, sequence=2), run(1, sequence=1)],
    ],
    "nothing_left_running": [[run(0, sequence=1, state="running")]],
    "ends_are_final": [
        [run(0, sequence=1, finished_at=None)],
        [run(0, sequence=1, state="queued", finished_at=at(1))],
        [run(0, sequence=1, **claim(1, "i"))],
    ],
    "planned_by_a_term": [[run(0, sequence=1, lease_token=7)]],
}


@pytest.mark.parametrize(
    ("check", "bug"),
    [pytest.param(check, bug, id=f"{check}-{n}") for check in BUGS for n, bug in enumerate(BUGS[check])],
)
def test_a_planted_bug_is_found(check: str, bug: list[dict[str, Any]]) -> None:
    given = {"runs": bug, "interval": SECOND, "terms": TERMS}
    function = getattr(checker, check)
    found = function(*(given[name] for name in inspect.signature(function).parameters))
    assert found
    assert all_promises(bug) == found, "the other checks find nothing in it, and all of them together just this"


@pytest.mark.parametrize(
    "bug",
    [
        [term(1, 0, None), term(2, 5, None)],
        [term(1, 0, 9), term(2, 5, None)],
        [term(1, 0, 9, "lost"), term(2, 5, None)],
        [term(1, 6, 6.5), term(2, 5.7, None)],
    ],
    ids=["no end", "released too late", "lost too late", "began before"],
)
def test_a_bug_in_the_terms_is_found(bug: list[dict[str, Any]]) -> None:
    assert checker.tokens_only_grow(bug)
    assert all_promises([], bug) == checker.tokens_only_grow(bug)


def test_every_check_has_its_bug() -> None:
    source = inspect.getsource(checker.all_promises)
    checks = {name for name in vars(checker) if f"*{name}(" in source}
    assert checks == {*BUGS, "tokens_only_grow"}


def told(document: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(document, default=datetime.isoformat))
    return {"id": plain.pop("_id"), **plain}


def test_what_the_api_leaves_out_adds_or_changes_is_found() -> None:
    right = [told(document) for document in GOOD]
    assert checker.told_alike(GOOD, right) == []
    assert checker.told_alike(GOOD, right[1:]) == ["run r1 is not told"]
    assert checker.told_alike(GOOD, [*right, {**right[0], "id": "r9"}]) == ["run r9 is told and not stored"]
    for name in checker.SHOWN:
        changed: Any = {"sequence": 99, "attempt": 99}.get(name, "2026-05-02T00:00:00+00:00")
        assert len(checker.told_alike(GOOD, [{**right[2], name: changed}, right[0], right[1], *right[3:]])) == 1


@pytest.mark.journey
def test_the_api_tells_what_the_database_holds(
    store: Store, program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    streams = (StreamSpec(name="rows"),)
    first = store.now().replace(microsecond=0)
    for number in range(3):
        job = Job(id=f"j{number}", source="none", destination="none", streams=streams, schedule=Schedule(every=3_600))
        store.jobs.insert(job)
        store.database["jobs"].update_one(
            {"_id": job.id}, {"$set": {"next_fire_time": first - number * 3_600 * SECOND}}
        )
    one = program("-m", "app", env=environment(APP_ENV="production", AUTH="none", SECRET_KEY="a key for the journeys"))
    ended = {"state": "failed"}
    until(lambda: store.database["runs"].count_documents(ended) == 3, "each job's run has ended, having no connection")
    assert checker.told_truly(store.database, one.url) == []
    store.database["runs"].update_many({}, {"$set": {"reason": "somebody changed it by hand"}})
    assert checker.told_truly(store.database, one.url) == []
