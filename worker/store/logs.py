"""`run_logs`: what a run said, one document for each batch of lines, numbered from 1 without holes.

A run's log is capped; what does not fit is counted by the writer and told in a last line, never cut silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.errors import Conflict
from worker.store.client import Document, guarded

LEVELS = ("debug", "info", "warning", "error")


# Batches asked for at once: few for a page, more the longer the reading goes on.
FEW, MANY = 4, 32


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Which lines: at least as grave as `level`, with `words` in the message in whatever case, of one `attempt`."""

    level: str | None = None
    words: str | None = None
    attempt: int | None = None

    @property
    def all(self) -> bool:
        return self.level in {None, LEVELS[0]} and not self.words and self.attempt is None

    def among(self, batch: Document) -> Iterator[tuple[int, Document]]:
        """The lines of a batch that are sought, with their numbers."""
        grave = LEVELS[LEVELS.index(self.level) :] if self.level else LEVELS
        has = re.compile(re.escape(self.words), re.IGNORECASE).search if self.words else None
        for number, line in enumerate(batch["lines"], start=batch["first"]):
            of_attempt = self.attempt is None or line.get("attempt") == self.attempt
            if of_attempt and line["level"] in grave and (has is None or has(line["message"])):
                yield number, line

    def filter(self) -> Document:
        """What a batch must have to hold a line that is sought: most are never sent by the server then."""
        found: Document = {}
        if self.level not in {None, LEVELS[0]}:
            found["lines.level"] = {"$in": list(LEVELS[LEVELS.index(self.level) :])}
        if self.attempt is not None:
            found["lines.attempt"] = self.attempt
        if self.words and "\x00" not in self.words:  # which no pattern of BSON may have
            found["lines.message"] = {"$regex": re.escape(self.words), "$options": "i"}
        return found


@guarded
class Logs:
    def __init__(self, database: Database[Document]) -> None:
        self._logs = database["run_logs"]

    def ensure_indexes(self) -> None:
        self._logs.create_index([("run_id", 1), ("first", 1)], unique=True, name="lines_in_order")

    def append(self, run_id: str, lines: Sequence[dict[str, Any]], *, first: int) -> None:
        """Add `lines` ({at, level, message, stream?, attempt?, dropped?}) as numbers `first`, `first` + 1, …

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

    def page(
        self,
        run_id: str,
        after: int = 0,
        limit: int = 500,
        level: str | None = None,
        *,
        words: str | None = None,
        attempt: int | None = None,
    ) -> list[Document]:
        """Lines with a number above `after` that are sought, each with its number `n`."""
        sought = Sought(level=level, words=words, attempt=attempt)
        return list(islice(self._lines(run_id, after, sought), limit))

    def marks(self, run_id: str, sought: Sought, *, after: int = 0, every: int = 200) -> Document:
        """{count, marks, lines}: how many lines above `after` are sought, the numbers of every so many of them.

        So a page can show any part of a long log, and ask for no more than that part. `lines`: the log's last number.
        """
        if sought.all:
            last = self.last_number(run_id)
            return {"count": max(0, last - after), "marks": list(range(after + 1, last + 1, every)), "lines": last}
        found: Document = {"count": 0, "marks": [], "lines": self.last_number(run_id)}
        fields = None if sought.words else {"first": 1, "last": 1, "lines.level": 1, "lines.attempt": 1}
        for batch in self._batches(run_id, after, sought.filter(), fields):
            for number, _line in sought.among(batch):
                if number > after:
                    if found["count"] % every == 0:
                        found["marks"].append(number)
                    found["count"] += 1
        return found

    def lines(self, run_id: str) -> Iterator[list[Document]]:
        """All lines, some hundreds at a time."""
        whole = self._lines(run_id, 0, Sought())
        while page := list(islice(whole, 500)):
            yield page

    def outline(self, run_id: str) -> Document:
        """{lines, levels, first_error, dropped}: how many, by level, the first error, how many were not kept."""
        levels = dict.fromkeys(LEVELS, 0)
        found: Document = {"lines": 0, "levels": levels, "first_error": None, "dropped": 0}
        fields = {"first": 1, "last": 1, "lines.level": 1, "lines.dropped": 1}
        for batch in self._batches(run_id, 0, {}, fields):
            found["lines"] = batch["last"]
            for number, line in enumerate(batch["lines"], start=batch["first"]):
                levels[line["level"]] += 1
                found["dropped"] += line.get("dropped", 0)
                if line["level"] == "error" and found["first_error"] is None:
                    found["first_error"] = number
        return found

    def _lines(self, run_id: str, after: int, sought: Sought) -> Iterator[Document]:
        for batch in self._batches(run_id, after, sought.filter()):
            for number, line in sought.among(batch):
                if number > after:
                    yield {"n": number, **line}

    def _batches(self, run_id: str, after: int, having: Document, fields: Document | None = None) -> Iterator[Document]:
        """Batches in order, from the one that holds the line after `after`; the index goes there, however long the log.

        They are asked for a few at a time: one long question would use up the client's timeout.
        """
        first, size = self._around(run_id, after), FEW
        while True:
            query = {"run_id": run_id, "first": {"$gte": first}} | having
            found = list(self._logs.find(query, fields).sort("first", 1).limit(size))
            yield from found
            if len(found) < size:
                return
            first, size = found[-1]["last"] + 1, MANY

    def _around(self, run_id: str, after: int) -> int:
        query = {"run_id": run_id, "first": {"$lte": after + 1}}
        found = self._logs.find_one(query, {"first": 1}, sort=[("first", -1)]) if after else None
        return found["first"] if found else 0

    def delete(self, run_ids: Sequence[str]) -> int:
        return self._logs.delete_many({"run_id": {"$in": list(run_ids)}}).deleted_count
