"""The document that a MongoDB destination keeps for each stream of each job, in one transaction with the rows.

It says who wrote last and how far: an older writer's update matches nothing, so it learns that its claim is lost.
"""

from __future__ import annotations

from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from worker.connectors.mongodb_session import Document
from worker.connectors.protocol import Fence, Position, moved_on
from worker.errors import LostClaim


class FencedState:
    """The state of one stream. `ended`: how far a staged append of this very run has come, if there is one."""

    def __init__(self, collection: Collection[Document], fence: Fence) -> None:
        self._collection = collection
        self._fence = fence
        self._id = {"job": fence.job, "stream": fence.stream}
        self.ended: str | None = None

    def position(self, session: ClientSession | None = None) -> Position | None:
        found = self._collection.find_one({"_id": self._id}, session=session)
        if found is None:
            return None
        self.ended = found.get("ended") if found["sequence"] == self._fence.sequence else None
        return Position(sequence=found["sequence"], token=found["token"], checkpoint=found.get("checkpoint"))

    def end(self, how: str) -> None:
        """Note how far a staged append of this run has come."""
        self._set({"checkpoint": None, "ended": how})
        self.ended = how

    def advance(self, checkpoint: Any, session: ClientSession | None = None) -> None:
        """Store the checkpoint under our fence; LostClaim where a newer writer was here."""
        self._set({"checkpoint": checkpoint, "ended": None}, session)

    def _set(self, fields: Document, session: ClientSession | None = None) -> None:
        fence = self._fence
        ours = {"sequence": fence.sequence, "token": fence.token}
        older = [{"sequence": {"$lt": fence.sequence}}, {**ours, "token": {"$lte": fence.token}}]
        try:
            change = {"$set": ours | fields}
            self._collection.update_one({"_id": self._id, "$or": older}, change, upsert=True, session=session)
        except DuplicateKeyError:
            raise self.lost() from None

    def stand_at(self, position: Position | None, session: ClientSession) -> None:
        """Before a first write: raise where an older writer woke up and wrote after we had looked."""
        if self.position(session) != position:
            raise moved_on(self._fence)

    def prove(self) -> None:
        """Raise LostClaim where a newer writer was here."""
        found = self.position()
        if found is not None and (found.sequence, found.token) > (self._fence.sequence, self._fence.token):
            raise self.lost()

    def claim(self, session: ClientSession | None = None) -> None:
        """Put our fence on what is stored, whatever it is; LostClaim where a newer writer was here."""
        self.prove()
        self._set({"ended": self.ended}, session)

    def lost(self) -> LostClaim:
        return LostClaim(f"a newer run or claim of {self._fence.job} has written {self._fence.stream} there")
