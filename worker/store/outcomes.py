"""How runs ended, what is held and how old data is, for whoever tells people of it: bounded looks, many jobs at once.

It reads `runs` and `jobs`, writes neither and decides nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from pymongo.database import Database

from worker.run import RunState
from worker.store.client import Document, guarded, parts

ENDED = [str(RunState.FAILED), str(RunState.SUCCEEDED)]
_FIELDS: Document = dict.fromkeys(("job_id", "state", "sequence", "finished_at", "error"), 1)


@guarded
class Outcomes:
    def __init__(self, database: Database[Document]) -> None:
        self._runs = database["runs"]
        self._jobs = database["jobs"]

    def ensure_indexes(self) -> None:
        ended = {"state": {"$in": ENDED}}
        order = [("job_id", 1), ("state", 1), ("sequence", 1)]
        self._runs.create_index(order, partialFilterExpression=ended, name="outcomes_of_a_job")
        self._runs.create_index([("finished_at", 1), ("sequence", 1)], partialFilterExpression=ended, name="outcomes")

    def ended(self, since: datetime, known: Container[str], limit: int) -> list[Document]:
        """Runs that succeeded or failed since then, the earliest first, without those that are known.

        Those of one job are in the order in which they ended.
        """
        query = {"finished_at": {"$gte": since}, "state": {"$in": ENDED}}
        found = []
        with self._runs.find(query, _FIELDS).sort([("finished_at", 1), ("sequence", 1)]).hint("outcomes") as cursor:
            for run in cursor:
                if run["_id"] not in known:
                    found.append(run)
                    if len(found) == limit:
                        break
        return found

    def successes_before(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Run id -> sequence of the job's last run before it that succeeded; 0: none is kept."""
        found: dict[str, int] = {}
        for some in parts(run_ids):
            stages: list[Document] = [{"$match": {"_id": {"$in": some}}}, *_BEFORE, {"$project": {"before": 1}}]
            found |= {one["_id"]: one["before"] for one in self._runs.aggregate(stages)}
        return found

    def streaks(self, run_ids: Sequence[str]) -> dict[str, Document]:
        """Run id -> {failures, first, since}: how many runs failed in a row up to it, the first, and when that ended.

        Runs that were cancelled, skipped or missed neither count nor end a row.
        """
        row: list[Document] = [
            {
                "$match": {
                    "state": str(RunState.FAILED),
                    "$expr": {"$and": [{"$gt": ["$sequence", "$$before"]}, {"$lte": ["$sequence", "$$this"]}]},
                }
            },
            {"$sort": {"sequence": 1}},
            {
                "$group": {
                    "_id": None,
                    "failures": {"$sum": 1},
                    "first": {"$first": "$_id"},
                    "since": {"$first": "$finished_at"},
                }
            },
        ]
        found: dict[str, Document] = {}
        for some in parts(run_ids):
            names = {"before": "$before", "this": "$sequence"}
            stages = [
                {"$match": {"_id": {"$in": some}}},
                *_BEFORE,
                _others(row, names, "row"),
                {"$project": {"row": 1}},
            ]
            found |= {one["_id"]: one["row"][0] for one in self._runs.aggregate(stages) if one["row"]}
        return found

    def held(self, known: Container[tuple[str, int]], limit: int) -> tuple[list[Document], set[tuple[str, int]]]:
        """Runs that are held and not known as (id, attempt), with since when; and all that are held, so named."""
        query = {"state": str(RunState.HELD)}
        there = {(run["_id"], run.get("attempt") or 0) for run in self._runs.find(query, {"attempt": 1})}
        unknown = sorted(one[0] for one in there if one not in known)[:limit]
        fields: Document = {"job_id": 1, "attempt": 1, "reason": 1, "held": 1, "attempts": {"$slice": -1}}
        found = list(self._runs.find(query | {"_id": {"$in": unknown}}, fields)) if unknown else []
        return found, there

    def born(self, job_ids: Sequence[str]) -> dict[str, datetime]:
        """Job -> when it was made, of those that are there."""
        found: dict[str, datetime] = {}
        for some in parts(job_ids):
            for job in self._jobs.find({"_id": {"$in": some}, "created_at": {"$type": "date"}}, {"created_at": 1}):
                found[job["_id"]] = job["created_at"]
        return found

    def old(self, before: datetime) -> dict[str, datetime]:
        """Enabled job -> as of when its data is, or when it was made where it has brought none; those before then."""
        age = {"$ifNull": ["$data_as_of", "$created_at"]}
        dated = {"$eq": [{"$type": age}, "date"]}
        query = {"enabled": True, "$expr": {"$and": [dated, {"$lt": [age, before]}]}}
        return {job["_id"]: job["as_of"] for job in self._jobs.find(query, {"as_of": age})}

    def ages(self, job_ids: Sequence[str]) -> dict[str, datetime]:
        """Job -> as of when its data is, as `old` has it, of those that are there."""
        found: dict[str, datetime] = {}
        for some in parts(job_ids):
            age: Any = {"$ifNull": ["$data_as_of", "$created_at"]}
            for job in self._jobs.find({"_id": {"$in": some}}, {"as_of": age}):
                if isinstance(job.get("as_of"), datetime):
                    found[job["_id"]] = job["as_of"]
        return found


def _others(stages: Sequence[Document], names: Document, field: str) -> Document:
    """A stage: what `stages` find among the runs of the same job, over an index of that job's."""
    lookup = {"from": "runs", "localField": "job_id", "foreignField": "job_id", "let": names, "as": field}
    return {"$lookup": lookup | {"pipeline": list(stages)}}


_SUCCEEDED: list[Document] = [
    {"$match": {"state": str(RunState.SUCCEEDED), "$expr": {"$lt": ["$sequence", "$$this"]}}},
    {"$sort": {"sequence": -1}},
    {"$limit": 1},
    {"$project": {"_id": 0, "sequence": 1}},
]
_BEFORE: list[Document] = [
    _others(_SUCCEEDED, {"this": "$sequence"}, "succeeded"),
    {"$set": {"before": {"$ifNull": [{"$first": "$succeeded.sequence"}, 0]}}},
]
