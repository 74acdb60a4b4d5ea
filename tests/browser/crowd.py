"""Ten thousand jobs with ten runs each, as the store keeps them, put straight into a database: nothing runs them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from worker.job import Job, Schedule, StreamSpec
from worker.run import Trigger
from worker.store.jobs import to_document

JOBS, RUNS_EACH = 10_000, 10
CONNECTIONS = 10
AT_ONCE = 500
SEED = 11
STATES = ("succeeded", "failed", "skipped", "cancelled")
WEIGHTS = (90, 5, 4, 1)


def gather(database: Database[dict[str, Any]], now: datetime) -> None:
    """Fill the database; every job is due within the next hour. Its client must be a patient one."""
    chance = random.Random(SEED)
    for first in range(0, JOBS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        histories = [history(number, now, chance) for number in numbers]
        database["runs"].insert_many([run for runs in histories for run in runs], ordered=False)
        jobs = [job(number, runs, now) for number, runs in zip(numbers, histories, strict=True)]
        database["jobs"].insert_many(jobs, ordered=False)


def name(number: int) -> str:
    return f"job-{number:05}"


def job(number: int, runs: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
    succeeded = [run["started_at"] for run in runs if run["state"] == "succeeded"]
    made = Job(
        id=name(number),
        source=f"source-{number % CONNECTIONS}",
        destination="lake",
        streams=(StreamSpec(name="orders"),),
        schedule=Schedule(every=300.0 + 60 * (number % 50)),
        next_fire_time=now + timedelta(seconds=600 + number % 3000),
    )
    stamps = {"created_at": now, "updated_at": now, "revision": 1, "last_sequence": RUNS_EACH}
    return {"_id": made.id, **to_document(made), **stamps, "data_as_of": max(succeeded, default=None)}


def history(number: int, now: datetime, chance: random.Random) -> list[dict[str, Any]]:
    """A run each five minutes, the newest a few minutes ago."""
    newest = now - timedelta(minutes=5 + number % 5, seconds=number % 60)
    ago = (timedelta(minutes=5 * (RUNS_EACH - sequence)) for sequence in range(1, RUNS_EACH + 1))
    return [run(name(number), sequence, newest - back, chance) for sequence, back in enumerate(ago, start=1)]


def run(job_id: str, sequence: int, at: datetime, chance: random.Random) -> dict[str, Any]:
    state = chance.choices(STATES, WEIGHTS)[0]
    began = None if state == "skipped" else at
    moved = {"read": 1_000, "written": chance.randrange(5_000), "deleted": 0, "bytes": 100_000, "total": None}
    error = {"type": "SourceUnavailable", "message": "no answer", "stream": "orders"} if state == "failed" else None
    return {
        "_id": uuid.UUID(int=chance.getrandbits(128)).hex,
        "job_id": job_id,
        "trigger": str(Trigger.SCHEDULE),
        "state": state,
        "sequence": sequence,
        "attempt": 1,
        "claim": {"instance": None, "token": 1, "renewed_at": None, "expires_at": None},
        "lease_token": 1,
        **dict.fromkeys(("fire_time", "queued_at"), at),
        **dict.fromkeys(("started_at", "attempt_started_at"), began),
        "finished_at": at + timedelta(seconds=chance.randint(1, 200)),
        "progress": {"orders": {"state": "succeeded", "checkpoint": None, **moved}},
        "error": error,
        "attempts": [],
        **dict.fromkeys(("reason", "not_before", "cancel", "retry_of", "approved"), None),
    }
