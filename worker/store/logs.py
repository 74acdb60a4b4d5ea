"""`run_logs`: what a run said, one document for each batch of lines, numbered from 1 without holes.

A run's log is capped; what does not fit is counted by the writer and told in a last line, never cut silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import Conflict
from worker.store.client import Document, guarded

LEVELS = ("debug", "info", "warning", "error")


@guarded
class Logs:
    def __init__(self, database: Database[Document]) -> None:
        self._logs = database["run_logs"]

    def ensure_indexes(self) -> None:
        self._logs.create_index([("run_id", 1), ("first", 1)], unique=True, name="lines_in_order")

    def append(self, run_id: str, lines: Sequence[dict[str, Any]], *, first: int) -> None:
        """Add `lines` ({at, level, message, stream?, attempt?}) as numbers `first`, `first` + 1, …

        Raises Conflict where another writer took the number `first`.
        """
        if lines:
            document = {"run_id": run_id, "first": first, "last": first + len(lines) - 1, "lines": list(lines)}
            try:
                self._logs.insert_one(document)
            except DuplicateKeyError:
                raise Conflict(f"line {first} of run {run_id} is there already") from None

    def last_number(self, run_id: str) -> int:
        """The number of the run's last line; 0 where it has none."""
        found = self._logs.find_one({"run_id": run_id}, {"last": 1}, sort=[("first", -1)])
        return found["last"] if found else 0

    def page(self, run_id: str, after: int = 0, limit: int = 500, level: str | None = None) -> list[Document]:
        """Lines with a number above `after` and at least as grave as `level`, each with its number `n`."""
        grave = set(LEVELS[LEVELS.index(level) :]) if level else set(LEVELS)
        page: list[Document] = []
        for batch in self._logs.find({"run_id": run_id, "last": {"$gt": after}}).sort("first", 1):
            for number, line in enumerate(batch["lines"], start=batch["first"]):
                if number > after and line["level"] in grave:
                    page.append({"n": number, **line})
                    if len(page) == limit:
                        return page
        return page

    def delete(self, run_ids: Sequence[str]) -> int:
        return self._logs.delete_many({"run_id": {"$in": list(run_ids)}}).deleted_count
