"""What files declare, written in bulk: jobs by the thousand in a few calls, and which file was applied when.

Whoever calls puts the calls together into one transaction; each alone is none. Connections and alerts have modules of
their own.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import DeleteOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from worker.errors import Conflict, JobActive
from worker.job import Job
from worker.run import ACTIVE, RunState
from worker.store.client import Document, guarded, parts
from worker.store.jobs import to_document

_DUPLICATE = 11_000
_OPEN_STATES = [*(str(state) for state in ACTIVE), str(RunState.HELD)]


@guarded
class Declared:
    def __init__(self, database: Database[Document]) -> None:
        self._files = database["declared"]
        self._jobs = database["jobs"]
        self._connections = database["connections"]
        self._alerts = database["alerts"]
        self._runs = database["runs"]
        self._checkpoints = database["checkpoints"]
        self._schemas = database["schemas"]
        self._undos = database["undos"]

    # Jobs.

    def add(self, jobs: Sequence[Job]) -> None:
        """Save new jobs. Raises Conflict where one of the ids is taken meanwhile."""
        last = self._last_sequences([job.id for job in jobs])
        writes = []
        for job in jobs:  # no stored job has revision 0: the filter matches none, and a taken _id is refused
            stamp = {"created_at": "$$NOW", "updated_at": "$$NOW", "revision": 1, "last_sequence": last.get(job.id, 0)}
            writes.append(UpdateOne({"_id": job.id, "revision": 0}, [{"$set": _literal(job) | stamp}], upsert=True))
        try:
            for some in parts(writes):
                self._jobs.bulk_write(some)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                raise
            raise Conflict("a job of that id was made meanwhile") from None

    def change(self, jobs: Sequence[tuple[Job, int | None]]) -> None:
        """Save jobs over those of these revisions (None: any). Raises Conflict where one was changed meanwhile."""
        stamp = {"updated_at": "$$NOW", "revision": {"$add": [{"$ifNull": ["$revision", 0]}, 1]}}
        writes = [UpdateOne(_at(job.id, revision), [{"$set": _literal(job) | stamp}]) for job, revision in jobs]
        for some in parts(writes):
            if self._jobs.bulk_write(some).matched_count != len(some):
                raise Conflict("a job was changed meanwhile")

    def remove(self, jobs: Sequence[tuple[str, int | None]]) -> None:
        """Delete jobs of these revisions with all that is kept of them, but their runs. Raises JobActive, Conflict."""
        ids = [job_id for job_id, _ in jobs]
        for run in self.open_runs(ids).values():
            if run["state"] != RunState.HELD:
                raise JobActive(run["job_id"], run["_id"])
        for some in parts([DeleteOne(_at(job_id, revision)) for job_id, revision in jobs]):
            if self._jobs.bulk_write(some).deleted_count != len(some):
                raise Conflict("a job was changed meanwhile")
        for some_ids in parts(ids):
            of_them = {"job_id": {"$in": some_ids}}
            self._checkpoints.delete_many(of_them)
            self._schemas.delete_many(of_them)
            self._undos.update_many(of_them, [{"$set": {"expires_at": "$$NOW"}}])

    def let_go(self, connections: Sequence[tuple[str, int]]) -> None:
        """Connections of these revisions belong to nobody; nothing else of them is touched. Raises Conflict."""
        change: builtins.list[Mapping[str, Any]] = [
            {"$set": {"owner": None, "updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}}}
        ]
        for some in parts([UpdateOne(_at(id, revision), change) for id, revision in connections]):
            if self._connections.bulk_write(some).matched_count != len(some):
                raise Conflict("a connection was changed meanwhile")

    def open_runs(self, job_ids: Sequence[str]) -> dict[str, Document]:
        """Job id -> its queued, running or held run, for those that have one."""
        query = {"job_id": {"$in": builtins.list(job_ids)}, "state": {"$in": _OPEN_STATES}}
        found = self._runs.find(query, {"job_id": 1, "state": 1})
        held_first = sorted(found, key=lambda run: run["state"] != RunState.HELD)
        return {run["job_id"]: run for run in held_first}

    def checkpoints(self, job_ids: Sequence[str]) -> dict[tuple[str, str], Document]:
        """(job id, stream) -> its checkpoint, of those that hold one; without its value."""
        query = {"job_id": {"$in": builtins.list(job_ids)}, "value": {"$ne": None}}
        found = self._checkpoints.find(query, {"job_id": 1, "stream": 1, "of": 1})
        return {(one["job_id"], one["stream"]): one for one in found}

    def _last_sequences(self, job_ids: Sequence[str]) -> dict[str, int]:
        """Runs outlive their job: one that is made anew counts on from them."""
        stages: builtins.list[Mapping[str, Any]] = [
            {"$match": {"job_id": {"$in": builtins.list(job_ids)}}},
            {"$group": {"_id": "$job_id", "last": {"$max": "$sequence"}}},
        ]
        return {one["_id"]: one["last"] for one in self._runs.aggregate(stages)}

    # Files.

    def applied(self, file: str) -> Document | None:
        """{_id, digest, instance, applied_at}: what was applied last of a file that owns its jobs."""
        return self._files.find_one({"_id": file})

    def note(self, file: str, digest: str, instance: str) -> None:
        """The file was applied with that content, by that instance."""
        change = {"digest": {"$literal": digest}, "instance": {"$literal": instance}, "applied_at": "$$NOW"}
        self._files.update_one({"_id": file}, [{"$set": change}], upsert=True)

    def release(self, file: str) -> builtins.list[tuple[str, str]]:
        """Connections, jobs and alerts of the file belong to nobody from now on; (kind, id) of each."""
        freed: builtins.list[tuple[str, str]] = []
        change: builtins.list[Mapping[str, Any]] = [
            {"$set": {"owner": None, "updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}}}
        ]
        for kind, collection in self._owned():
            freed += [(kind, str(one["_id"])) for one in collection.find({"owner": file}, {"_id": 1}).sort("_id", 1)]
            collection.update_many({"owner": file}, change)
        self._files.delete_one({"_id": file})
        return freed

    def owners(self) -> dict[str, tuple[int, str]]:
        """File -> (how many jobs it owns, the first of them), of all files that own any."""
        stages: builtins.list[Mapping[str, Any]] = [
            {"$match": {"owner": {"$type": "string"}}},
            {"$group": {"_id": "$owner", "count": {"$sum": 1}, "first": {"$min": "$_id"}}},
            {"$sort": {"_id": 1}},
        ]
        return {one["_id"]: (one["count"], str(one["first"])) for one in self._jobs.aggregate(stages)}

    def revisions(self, file: str) -> dict[tuple[str, str], int]:
        """(kind, id) -> revision of all that the file owns: whether anybody changed it is seen by that."""
        found: dict[tuple[str, str], int] = {}
        for kind, collection in self._owned():
            for one in collection.find({"owner": file}, {"revision": 1}):
                found[kind, str(one["_id"])] = one.get("revision", 0)
        return found

    def _owned(self) -> Sequence[tuple[str, Collection[Document]]]:
        return (("connection", self._connections), ("job", self._jobs), ("alert", self._alerts))


def _literal(job: Job) -> Document:
    return {name: {"$literal": value} for name, value in to_document(job).items()}


def _at(job_id: str, revision: int | None) -> Document:
    return {"_id": job_id} | ({} if revision is None else {"revision": revision})
