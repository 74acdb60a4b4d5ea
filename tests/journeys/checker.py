"""Does what the database and the API show keep the promises? Knows nothing of the program's code.

Each check returns what is wrong, in words; an empty list is a pass. `tests/journeys/test_checker.py` plants bugs.
"""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

Document = Mapping[str, Any]

ACTIVE = ("queued", "running")
FROM_BIRTH = ("skipped", "missed")
FINAL = ("succeeded", "failed", "cancelled", *FROM_BIRTH)


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


def told_why(runs: Iterable[Document], interval: timedelta) -> list[str]:
    """What did not run says why, was never claimed, and counts the fire times that it stands for."""
    wrong = []
    for run in (run for run in runs if run["state"] in FROM_BIRTH):
        name = f"{run['job_id']}: the {run['state']} {run['fire_time']}"
        if not run["reason"]:
            wrong.append(f"{name} gives no reason")
        if run["attempts"] or run["claim"]["token"]:
            wrong.append(f"{name} was claimed")
        if run.get("missed_until"):
            count = (run["missed_until"] - run["fire_time"]) // interval + 1
            if count != run["missed_count"]:
                wrong.append(f"{name} counts {run['missed_count']} fire times, its span has {count}")
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


def one_active_run(runs: Iterable[Document]) -> list[str]:
    """At most one run of a job is queued or running."""
    active = {job: sum(run["state"] in ACTIVE for run in own) for job, own in by_job(runs).items()}
    return [f"{job} has {count} active runs" for job, count in active.items() if count > 1]


def claims_only_grow(runs: Iterable[Document]) -> list[str]:
    """Each attempt of a run had a larger token than the one before, and none is larger than the run's own."""
    wrong = []
    for run in runs:
        tokens = [attempt["token"] for attempt in run["attempts"]]
        if (
            any(later <= earlier for earlier, later in pairwise(tokens))
            or max(tokens, default=0) > run["claim"]["token"]
        ):
            wrong.append(f"{run['job_id']}: run {run['_id']} was claimed by {tokens}, then {run['claim']['token']}")
    return wrong


def attempts_are_counted(runs: Iterable[Document]) -> list[str]:
    """A run's `attempt` counts its tries; only one that was interrupted is given back."""
    wrong = []
    for run in runs:
        counted = sum(attempt["outcome"] != "interrupted" for attempt in run["attempts"])
        going_on = run["state"] == "running"
        if run["attempt"] != counted + going_on:
            wrong.append(f"{run['job_id']}: run {run['_id']} is at attempt {run['attempt']}, and {counted} ended")
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


def ends_are_final(runs: Iterable[Document]) -> list[str]:
    """What ended says when, and nobody holds it; what did not end does not say so."""
    wrong = []
    for run in runs:
        name = f"{run['job_id']}: run {run['_id']} is {run['state']}"
        if (run["finished_at"] is not None) != (run["state"] in FINAL):
            wrong.append(f"{name}, finished at {run['finished_at']}")
        if (run["claim"]["instance"] is not None) != (run["state"] == "running"):
            wrong.append(f"{name}, claimed by {run['claim']['instance']}")
    return wrong


def tokens_only_grow(terms: Iterable[Document]) -> list[str]:
    """Each term of the lease has a token of its own and ends before the next begins."""
    wrong = []
    ordered = sorted(terms, key=lambda term: term["_id"])
    for earlier, later in pairwise(ordered):
        if earlier["ended_at"] is None:
            wrong.append(f"term {earlier['_id']} has no end although term {later['_id']} began")
        elif earlier["how"] != "expired" and earlier["ended_at"] > later["gained_at"] + timedelta(seconds=1):
            wrong.append(f"term {earlier['_id']} ended after term {later['_id']} began")
        if later["gained_at"] < earlier["gained_at"]:
            wrong.append(f"term {later['_id']} began before term {earlier['_id']}")
    return wrong


def planned_by_a_term(runs: Iterable[Document], terms: Iterable[Document]) -> list[str]:
    """Whoever planned a fire time held the lease once, by a token that nobody else had."""
    known = {term["_id"] for term in terms}
    planned = {run["lease_token"] for run in runs if run["trigger"] == "schedule"}
    return [f"runs were planned under token {token}, which no term has" for token in planned - known]


def all_promises(database: Any, interval: timedelta) -> list[str]:
    """Every check over one coordination database."""
    runs, terms = list(database["runs"].find()), list(database["lease_terms"].find())
    return [
        *fire_times_without_holes(runs, interval),
        *told_why(runs, interval),
        *never_twice_at_once(runs),
        *one_active_run(runs),
        *claims_only_grow(runs),
        *attempts_are_counted(runs),
        *sequences_grow(runs),
        *nothing_left_running(runs),
        *ends_are_final(runs),
        *tokens_only_grow(terms),
        *planned_by_a_term(runs, terms),
    ]


# The same history as the API tells it.

SHOWN = ("job_id", "trigger", "fire_time", "state", "reason", "sequence", "attempt", "finished_at", "missed_until")


def told_alike(stored: Iterable[Document], told: Iterable[Document]) -> list[str]:
    """The API leaves out no run, adds none, and says of each what the database holds."""
    wrong = []
    here, there = {run["_id"]: run for run in stored}, {run["id"]: run for run in told}
    wrong += [f"run {one} is not told" for one in here.keys() - there.keys()]
    wrong += [f"run {one} is told and not stored" for one in there.keys() - here.keys()]
    for one in here.keys() & there.keys():
        for name in SHOWN:
            kept, said = here[one].get(name), there[one].get(name)
            if (datetime.fromisoformat(said) if isinstance(kept, datetime) and said else said) != kept:
                wrong.append(f"run {one}: {name} is {kept}, and is told as {said}")
    return wrong


def told_runs(url: str, token: str | None = None) -> Iterator[Document]:
    """Every run that `GET /api/runs` lists, page by page."""
    after: dict[str, str] = {}
    while True:
        page = _get(f"{url}/api/runs?{urlencode({'limit': '500', **after})}", token)
        yield from page["items"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def told_truly(database: Any, url: str, token: str | None = None) -> list[str]:
    """What the API at `url` tells of runs and lease, against the database; for a program that is at rest."""
    wrong = told_alike(database["runs"].find(), told_runs(url, token))
    lease, told = database["leases"].find_one({}), _get(f"{url}/api/status", token)["lease"]
    if lease is not None and (told is None or told["token"] != lease["token"]):
        wrong.append(f"the lease has token {lease['token']}, and is told as {told}")
    return wrong


def _get(url: str, token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)
