"""`jobs`: what the users saved, and when each is due next."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import Conflict, JobActive, NotFound, StaleRevision
from worker.job import CatchUp, Guards, Job, Mode, Overlap, Retry, Schedule, StreamSpec, Write
from worker.run import ACTIVE
from worker.store.client import Document, guarded

_STORED_ELSEWHERE = ("id", "created_at", "updated_at", "revision", "last_sequence")


@dataclass(frozen=True, kw_only=True)
class Advance:
    """Move a job's next fire time, only from the value that the plan was made from."""

    job_id: str
    planned_from: datetime
    next_fire_time: datetime | None
    last_sequence: int


def to_document(job: Job) -> Document:
    """A job as stored, without what the database itself keeps (`_STORED_ELSEWHERE`)."""
    document: Document = {name: _plain(value) for name, value in asdict(job).items()}
    for name in _STORED_ELSEWHERE:
        document.pop(name)
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, (Mode, Write, CatchUp, Overlap)) else value


def from_document(document: Document) -> Job:
    """The job that `to_document` stored."""
    fields = dict(document)
    schedule = fields.pop("schedule", None)
    return Job(
        id=fields["_id"],
        source=fields["source"],
        destination=fields["destination"],
        streams=tuple(_stream(stream) for stream in fields["streams"]),
        schedule=Schedule(**schedule) if schedule else None,
        retry=Retry(**fields["retry"]),
        timeout=fields["timeout"],
        catch_up=CatchUp(fields["catch_up"]),
        overlap=Overlap(fields["overlap"]),
        guards=Guards(**fields["guards"]),
        enabled=fields["enabled"],
        owner=fields["owner"],
        next_fire_time=fields["next_fire_time"],
        created_at=fields["created_at"],
        updated_at=fields["updated_at"],
        revision=fields["revision"],
        last_sequence=fields["last_sequence"],
    )


def _stream(document: Document) -> StreamSpec:
    fields = dict(document)
    columns = fields.pop("columns")
    return StreamSpec(
        mode=Mode(fields.pop("mode")),
        write=Write(fields.pop("write")),
        key=tuple(fields.pop("key")),
        exclude=tuple(fields.pop("exclude")),
        columns=None if columns is None else tuple(columns),
        hash=tuple(fields.pop("hash", ())),
        metadata=tuple(fields.pop("metadata", ())),
        **fields,
    )


@guarded
class Jobs:
    def __init__(self, database: Database[Document]) -> None:
        self._jobs = database["jobs"]
        self._runs = database["runs"]
        self._checkpoints = database["checkpoints"]

    def ensure_indexes(self) -> None:
        self._jobs.create_index([("enabled", 1), ("next_fire_time", 1), ("_id", 1)], name="due_in_order")

    def find(self, job_id: str) -> Job | None:
        document = self._jobs.find_one({"_id": job_id})
        return from_document(document) if document else None

    def get(self, job_id: str) -> Job:
        job = self.find(job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id!r}")
        return job

    def list(self, after: str | None = None, limit: int = 100, enabled: bool | None = None) -> list[Job]:
        """Jobs by id, from the one after `after`; `limit` 0 means all."""
        query: Document = {"_id": {"$gt": after}} if after else {}
        if enabled is not None:
            query["enabled"] = enabled
        return [from_document(document) for document in self._jobs.find(query).sort("_id", 1).limit(limit)]

    def insert(self, job: Job) -> Job:
        """Save a new job; Conflict where its id is taken."""
        change: Document = {name: {"$literal": value} for name, value in to_document(job).items()}
        # Runs outlive their job: one that is made anew counts on from them.
        newest = self._runs.find_one({"job_id": job.id}, {"sequence": 1}, sort=[("sequence", -1)])
        last = newest["sequence"] if newest else 0
        change |= {"created_at": "$$NOW", "updated_at": "$$NOW", "revision": 1, "last_sequence": last}
        try:  # no stored job has revision 0: the filter matches none, and the insert hits the unique _id
            self._jobs.update_one({"_id": job.id, "revision": 0}, [{"$set": change}], upsert=True)
        except DuplicateKeyError:
            raise Conflict(f"job {job.id!r} exists already") from None
        return self.get(job.id)

    def replace(self, job: Job, revision: int | None = None) -> Job:
        """Save a changed job. Raises NotFound, or StaleRevision where `revision` is given and not the current one."""
        change: Document = {name: {"$literal": value} for name, value in to_document(job).items()}
        return self._change(job.id, change, revision)

    def set_enabled(self, job_id: str, enabled: bool, next_fire_time: datetime | None) -> Job:
        return self._change(job_id, {"enabled": enabled, "next_fire_time": next_fire_time}, None)

    def _change(self, job_id: str, change: Document, revision: int | None) -> Job:
        query: Document = {"_id": job_id} | ({} if revision is None else {"revision": revision})
        stamp = {"updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}}
        after = self._jobs.find_one_and_update(query, [{"$set": change | stamp}], return_document=ReturnDocument.AFTER)
        if after is None:
            self._refuse(job_id)
        assert after is not None
        return from_document(after)

    def _refuse(self, job_id: str) -> None:
        current = self.get(job_id)
        raise StaleRevision(
            f"job {job_id!r} was changed meanwhile; its revision is {current.revision}", current=current.revision
        )

    def delete(self, job_id: str, revision: int | None = None) -> None:
        """Delete a job and its checkpoints; its runs stay until they are pruned. Raises JobActive."""
        self.get(job_id)
        active = self._runs.find_one({"job_id": job_id, "state": {"$in": [str(s) for s in ACTIVE]}}, {"_id": 1})
        if active:
            raise JobActive(job_id, active["_id"])
        query: Document = {"_id": job_id} | ({} if revision is None else {"revision": revision})
        if self._jobs.delete_one(query).deleted_count == 0:
            self._refuse(job_id)
        self._checkpoints.delete_many({"job_id": job_id})

    # What the scheduler needs.

    def due(self, now: datetime, limit: int, after: Job | None = None) -> builtins.list[Job]:
        """Enabled jobs whose next fire time has come, the longest due first; a page that begins behind `after`."""
        query: Document = {"enabled": True, "next_fire_time": {"$lte": now}}
        if after is not None:
            later: builtins.list[Document] = [{"next_fire_time": {"$gt": after.next_fire_time}}]
            query["$or"] = [*later, {"next_fire_time": after.next_fire_time, "_id": {"$gt": after.id}}]
        found = self._jobs.find(query).sort([("next_fire_time", 1), ("_id", 1)])
        return [from_document(document) for document in found.limit(limit)]

    def mend_sequence(self, job_id: str) -> None:
        """Raise `last_sequence` to that of the job's newest run: a planner died between a run and its advance."""
        newest = self._runs.find_one({"job_id": job_id}, {"sequence": 1}, sort=[("sequence", -1)])
        if newest:
            self._jobs.update_one({"_id": job_id}, {"$max": {"last_sequence": newest["sequence"]}})

    def nearest_fire_time(self, after: datetime) -> datetime | None:
        """The earliest next fire time later than `after` among enabled jobs."""
        query = {"enabled": True, "next_fire_time": {"$gt": after}}
        found = self._jobs.find_one(query, {"next_fire_time": 1}, sort=[("next_fire_time", 1)])
        return found["next_fire_time"] if found else None

    def advance(self, advances: Sequence[Advance], token: int) -> None:
        """Move next fire times on; a job that was changed, or planned under a newer lease token, stays as it is."""
        if not advances:
            return
        fence = [{"lease_token": {"$lte": token}}, {"lease_token": None}]
        self._jobs.bulk_write(
            [
                UpdateOne(
                    {"_id": a.job_id, "next_fire_time": a.planned_from, "$or": fence},
                    {
                        "$set": {"next_fire_time": a.next_fire_time, "lease_token": token},
                        "$max": {"last_sequence": a.last_sequence},
                    },
                )
                for a in advances
            ],
            ordered=False,
        )
