"""Writes MongoDB: each batch in one transaction with its checkpoint and fence, where there is a replica set.

`replace` fills a staging collection with the old one's indexes and renames it over the old. `append` from a source that
cannot resume is staged too, then merged by `_id`, which may be repeated. On a standalone server there are no
transactions: upserts repeat harmlessly, a `replace` starts anew, any other `append` may repeat its last batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pymongo import InsertOne, MongoClient, ReplaceOne, timeout
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure

from worker.batch import Batch
from worker.connectors.bson_documents import Documents, Encoded
from worker.connectors.bson_values import CODEC, Shape
from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_displace import displace
from worker.connectors.mongodb_session import STAGING, STATE, Document, borrow, give_back, short, translated, wake
from worker.connectors.mongodb_state import FencedState
from worker.connectors.notes import Notes, shown
from worker.connectors.protocol import Capabilities, Position, Target
from worker.errors import BadInput, BadValue, DestinationUnavailable, Fault
from worker.job import Write
from worker.sync.types import Column

_SECONDS = 60.0
_LONG = 3600.0  # building indexes and counting take as long as they take
_MOST_NAMESPACE = 255
_NAMESPACE_EXISTS, _NAMESPACE_NOT_FOUND, _DUPLICATE = 48, 26, 11000
# How far an append that was staged has come.
_STAGED, _MERGED = "staged", "merged"


class MongoDBDestination:
    """Collections of one database; made where they are missing."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: MongoDBSettings) -> None:
        self._settings = settings
        self._client: MongoClient[Document] = borrow(settings, seconds=_SECONDS)

    def __enter__(self) -> Self:
        try:
            wake(self._client, self._settings, DestinationUnavailable)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        give_back(self._settings, seconds=_SECONDS)

    def check(self) -> None:
        """Prove that the server answers and that this user may write: an update that matches nothing."""
        wake(self._client, self._settings, DestinationUnavailable)
        with translated(self._settings, DestinationUnavailable):
            state = self._client[self._settings.database][STATE]
            state.update_one({"_id": {"check": True}}, {"$set": {"checked": True}})

    def open(self, target: Target) -> MongoDBWriter:
        """Prepare to write one stream."""
        with translated(self._settings, DestinationUnavailable):
            return MongoDBWriter(self._client, self._settings, target)


class MongoDBWriter:
    """One stream into one collection."""

    def __init__(self, client: MongoClient[Document], settings: MongoDBSettings, target: Target) -> None:
        self._client = client
        self._settings = settings
        self._target = target
        self._database = client[settings.database]
        self._notes = Notes()
        self._replaces = target.write is Write.REPLACE
        timestamps = target.options.get("timestamps", settings.timestamps)
        self._documents = Documents(target, Shape(notes=self._notes, exact=timestamps == "text"))
        self._check_name()
        hello = client.admin.command("hello")
        self._transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        self._state = FencedState(self._database[STATE], target.fence)
        self._session = client.start_session() if self._transactions else None
        if self._session and not displace(client, self._database[STATE], target.fence, self._session):
            raise self._state.lost()
        self._existing = self._find(target.name)
        self._position = self._state.position()
        self._staged = self._replaces
        self._collection = self._prepare_staging() if self._replaces else self._prepare_target()

    def _check_name(self) -> None:
        name, field = self._target.name, f"{self._target.fence.stream}.target"
        reason = None
        size = len(f"{self._settings.database}.{name}".encode(errors="surrogatepass"))
        if not name or "$" in name or "\0" in name or name.startswith((".", "system.")) or name.endswith("."):
            reason = "is no name of a collection"
        elif name == STATE or name.startswith(STAGING):
            reason = "is a name that syncworker keeps for itself"
        elif size > _MOST_NAMESPACE:
            reason = f"has {size} bytes with the database's name; MongoDB allows {_MOST_NAMESPACE}"
        if reason:
            raise BadInput([Fault(field=field, message=f"{name!r} {reason}; give another `target`")])

    def _find(self, name: str) -> Document | None:
        listed = self._database.list_collections(filter={"name": name})
        found = next((dict(one) for one in listed), None)
        if found is not None and found.get("type", "collection") != "collection":
            message = f"{name!r} is a {found['type']}, which cannot be written; give another `target`"
            raise BadInput([Fault(field=f"{self._target.fence.stream}.target", message=message)])
        return found

    def _prepare_target(self) -> Collection[Document]:
        if self._existing is None:
            self._create(self._target.name, {})
        return self._at(self._target.name)

    def _at(self, name: str) -> Collection[Document]:
        return self._database.get_collection(name, codec_options=CODEC)

    def _create(self, name: str, options: Document) -> None:
        try:
            self._database.create_collection(name, **options)
        except CollectionInvalid:
            pass
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise

    # Staging: its name carries run and claim, so that a writer that lost its claim has nothing to rename.

    def _prepare_staging(self) -> Collection[Document]:
        fence = self._target.fence
        identity = "\0".join((fence.job, fence.stream, self._target.name))
        prefix = f"{STAGING}{hashlib.sha256(identity.encode()).hexdigest()[:16]}_"
        name = f"{prefix}{fence.sequence}_{fence.token}"
        earlier = None
        for one in self._database.list_collection_names(filter={"name": {"$regex": f"^{prefix}"}}):
            sequence, _, token = one.removeprefix(prefix).partition("_")
            if (int(sequence), int(token)) > (fence.sequence, fence.token):
                raise self._state.lost()
            if int(sequence) == fence.sequence and (self._resumable() or self._state.ended == _STAGED):
                earlier = one
            else:
                self._database.drop_collection(one)
        if self._replaces:
            self._state.advance(self._position.checkpoint if earlier and self._position else None)
        if earlier is None:
            self._create(name, (self._existing or {}).get("options", {}))
            if self._replaces and self._existing is not None:
                self._copy_indexes(name)
        elif earlier != name:
            self._database[earlier].rename(name)
        return self._at(name)

    def _resumable(self) -> bool:
        position = self._position
        return (
            self._replaces
            and self._transactions
            and position is not None
            and position.sequence == self._target.fence.sequence
            and position.checkpoint is not None
        )

    def _copy_indexes(self, staging: str) -> None:
        """The old collection's indexes, with all their options, on the staging one."""
        listed = self._database.command("listIndexes", self._target.name, cursor={"batchSize": 1000})
        specifications = [
            {name: value for name, value in one.items() if name not in ("v", "ns")}
            for one in listed["cursor"]["firstBatch"]
            if one["name"] != "_id_"
        ]
        if specifications:
            self._slow(lambda: self._database.command("createIndexes", staging, indexes=specifications))

    def _slow(self, call: Callable[[], Any]) -> Any:
        with timeout(_LONG):
            return call()

    # The protocol.

    def position(self) -> Position | None:
        """What is stored with the rows; with `replace` only this run's, whose staging is there."""
        known = self._resumable() if self._replaces else self._position and self._position.checkpoint is not None
        return self._position if known else None

    def write(self, batch: Batch, columns: tuple[Column, ...]) -> None:
        """Write the batch and move the checkpoint, together where there are transactions."""
        encoded = self._documents.of(batch, columns)
        with translated(self._settings, DestinationUnavailable):
            if batch.checkpoint is None and self._target.write is Write.APPEND and not self._staged:
                if self._state.ended:  # an earlier attempt of this run had all of it
                    self._state.prove()
                    return
                self._staged, self._collection = True, self._prepare_staging()
            if self._session:
                self._session.with_transaction(lambda current: self._write(batch, encoded, current))
            else:
                self._state.prove()
                self._insert(batch, encoded, None)
                self._state.advance(batch.checkpoint)

    def _write(self, batch: Batch, encoded: Encoded, session: ClientSession) -> None:
        self._state.advance(batch.checkpoint, session)
        self._insert(batch, encoded, session)

    def _insert(self, batch: Batch, encoded: Encoded, session: ClientSession | None) -> None:
        if not encoded.documents:
            return
        upserts = self._target.write is Write.UPSERT
        operations: list[Any] = [InsertOne(document) for document in encoded.documents]
        if upserts:
            keyed = zip(encoded.ids, encoded.documents, strict=True)
            operations = [ReplaceOne({"_id": one}, document, upsert=True) for one, document in keyed]
        try:
            self._collection.bulk_write(operations, ordered=upserts, session=session)
        except BulkWriteError as error:
            if error.has_error_label("TransientTransactionError") or not error.details.get("writeErrors"):
                raise
            raise self._refused(batch, error.details["writeErrors"][0]) from None

    def _refused(self, batch: Batch, error: Document) -> BadValue:
        row = batch.first_row + error["index"]
        message = f"row {row} was refused: {error['errmsg'][:300]}"
        if error["code"] == 11000:
            index, values = error.get("keyPattern", {}), error.get("keyValue", {})
            name = ", ".join(index)
            message = f"column {name}, row {row}: {shown(values)} is in {self._target.name} already, and is unique"
            return BadValue(message, column=name, row=row)
        return BadValue(message, row=row)

    def staged(self) -> tuple[int, int]:
        """(rows that readers see, rows that they would see), counted, not estimated: a crash spoils the estimate."""
        with translated(self._settings, DestinationUnavailable):
            now: int = self._slow(lambda: self._at(self._target.name).count_documents({}))
            then: int = self._slow(lambda: self._collection.count_documents({}))
            return now, then

    def finish(self) -> None:
        """Look at the fence, then rename the staging collection over the target in one step."""
        with translated(self._settings, DestinationUnavailable):
            if self._replaces:
                self._state.advance(None)  # what is staged is gone on with no more
                self._rename()
                return
            self._state.prove()
            if self._staged or self._state.ended == _STAGED:
                self._merge()

    def _rename(self) -> None:
        try:
            self._collection.rename(self._target.name, dropTarget=True)
        except OperationFailure as error:
            if error.code == _NAMESPACE_NOT_FOUND:
                raise self._state.lost() from None
            raise

    def _merge(self) -> None:
        """Add the staged documents; those that an interrupted merge had added already have the same `_id`."""
        staging = self._collection if self._staged else self._prepare_staging()
        self._state.end(_STAGED)
        into = {"into": self._target.name, "on": "_id", "whenMatched": "keepExisting", "whenNotMatched": "insert"}
        try:
            self._slow(lambda: staging.aggregate([{"$merge": into}]))
        except OperationFailure as error:
            if error.code != _DUPLICATE:
                raise
            message = f"a row was refused by {self._target.name}: {short(error)}"
            raise BadValue(message, column=", ".join((error.details or {}).get("keyPattern", {}))) from None
        self._state.end(_MERGED)
        staging.drop()

    def abort(self) -> None:
        """Drop what was staged."""
        if self._staged:
            with translated(self._settings, DestinationUnavailable):
                self._collection.drop()

    def close(self) -> None:
        if self._session:
            self._session.end_session()

    def told(self) -> list[str]:
        return self._notes.told()
