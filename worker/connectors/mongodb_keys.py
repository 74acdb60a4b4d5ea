"""The keys that a mirrored stream wrote, in a collection beside the target: what it may delete, and nothing else.

A document a key: `_id` as in the target, `sequence` of the last run that saw it at the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from worker.connectors.bson_values import CODEC
from worker.connectors.mongodb_session import KEYS, Document
from worker.connectors.protocol import Fence
from worker.job import DELETED_AT

PAGE = 1_000


class MongoDBKeys:
    """The keys of one stream of one job in one target. `soft`: rows are marked, not deleted."""

    def __init__(self, database: Database[Document], fence: Fence, target: str, *, soft: bool) -> None:
        self.name = f"{KEYS}{fence.place(target)}"
        self._keys: Collection[Document] = database.get_collection(self.name, codec_options=CODEC)
        self._target: Collection[Document] = database.get_collection(target, codec_options=CODEC)
        self._sequence = fence.sequence
        self._soft = soft

    def note(self, ids: Sequence[Any], session: ClientSession | None) -> None:
        change = {"$set": {"sequence": self._sequence}}
        self._keys.bulk_write([UpdateOne({"_id": one}, change, upsert=True) for one in ids], session=session)

    def forget(self, ids: Sequence[Any], session: ClientSession | None) -> None:
        """Delete these rows of the target, and their keys."""
        for collection in (self._target, self._keys):
            collection.delete_many({"_id": {"$in": list(ids)}}, session=session)

    def counts(self) -> tuple[int, int]:
        """Rows of ours that are there, and how many of them this run saw at the source."""
        there: Document = {"$match": {"row": {"$elemMatch": {DELETED_AT: None}} if self._soft else {"$ne": []}}}
        found = self._keys.aggregate(
            [
                {"$lookup": {"from": self._target.name, "localField": "_id", "foreignField": "_id", "as": "row",
                             "pipeline": [{"$project": {DELETED_AT: 1}}]}},
                there,
                {"$group": {"_id": {"$eq": ["$sequence", self._sequence]}, "n": {"$sum": 1}}},
            ]
        )  # fmt: skip
        counted = {bool(one["_id"]): int(one["n"]) for one in found}
        return sum(counted.values()), counted.get(True, 0)

    def unsee(self) -> None:
        """Forget what this run saw: it looks at the whole source again."""
        self._keys.update_many({"sequence": self._sequence}, {"$set": {"sequence": -1}})

    def unseen(self) -> Iterator[list[Any]]:
        """The keys that this run did not see, a page at a time."""
        page: list[Any] = []
        for one in self._keys.find({"sequence": {"$ne": self._sequence}}, {"_id": 1}):
            page.append(one["_id"])
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page

    def delete(self, ids: Sequence[Any], moment: Any, session: ClientSession | None) -> int:
        """Delete these rows and their keys, or write `moment` into the rows; the number of rows."""
        chosen: Document = {"_id": {"$in": list(ids)}}
        if self._soft:
            marked = {"$set": {DELETED_AT: moment}}
            return self._target.update_many({**chosen, DELETED_AT: None}, marked, session=session).modified_count
        removed = self._target.delete_many(chosen, session=session).deleted_count
        self._keys.delete_many(chosen, session=session)
        return removed
