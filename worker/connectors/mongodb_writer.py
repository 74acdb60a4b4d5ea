"""Writes MongoDB: each batch in one transaction with its checkpoint and fence, where there is a replica set.

`replace` fills a staging collection with the old one's indexes and renames it over the old. `append` from a source that
cannot resume is staged too, then merged by `_id`, which may be repeated. On a standalone server there are no
transactions: upserts repeat harmlessly, a `replace` starts anew, any other `append` may repeat its last batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

from pymongo import InsertOne, MongoClient, ReplaceOne, timeout
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, CollectionInvalid, OperationFailure

from worker.batch import Batch
from worker.connectors.bson_documents import Documents, Encoded
from worker.connectors.bson_values import CODEC, Shape
from worker.connectors.mongodb import MongoDBSettings
from worker.connectors.mongodb_displace import displace, retire
from worker.connectors.mongodb_keys import MongoDBKeys
from worker.connectors.mongodb_session import (
    KEYS,
    STAGING,
    STATE,
    UNDO,
    Document,
    borrow,
    give_back,
    short,
    translated,
    wake,
)
from worker.connectors.mongodb_state import FencedState
from worker.connectors.mongodb_undo import LONG, KeptCollection, MongoDBGenerations, copy_indexes
from worker.connectors.notes import Notes, shown
from worker.connectors.protocol import Capabilities, Position, Target
from worker.errors import BadInput, BadValue, DestinationUnavailable, Fault
from worker.job import Write
from worker.sync.types import Column

_SECONDS = 60.0
_MOST_NAMESPACE = 255
_NAMESPACE_EXISTS, _NAMESPACE_NOT_FOUND, _DUPLICATE = 48, 26, 11000
# How far an append that was staged has come.
_STAGED, _MERGED = "staged", "merged"


class MongoDBDestination:
    """Collections of one database; made where they are missing."""

    capabilities: ClassVar[Capabilities] = Capabilities(typed=False)

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

    def holds(self, name: str) -> bool:
        with translated(self._settings, DestinationUnavailable):
            return name in self._client[self._settings.database].list_collection_names(filter={"name": name})

    def open(self, target: Target) -> MongoDBWriter:
        """Prepare to write one stream."""
        with translated(self._settings, DestinationUnavailable):
            return MongoDBWriter(self._client, self._settings, target)

    def generations(self, target: Target) -> MongoDBGenerations:
        with translated(self._settings, DestinationUnavailable):
            return MongoDBGenerations(self._client, self._settings, target)

    def discard(self, target: Target, sequence: int) -> None:
        with translated(self._settings, DestinationUnavailable):
            KeptCollection(self._client[self._settings.database], target.fence, target.name).discard(sequence)


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
        self._begun = self._replaces  # whose staging shows the fence already
        self._staged = self._replaces
        self._collection = self._prepare_staging() if self._replaces else self._prepare_target()
        self._keys: MongoDBKeys | None = None
        self._kept: int | None = None
        if target.write is Write.MIRROR:
            soft = target.deleted_at is not None
            self._keys = MongoDBKeys(self._database, target.fence, target.name, soft=soft)
            self._create(self._keys.name, {})  # none is made inside a transaction

    def _check_name(self) -> None:
        name, field = self._target.name, f"{self._target.fence.stream}.target"
        reason = None
        size = len(f"{self._settings.database}.{name}".encode(errors="surrogatepass"))
        if not name or "$" in name or "\0" in name or name.startswith((".", "system.")) or name.endswith("."):
            reason = "is no name of a collection"
        elif name == STATE or name.startswith((STAGING, KEYS, UNDO)):
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
        prefix = f"{STAGING}{fence.place(self._target.name)}_"
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
                copy_indexes(self._database, self._target.name, name)
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

    def _slow(self, call: Callable[[], Any]) -> Any:
        with timeout(LONG):
            return call()

    # The protocol.

    def position(self) -> Position | None:
        """What is stored with the rows; with `replace` only this run's, whose staging is there."""
        position = self._position
        if self._keys and position and position.sequence != self._target.fence.sequence:
            return None  # a run sees for itself what is at the source
        known = self._resumable() if self._replaces else position and position.checkpoint is not None
        return position if known else None

    def stood(self) -> Position | None:
        return self._position

    def kept(self) -> int | None:
        return self._kept

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
            self._begun = True

    def _write(self, batch: Batch, encoded: Encoded, session: ClientSession) -> None:
        if not self._begun:
            self._state.stand_at(self._position, session)
        self._state.advance(batch.checkpoint, session)
        self._insert(batch, encoded, session)

    def _insert(self, batch: Batch, encoded: Encoded, session: ClientSession | None) -> None:
        if encoded.documents:
            self._store(batch, encoded, session)
            if self._keys:
                self._keys.note(encoded.ids, session)
        if batch.removed:
            self._remove(self._documents.of(replace(batch, rows=batch.removed), ()).ids, session)

    def _remove(self, ids: list[Any], session: ClientSession | None) -> None:
        if self._keys:
            self._keys.forget(ids, session)
        else:
            self._collection.delete_many({"_id": {"$in": ids}}, session=session)

    def _store(self, batch: Batch, encoded: Encoded, session: ClientSession | None) -> None:
        upserts = self._target.write.keyed
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
            if self._keys:
                counts: tuple[int, int] = self._slow(self._keys.counts)
                return counts
            now: int = self._slow(lambda: self._at(self._target.name).count_documents({}))
            then: int = self._slow(lambda: self._collection.count_documents({}))
            return now, then

    def finish(self) -> int:
        """Look at the fence, then rename the staging collection over the target in one step."""
        with translated(self._settings, DestinationUnavailable):
            if self._replaces:
                self._replace()
                return 0
            self._state.claim()
            if self._keys:
                return self._delete_unseen(self._keys)
            if self._staged or self._state.ended == _STAGED:
                self._merge()
            return 0

    def _delete_unseen(self, keys: MongoDBKeys) -> int:
        """Page by page, each under the fence; what is broken off is gone on with by the next attempt."""
        removed = 0
        for page in keys.unseen():

            def delete(session: ClientSession | None, page: list[Any] = page) -> int:
                self._state.claim(session)
                return keys.delete(page, self._target.deleted_at, session)

            removed += self._session.with_transaction(delete) if self._session else delete(None)
        return removed

    def _replace(self) -> None:
        keeping = KeptCollection(self._database, self._target.fence, self._target.name)
        self._state.prove()
        kept = keeping.keep() if self._target.keeps else None
        self._state.advance(None)  # what is staged is gone on with no more
        self._rename()
        if self._target.keeps:
            name, self._kept = kept or (None, None)
            keeping.drop_others(name)

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
        """Drop what was staged; of a mirror, read all again."""
        if self._keys:
            with translated(self._settings, DestinationUnavailable):
                self._state.advance(None)
                self._slow(self._keys.unsee)
        if self._staged:
            with translated(self._settings, DestinationUnavailable):
                self._collection.drop()

    def close(self) -> None:
        if self._session:
            retire(self._client, self._session)

    def told(self) -> list[str]:
        return self._notes.told()
