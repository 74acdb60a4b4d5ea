"""What the pages show of many runs at once: the last ones of each job, timelines, throughput, standings.

Every answer costs the server one query a call, over an index, whatever the number of jobs; runs come as briefs, without
their attempts and streams. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from worker.run import ACTIVE, RunState
from worker.store.client import Document, guarded

RECENT = 20
# A run that was queued this long before the window and ended in it is not found; one that goes on always is.
LONGEST = timedelta(days=2)
UNSAID = [str(RunState.SKIPPED), str(RunState.MISSED)]
UNHAPPY = sorted((str(RunState.FAILED), str(RunState.CANCELLED)))
LIVELY = sorted(str(state) for state in {*ACTIVE, RunState.HELD})
NEWEST: Mapping[str, int] = {"queued_at": -1, "_id": -1}


def _sum(field: str) -> Document:
    """Over the streams of a run, whose names may be anything."""
    # A document that somebody broke by hand must not cost every other its answer.
    streams = {"$cond": [{"$eq": [{"$type": "$progress"}, "object"]}, "$progress", {}]}
    return {"$sum": {"$map": {"input": {"$objectToArray": streams}, "in": f"$$this.v.{field}"}}}


COUNTS = {field: _sum(field) for field in ("read", "written", "deleted", "bytes")}
BRIEF: Document = {
    **dict.fromkeys(("job_id", "trigger", "fire_time", "state", "reason", "sequence", "attempt", "not_before"), 1),
    **dict.fromkeys(("queued_at", "started_at", "finished_at", "missed_until", "missed_count", "error", "cancel"), 1),
    "removes": "$held.removes",
    "verifies": {"$eq": [{"$type": "$verify"}, "object"]},
    **COUNTS,
}
_MISSED = ("missed_until", "missed_count")
SPAN: Document = dict.fromkeys(("job_id", "state", "queued_at", "started_at", "finished_at", "fire_time", *_MISSED), 1)


@guarded
class Figures:
    def __init__(self, database: Database[Document]) -> None:
        self._jobs = database["jobs"]
        self._runs = database["runs"]

    def ensure_indexes(self) -> None:
        self._runs.create_index(
            [("job_id", 1), ("queued_at", -1)],
            partialFilterExpression={"state": str(RunState.SUCCEEDED)},
            name="successes_of_a_job",
        )
        unhappy = {"state": {"$in": UNHAPPY}}
        order = [("state", 1), ("job_id", 1), ("queued_at", -1)]
        self._runs.create_index(order, partialFilterExpression=unhappy, name="failures_of_a_job")

    def recent(self, job_ids: Sequence[str], limit: int = RECENT) -> dict[str, list[Document]]:
        """Job id -> briefs of its newest runs, newest first."""
        return self._of_each(job_ids, [{"$sort": NEWEST}, {"$limit": limit}, {"$project": BRIEF}])

    def latest(self, job_ids: Sequence[str]) -> dict[str, Document]:
        """Job id -> brief of its newest run that was neither skipped nor missed."""
        said: Document = {"$match": {"state": {"$nin": UNSAID}}}
        found = self._of_each(job_ids, [said, {"$sort": NEWEST}, {"$limit": 1}, {"$project": BRIEF}])
        return {job_id: runs[0] for job_id, runs in found.items()}

    def telling(self, job_ids: Sequence[str]) -> dict[str, Document]:
        """Job id -> {state, error} of its newest run that was neither skipped nor missed, at a third of the work."""
        said: Document = {"$match": {"state": {"$nin": UNSAID}}}
        words: Document = {"$project": {"_id": 0, "state": 1, "error": 1}}
        found = self._of_each(job_ids, [said, {"$sort": NEWEST}, {"$limit": 1}, words])
        return {job_id: runs[0] for job_id, runs in found.items()}

    def successes(self, job_ids: Sequence[str], limit: int = RECENT) -> dict[str, list[Document]]:
        """Job id -> briefs of its newest runs that succeeded; those that only verified are left out."""
        moved: Document = {"$match": {"state": str(RunState.SUCCEEDED), "verify": None}}
        return self._of_each(job_ids, [moved, {"$sort": {"queued_at": -1}}, {"$limit": limit}, {"$project": BRIEF}])

    def moved(self, job_id: str, limit: int = RECENT) -> list[Document]:
        """{started_at, finished_at, progress} of the newest runs of a job that succeeded and moved rows."""
        query: Document = {"job_id": job_id, "state": str(RunState.SUCCEEDED), "verify": None, "undo": None}
        fields = dict.fromkeys(("started_at", "finished_at", "progress"), 1)
        return list(self._runs.find(query, fields).sort("queued_at", -1).limit(limit))

    def neighbours(self, run: Mapping[str, Any]) -> tuple[Document | None, Document | None]:
        """Briefs of the job's runs just before and just after `run`."""

        def beside(where: Document, order: int) -> Document | None:
            query = {"job_id": run["job_id"], "sequence": where}
            return self._runs.find_one(query, BRIEF, sort=[("sequence", order)])

        return beside({"$lt": run["sequence"]}, -1), beside({"$gt": run["sequence"]}, 1)

    def timeline(
        self, job_ids: Sequence[str], since: datetime, until: datetime, limit: int
    ) -> dict[str, list[Document]]:
        """Job id -> its runs that touch the window, oldest first, the newest `limit` of them."""
        known = [str(state) for state in RunState]  # whatever somebody wrote by hand is left out
        around: Document = {"queued_at": {"$gte": since - LONGEST, "$lt": until}, "state": {"$in": known}}
        touching = [{"finished_at": {"$gte": since}}, {"state": {"$in": LIVELY}}, {"missed_until": {"$gte": since}}]
        stages: list[Document] = [
            {"$match": around | {"$or": touching}},
            {"$sort": NEWEST},
            {"$limit": limit},
            {"$project": SPAN},
        ]
        return {job_id: runs[::-1] for job_id, runs in self._of_each(job_ids, stages).items()}

    def throughput(self, since: datetime, until: datetime, buckets: int, job: str | None = None) -> list[Document]:
        """Runs by when they ended, skipped ones too: {bucket, state, runs, read, written, deleted, bytes}."""
        width = (until - since) / timedelta(milliseconds=1) / buckets
        where: Document = {"finished_at": {"$gte": since, "$lt": until}} | ({"job_id": job} if job else {})
        bucket = {"$toInt": {"$floor": {"$divide": [{"$subtract": ["$finished_at", since]}, width]}}}
        sums = {name: {"$sum": f"${name}"} for name in COUNTS}
        stages: list[Document] = [
            {"$match": where},
            {"$project": {"state": 1, "bucket": bucket, **COUNTS}},
            {"$group": {"_id": {"bucket": "$bucket", "state": "$state"}, "runs": {"$sum": 1}, **sums}},
            {"$sort": {"_id.bucket": 1, "_id.state": 1}},
        ]
        return [one.pop("_id") | one for one in self._runs.aggregate(stages)]

    def facts(self) -> dict[str, Document]:
        """Job id -> {enabled, next_fire_time, data_as_of} of every job."""
        fields: Document = dict.fromkeys(("enabled", "next_fire_time", "data_as_of"), 1)
        return {job["_id"]: job for job in self._jobs.find({}, fields)}

    def lively(self) -> list[str]:
        """Ids of the jobs that have a queued, running or held run."""
        return self._runs.distinct("job_id", {"state": {"$in": LIVELY}})

    def failures(self) -> dict[str, datetime]:
        """Job id -> when its newest run was queued that failed or was cancelled."""
        stages: list[Document] = [
            {"$match": {"state": {"$in": UNHAPPY}, "queued_at": {"$type": "date"}}},
            {"$group": {"_id": "$job_id", "queued_at": {"$max": "$queued_at"}}},
        ]
        found = self._runs.aggregate(stages, hint="failures_of_a_job")
        return {one["_id"]: one["queued_at"] for one in found}

    def _of_each(self, job_ids: Sequence[str], stages: list[Document]) -> dict[str, list[Document]]:
        """Job id -> what `stages` find of its runs; each job's part goes over an index of its own."""
        if not job_ids:
            return {}
        lookup: Any = {"from": "runs", "localField": "_id", "foreignField": "job_id", "pipeline": stages, "as": "runs"}
        query: list[Document] = [
            {"$match": {"_id": {"$in": list(job_ids)}}},
            {"$project": {"_id": 1}},
            {"$lookup": lookup},
        ]
        return {found["_id"]: found["runs"] for found in self._jobs.aggregate(query) if found["runs"]}
