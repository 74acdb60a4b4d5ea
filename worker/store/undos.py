"""`undos`: what a `replace` took away and is kept at the destination, one document for each stream and run.

It is begun before the run writes, dated before the swap and closed after it: whatever dies in between, what is kept
there has its document here. Expiry is on the server's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.store.client import Document, guarded


@guarded
class Undos:
    def __init__(self, database: Database[Document]) -> None:
        self._undos = database["undos"]

    def ensure_indexes(self) -> None:
        one = [("job_id", 1), ("stream", 1), ("sequence", -1)]
        self._undos.create_index(one, unique=True, name="one_per_stream_and_run")
        self._undos.create_index([("expires_at", 1)], name="expiry")

    def of(self, job_id: str, stream: str | None = None) -> list[Document]:
        """Those of the job, or of one stream, the newest first."""
        query = {"job_id": job_id} | ({} if stream is None else {"stream": stream})
        return list(self._undos.find(query).sort([("stream", 1), ("sequence", DESCENDING)]))

    def any(self, job_id: str) -> bool:
        return self._undos.find_one({"job_id": job_id}, {"_id": 1}) is not None

    def begin(self, job_id: str, stream: str, sequence: int, fields: Document) -> None:
        """Note what a run is about to take away, unless an earlier attempt of it has."""
        place = {"job_id": job_id, "stream": stream, "sequence": sequence}
        made = {**fields, "kept_at": None, "expires_at": None, "rows": None}
        try:
            self._undos.update_one(place, {"$setOnInsert": made}, upsert=True)
        except DuplicateKeyError:
            pass  # noted at the same time

    def date(self, job_id: str, stream: str, sequence: int, seconds: float) -> None:
        """It is kept from now on, for so long."""
        place = {"job_id": job_id, "stream": stream, "sequence": sequence}
        until: Any = {"$add": ["$$NOW", round(seconds * 1000)]}
        self._undos.update_one(place, [{"$set": {"kept_at": "$$NOW", "expires_at": until}}])

    def close(self, job_id: str, stream: str, sequence: int, rows: int | None) -> None:
        """It is kept, with so many rows, in place of all before it; None: there was nothing to keep."""
        place = {"job_id": job_id, "stream": stream}
        if rows is not None:
            self._undos.update_one(place | {"sequence": sequence}, {"$set": {"rows": rows}})
        self._undos.delete_many(place | {"sequence": {"$lt" if rows is not None else "$lte": sequence}})

    def expire(self, job_id: str, stream: str) -> None:
        """Nobody goes back to what is kept of the stream any more."""
        self._undos.update_many({"job_id": job_id, "stream": stream}, [{"$set": {"expires_at": "$$NOW"}}])

    def expired(self, limit: int) -> Sequence[Document]:
        """Those whose time is over, the oldest first."""
        over = {"expires_at": {"$type": "date"}, "$expr": {"$lte": ["$expires_at", "$$NOW"]}}
        return list(self._undos.find(over).sort("expires_at", 1).limit(limit))

    def delete(self, undo_id: Any) -> None:
        self._undos.delete_one({"_id": undo_id})
