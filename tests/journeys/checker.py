"""Does what the database holds keep the promises? Reads collections alone, knows nothing of the program's code.

Each check returns what is wrong, in words; an empty list is a pass. `tests/journeys/test_checker.py` plants bugs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

Document = Mapping[str, Any]


def by_job(runs: Iterable[Document]) -> dict[str, list[Document]]:
    grouped: dict[str, list[Document]] = defaultdict(list)
    for run in runs:
        grouped[run["job_id"]].append(run)
    return grouped


def fire_times_without_holes(runs: Iterable[Document], interval: timedelta) -> list[str]:
    """Every fire time between a job's first and last has exactly one document; a gap's document covers its span."""
    wrong = []
    for job, own in by_job(runs).items():
        scheduled = sorted((r for r in own if r["trigger"] == "schedule"), key=lambda r: r["fire_time"])
        for earlier, later in pairwise(scheduled):
            end: datetime = earlier.get("missed_until") or earlier["fire_time"]
            step = later["fire_time"] - end
            if step != interval:
                what = "twice or overlapping" if step < interval else "a hole"
                wrong.append(f"{job}: {what} between {end} and {later['fire_time']}")
    return wrong


def spans(run: Document) -> list[tuple[datetime, datetime]]:
    return [(a["started_at"], a["ended_at"]) for a in run["attempts"] if a["started_at"]]


def never_twice_at_once(runs: Iterable[Document]) -> list[str]:
    """No job was worked on by two attempts at the same time (the server's clock)."""
    wrong = []
    for job, own in by_job(runs).items():
        attempts = sorted(span for run in own for span in spans(run))
        for (_, ended), (started, _) in pairwise(attempts):
            if started < ended:
                wrong.append(f"{job}: an attempt began at {started}, before another ended at {ended}")
    return wrong


def sequences_grow(runs: Iterable[Document]) -> list[str]:
    """No two runs of a job share a sequence, and later queued runs have larger ones."""
    wrong = []
    for job, own in by_job(runs).items():
        numbers = [run["sequence"] for run in own]
        if len(numbers) != len(set(numbers)):
            wrong.append(f"{job}: a sequence is used twice")
        worked = sorted((r for r in own if r["attempts"]), key=lambda r: r["sequence"])
        starts = [run["attempts"][0]["started_at"] for run in worked]
        if starts != sorted(starts):
            wrong.append(f"{job}: sequences do not follow the order of the runs")
    return wrong


def nothing_left_running(runs: Iterable[Document]) -> list[str]:
    return [f"{run['job_id']}: run {run['_id']} is still running" for run in runs if run["state"] == "running"]


def tokens_only_grow(terms: Iterable[Document]) -> list[str]:
    """Each term of the lease has a token of its own and ends before the next begins."""
    wrong = []
    ordered = sorted(terms, key=lambda term: term["_id"])
    for earlier, later in pairwise(ordered):
        if earlier["ended_at"] is None:
            wrong.append(f"term {earlier['_id']} has no end although term {later['_id']} began")
        elif earlier["how"] != "expired" and earlier["ended_at"] > later["gained_at"] + timedelta(seconds=1):
            wrong.append(f"term {earlier['_id']} ended after term {later['_id']} began")
    return wrong


def all_promises(database: Any, interval: timedelta) -> list[str]:
    """Every check over one coordination database."""
    runs, terms = list(database["runs"].find()), list(database["lease_terms"].find())
    return [
        *fire_times_without_holes(runs, interval),
        *never_twice_at_once(runs),
        *sequences_grow(runs),
        *nothing_left_running(runs),
        *tokens_only_grow(terms),
    ]
