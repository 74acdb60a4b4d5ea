"""`schemas`: what each stream of a job has delivered so far, so that a change at the source is noticed.

One document for each job and stream, fenced by (sequence, token) as checkpoints are.
"""

from __future__ import annotations

from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import LostClaim
from worker.store.client import Document, fenced, guarded


@guarded
class Schemas:
    def __init__(self, database: Database[Document]) -> None:
        self._schemas = database["schemas"]

    def ensure_indexes(self) -> None:
        self._schemas.create_index([("job_id", 1), ("stream", 1)], unique=True, name="one_per_stream")

    def get(self, job_id: str, stream: str) -> Document | None:
        """{target, key, columns: [{name, type}]} as saved last."""
        return self._schemas.find_one({"job_id": job_id, "stream": stream})

    def save(self, job_id: str, stream: str, record: Document, *, sequence: int, token: int) -> None:
        """Store the record unless a newer run or claim has written; raises LostClaim then."""
        change: Any = {**record, "sequence": sequence, "token": token}
        try:
            mine = fenced(job_id, stream, sequence=sequence, token=token)
            self._schemas.update_one(mine, {"$set": change}, upsert=True)
        except DuplicateKeyError as error:
            raise LostClaim(f"the schema of {job_id}/{stream} was written by a newer run or claim") from error

    def forget(self, job_id: str, stream: str, *, sequence: int, token: int) -> None:
        """Know nothing of the stream any more; what a newer writer noted is left alone."""
        self._schemas.delete_one(fenced(job_id, stream, sequence=sequence, token=token))
