"""The generation before a `replace`, in a collection beside its target that is named after the run that took it away.

MongoDB replaces a collection in one step, by renaming over it; so the old one is copied before, on the server. The name
carries the identity of the collection that was copied: as long as the target is still that one, nothing was swapped.
https://www.mongodb.com/docs/manual/reference/operator/aggregation/out/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pymongo import MongoClient, timeout
from pymongo.database import Database
from pymongo.errors import OperationFailure

from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_displace import displace, retire
from worker.connectors.mongodb_session import STATE, UNDO, Document, translated
from worker.connectors.mongodb_state import FencedState
from worker.connectors.protocol import Fence, Position, Target
from worker.connectors.sql_undo import gone, no_target
from worker.errors import DestinationUnavailable, LostClaim

LONG = 3600.0  # copying and building indexes take as long as they take
_NAMESPACE_NOT_FOUND, _NAMESPACE_EXISTS = 26, 48


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One copy: `of` is the identity of the collection that it was made from."""

    name: str
    sequence: int
    of: str


class KeptCollection:
    """What is kept of one stream's target. The caller translates the driver's errors."""

    def __init__(self, database: Database[Document], fence: Fence, target: str) -> None:
        self._prefix = f"{UNDO}{fence.place(target)}_"
        self._database = database
        self._fence = fence
        self._target = target

    def found(self) -> list[_Kept]:
        """Copies of what is not the target any more, the newest last."""
        there = self._identity()
        return [one for one in self._all() if one.of != there]

    def keep(self) -> tuple[str, int] | None:
        """Copy the target; the copy's name and rows, or None where there is no target.

        What an earlier attempt of this run copied stays. Raises LostClaim where another claim was faster.
        """
        there = self._identity()
        if there is None:
            return None
        ours = [one.name for one in self._all() if one.sequence == self._fence.sequence]
        return (name := ours[0] if ours else self._copy(there)), self.rows(name)

    def rows(self, name: str) -> int:
        return self._database[name].estimated_document_count()

    def _copy(self, of: str) -> str:
        """A copy has its name only when it is whole."""
        part = f"{self._prefix}part_{self._fence.sequence}_{self._fence.token}"
        self._database.drop_collection(part)
        options = next(iter(self._database.list_collections(filter={"name": self._target})))["options"]
        self._database.create_collection(part, **options)
        with timeout(LONG):
            self._database[self._target].aggregate([{"$out": part}], bypassDocumentValidation=True)
        name = f"{self._prefix}{self._fence.sequence}_{of}"
        self._rename(part, name, over=False)
        return name

    def _rename(self, name: str, into: str, *, over: bool) -> None:
        try:
            self._database[name].rename(into, dropTarget=over)
        except OperationFailure as error:
            if error.code in (_NAMESPACE_NOT_FOUND, _NAMESPACE_EXISTS):
                raise LostClaim(f"a newer claim of {self._fence.job} keeps or undoes {self._target}") from None
            raise

    def put_back(self, name: str) -> None:
        """Rename a copy over the target, with the target's indexes."""
        copy_indexes(self._database, self._target, name)
        self._rename(name, self._target, over=True)

    def drop_others(self, kept: str | None) -> None:
        for name in self._names():
            if name != kept:
                self._database.drop_collection(name)

    def discard(self, sequence: int) -> None:
        for one in self._all():
            if one.sequence == sequence:
                self._database.drop_collection(one.name)

    def _names(self) -> list[str]:
        return self._database.list_collection_names(filter={"name": {"$regex": f"^{self._prefix}"}})

    def _all(self) -> list[_Kept]:
        kept = []
        for name in self._names():
            sequence, _, of = name.removeprefix(self._prefix).partition("_")
            if sequence.isdigit():
                kept.append(_Kept(name=name, sequence=int(sequence), of=of))
        return sorted(kept, key=lambda one: one.sequence)

    def _identity(self) -> str | None:
        """What tells the target from every collection that has its name before or after it."""
        found = next(iter(self._database.list_collections(filter={"name": self._target})), None)
        if found is None:
            return None
        identity = found["info"]["uuid"]  # how it reads depends on the client's settings
        return (identity.bytes if isinstance(identity, UUID) else bytes(identity)).hex()


class MongoDBGenerations:
    """The kept generation of one stream, for one run."""

    def __init__(self, client: MongoClient[Document], settings: MongoDBSettings, target: Target) -> None:
        database = client[settings.database]
        self._client = client
        self._settings = settings
        self._target = target
        self._kept = KeptCollection(database, target.fence, target.name)
        self._state = FencedState(database[STATE], target.fence)
        with translated(settings, DestinationUnavailable):
            self._session = client.start_session()
            if not displace(client, database[STATE], target.fence, self._session):
                raise self._state.lost()
            self._stood = self._state.position()

    def stood(self) -> Position | None:
        return self._stood

    def kept(self) -> list[int]:
        with translated(self._settings, DestinationUnavailable):
            return [one.sequence for one in self._kept.found()]

    def swap(self, sequence: int, checkpoint: Any) -> int:
        with translated(self._settings, DestinationUnavailable):
            self._state.claim()
            done = [one for one in self._kept.found() if one.sequence == self._target.fence.sequence]
            name, rows = (done[0].name, self._kept.rows(done[0].name)) if done else self._swap(sequence)
            self._state.advance(checkpoint)
            self._kept.drop_others(name)
            return rows

    def _swap(self, sequence: int) -> tuple[str, int]:
        theirs = [one.name for one in self._kept.found() if one.sequence == sequence]
        if not theirs:
            raise gone(self._target.name)
        ours = self._kept.keep()
        if ours is None:
            raise no_target(self._target.name, theirs[0])
        self._kept.put_back(theirs[0])
        return ours

    def close(self) -> None:
        retire(self._client, self._session)


def copy_indexes(database: Database[Document], source: str, into: str) -> None:
    """The indexes of a collection, with all their options, on another one."""
    listed = database.command("listIndexes", source, cursor={"batchSize": 1000})
    specifications = [
        {name: value for name, value in one.items() if name not in ("v", "ns")}
        for one in listed["cursor"]["firstBatch"]
        if one["name"] != "_id_"
    ]
    if specifications:
        with timeout(LONG):
            database.command("createIndexes", into, indexes=specifications)
