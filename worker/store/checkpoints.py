"""`checkpoints`: where reading goes on, one document for each job and stream, fenced by (sequence, token)."""

from __future__ import annotations

import builtins
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import LostClaim, NotFound
from worker.store.client import Document, fenced, guarded

# A reset outranks every claim of the runs before it.
RESET_TOKEN = 2**31


@guarded
class Checkpoints:
    def __init__(self, database: Database[Document]) -> None:
        self._collection = database["checkpoints"]
        self._jobs = database["jobs"]

    def ensure_indexes(self) -> None:
        self._collection.create_index([("job_id", 1), ("stream", 1)], unique=True, name="one_per_stream")

    def get(self, job_id: str, stream: str) -> Document | None:
        return self._collection.find_one({"job_id": job_id, "stream": stream})

    def list(self, job_id: str) -> list[Document]:
        return list(self._collection.find({"job_id": job_id, "value": {"$ne": None}}).sort("stream", 1))

    def save(  # noqa: PLR0913 - a fence is two of them
        self,
        job_id: str,
        stream: str,
        value: Any,
        *,
        run_id: str,
        sequence: int,
        token: int,
        of: Any = None,
    ) -> None:
        """Store `value`, which is `of` this basis, unless a newer run or claim has written; raises LostClaim then."""
        change = {"value": value, "of": of, "run_id": run_id, "sequence": sequence, "token": token}
        try:
            mine = fenced(job_id, stream, sequence=sequence, token=token)
            self._collection.update_one(mine, {"$set": change}, upsert=True)
        except DuplicateKeyError as error:
            raise LostClaim(f"the checkpoint of {job_id}/{stream} was written by a newer run or claim") from error

    def forget(self, job_id: str, stream: str, *, sequence: int, token: int) -> None:
        """Empty the checkpoint of a finished full stream, and leave our fence: no older writer fills it again.

        A newer writer's is left alone.
        """
        change = {"value": None, "sequence": sequence, "token": token}
        try:
            mine = fenced(job_id, stream, sequence=sequence, token=token)
            self._collection.update_one(mine, {"$set": change}, upsert=True)
        except DuplicateKeyError:
            pass

    def reset(self, job_id: str, stream: str | None = None) -> builtins.list[str]:
        """Forget where reading goes on, for one stream of the job or all. Returns their names; raises NotFound."""
        job = self._jobs.find_one({"_id": job_id}, {"streams.name": 1, "last_sequence": 1})
        if job is None:
            raise NotFound(f"there is no job {job_id!r}")
        names = [spec["name"] for spec in job["streams"] if stream in (None, spec["name"])]
        if not names:
            raise NotFound(f"job {job_id!r} has no stream {stream!r}")
        change = {"value": None, "run_id": None, "sequence": job["last_sequence"], "token": RESET_TOKEN}
        for name in names:
            self._collection.update_one({"job_id": job_id, "stream": name}, {"$set": change}, upsert=True)
        return names

    def delete(self, job_id: str) -> None:
        self._collection.delete_many({"job_id": job_id})
