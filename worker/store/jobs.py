"""`jobs`: what the users saved, and when each is due next.

A document that somebody broke by hand harms nobody but its own job: it is left out of lists, and named where it is due.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from pymongo import ReturnDocument, UpdateMany
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import Conflict, JobActive, NotFound, StaleRevision, Unreadable
from worker.job import CatchUp, Delete, Drift, Guards, Job, Mode, Overlap, Retry, Schedule, StreamSpec, Write
from worker.run import ACTIVE
from worker.store.client import Document, guarded

_STORED_ELSEWHERE = ("id", "created_at", "updated_at", "revision", "last_sequence", "data_as_of")


@dataclass(frozen=True, kw_only=True)
class Advance:
    """Move a job's next fire time, only from the value that the plan was made from."""

    job_id: str
    planned_from: datetime
    next_fire_time: datetime | None
    last_sequence: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """A page of due jobs. `broken`: due ones that cannot be read, and why; `end`: where the next page begins."""

    jobs: list[Job]
    broken: dict[str, str]
    end: tuple[datetime, str] | None


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
    return str(value) if isinstance(value, StrEnum) else value


def from_document(document: Document) -> Job:
    """The job that `to_document` stored. Raises Unreadable where it is not what was stored."""
    try:
        return _job(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        message = f"job {document['_id']!r} cannot be read, its document was changed by hand: {what}"
        raise Unreadable(f"{message}; save the job anew, or delete it") from error


def _job(document: Document) -> Job:
    fields = dict(document)
    schedule = fields.pop("schedule", None)
    return Job(
        id=fields["_id"],
        source=fields["source"],
        destination=fields["destination"],
        streams=tuple(_stream(stream) for stream in fields["streams"]),
        schedule=Schedule(**_numbers(schedule, "every", "jitter")) if schedule else None,
        retry=Retry(**_numbers(fields["retry"], "attempts", "backoff", "max_backoff")),
        timeout=_numbers(fields, "timeout")["timeout"],
        catch_up=CatchUp(fields["catch_up"]),
        overlap=Overlap(fields["overlap"]),
        guards=Guards(**fields["guards"]),
        verify=fields.get("verify", False),
        enabled=fields["enabled"],
        owner=fields["owner"],
        next_fire_time=fields["next_fire_time"],
        created_at=fields["created_at"],
        updated_at=fields["updated_at"],
        revision=fields["revision"],
        last_sequence=fields["last_sequence"],
        data_as_of=fields.get("data_as_of"),
    )


def _readable(documents: Iterable[Document], broken: dict[str, str] | None = None) -> Iterator[Job]:
    """The jobs that can be read; why the others cannot goes into `broken`, by id."""
    for document in documents:
        try:
            yield from_document(document)
        except Unreadable as error:
            if broken is not None:
                broken[str(document["_id"])] = str(error)


def _numbers(fields: Document, *names: str) -> Document:
    """`fields`, in which each of `names` is a number, null or left out."""
    for name in names:
        if not isinstance(fields.get(name), (int, float, type(None))):
            raise ValueError(f"{name} is {fields[name]!r}, which is no number")
    return fields


def _stream(document: Document) -> StreamSpec:
    fields = _numbers(dict(document), "undo")
    columns = fields.pop("columns")
    return StreamSpec(
        mode=Mode(fields.pop("mode")),
        write=Write(fields.pop("write")),
        key=tuple(fields.pop("key")),
        exclude=tuple(fields.pop("exclude")),
        columns=None if columns is None else tuple(columns),
        hash=tuple(fields.pop("hash", ())),
        metadata=tuple(fields.pop("metadata", ())),
        schema=Drift(fields.pop("schema", Drift.EVOLVE)),
        delete=Delete(fields.pop("delete", Delete.HARD)),
        **fields,
    )


@guarded
class Jobs:
    def __init__(self, database: Database[Document]) -> None:
        self._jobs = database["jobs"]
        self._runs = database["runs"]
        self._checkpoints = database["checkpoints"]
        self._schemas = database["schemas"]
        self._undos = database["undos"]

    def ensure_indexes(self) -> None:
        self._jobs.create_index([("enabled", 1), ("next_fire_time", 1), ("_id", 1)], name="due_in_order")

    def find(self, job_id: str) -> Job | None:
        document = self._jobs.find_one({"_id": job_id})
        return from_document(document) if document else None

    def get(self, job_id: str) -> Job:
        return from_document(self._there(job_id))

    def list(
        self,
        after: str | None = None,
        limit: int = 100,
        *,
        where: Sequence[Document] = (),
        ids: Sequence[str] | None = None,
    ) -> list[Job]:
        """Jobs by id, from the one after `after`; `limit` 0 means all. Those of `ids` that meet all of `where`."""
        conditions: builtins.list[Document] = [*where, *([{"_id": {"$gt": after}}] if after else [])]
        if ids is not None:
            conditions.append({"_id": {"$in": builtins.list(ids)}})
        query: Document = {"$and": conditions} if conditions else {}
        return builtins.list(islice(_readable(self._jobs.find(query).sort("_id", 1)), limit or None))

    def users(self, connections: Sequence[str], first: int) -> dict[str, tuple[builtins.list[str], int]]:
        """Connection -> the first jobs that read from it or write to it, by id, and how many there are."""
        wanted = {"$in": builtins.list(connections)}
        stages: builtins.list[Document] = [
            {"$match": {"$or": [{"source": wanted}, {"destination": wanted}]}},
            {"$sort": {"_id": 1}},
            {"$project": {"connection": {"$setUnion": [["$source"], ["$destination"]]}}},
            {"$unwind": "$connection"},
            {"$match": {"connection": wanted}},
            {"$group": {"_id": "$connection", "jobs": {"$push": "$_id"}, "count": {"$sum": 1}}},
            {"$project": {"jobs": {"$slice": ["$jobs", first]}, "count": 1}},
        ]
        return {one["_id"]: (one["jobs"], one["count"]) for one in self._jobs.aggregate(stages)}

    def existing(self, job_ids: Iterable[str]) -> set[str]:
        """Those of these ids that jobs have, readable or not."""
        wanted = sorted(set(job_ids))
        return {str(one["_id"]) for one in self._jobs.find({"_id": {"$in": wanted}}, {"_id": 1})} if wanted else set()

    def unreadable(self) -> dict[str, str]:
        """Job id -> why its document cannot be read, for those that `list` leaves out."""
        broken: dict[str, str] = {}
        for _ in _readable(self._jobs.find(), broken):
            pass
        return broken

    def owner(self, job_id: str) -> str | None:
        """The file that a job belongs to, even of one that cannot be read. Raises NotFound."""
        return self._there(job_id).get("owner")

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
        current = self._there(job_id).get("revision", 0)
        raise StaleRevision(f"job {job_id!r} was changed meanwhile; its revision is {current}", current=current)

    def _there(self, job_id: str) -> Document:
        document = self._jobs.find_one({"_id": job_id})
        if document is None:
            raise NotFound(f"there is no job {job_id!r}")
        return document

    def delete(self, job_id: str, revision: int | None = None) -> None:
        """Delete a job with its checkpoints and schemas; its runs stay until they are pruned. Raises JobActive.

        What is kept for an undo expires.
        """
        self._there(job_id)
        active = self._runs.find_one({"job_id": job_id, "state": {"$in": [str(s) for s in ACTIVE]}}, {"_id": 1})
        if active:
            raise JobActive(job_id, active["_id"])
        query: Document = {"_id": job_id} | ({} if revision is None else {"revision": revision})
        if self._jobs.delete_one(query).deleted_count == 0:
            self._refuse(job_id)
        self._checkpoints.delete_many({"job_id": job_id})
        self._schemas.delete_many({"job_id": job_id})
        self._undos.update_many({"job_id": job_id}, [{"$set": {"expires_at": "$$NOW"}}])

    # What the scheduler needs.

    def due(self, now: datetime, limit: int, after: tuple[datetime, str] | None = None) -> Due:
        """Enabled jobs whose next fire time has come, the longest due first; the page behind another's `end`."""
        query: Document = {"enabled": True, "next_fire_time": {"$lte": now}}
        if after is not None:
            moment, job_id = after
            later: builtins.list[Document] = [{"next_fire_time": {"$gt": moment}}]
            query["$or"] = [*later, {"next_fire_time": moment, "_id": {"$gt": job_id}}]
        order = [("next_fire_time", 1), ("_id", 1)]
        found = builtins.list(self._jobs.find(query).sort(order).limit(limit))
        last = found[-1] if len(found) == limit else None
        broken: dict[str, str] = {}
        jobs = builtins.list(_readable(found, broken))
        return Due(jobs=jobs, broken=broken, end=(last["next_fire_time"], last["_id"]) if last else None)

    def unplanned(self, limit: int) -> builtins.list[Document]:
        """Enabled jobs with a schedule, as stored, that have no next fire time: they would never fire."""
        query = {"enabled": True, "schedule": {"$ne": None}, "next_fire_time": {"$not": {"$type": "date"}}}
        return builtins.list(self._jobs.find(query).sort("_id", 1).limit(limit))

    def plan_anew(self, job_id: str, next_fire_time: datetime) -> bool:
        """Give an unplanned job its next fire time; False where somebody was faster."""
        query = {"_id": job_id, "enabled": True, "next_fire_time": {"$not": {"$type": "date"}}}
        return self._jobs.update_one(query, {"$set": {"next_fire_time": next_fire_time}}).modified_count == 1

    def next_fire_times(self, limit: int) -> builtins.list[tuple[str, datetime]]:
        """Which enabled jobs are due next, and when, the soonest first."""
        query = {"enabled": True, "next_fire_time": {"$type": "date"}}
        found = self._jobs.find(query, {"next_fire_time": 1}).sort([("next_fire_time", 1), ("_id", 1)]).limit(limit)
        return [(job["_id"], job["next_fire_time"]) for job in found]

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
        alike: dict[tuple[datetime, datetime | None, int], builtins.list[str]] = {}
        for a in advances:  # thousands that are due in one second mostly move alike: one update for all of them
            alike.setdefault((a.planned_from, a.next_fire_time, a.last_sequence), []).append(a.job_id)
        fence = [{"lease_token": {"$lte": token}}, {"lease_token": None}]
        self._jobs.bulk_write(
            [
                UpdateMany(
                    {"_id": {"$in": job_ids}, "next_fire_time": planned_from, "$or": fence},
                    {
                        "$set": {"next_fire_time": next_fire_time, "lease_token": token},
                        "$max": {"last_sequence": last_sequence},
                    },
                )
                for (planned_from, next_fire_time, last_sequence), job_ids in alike.items()
            ],
            ordered=False,
        )
