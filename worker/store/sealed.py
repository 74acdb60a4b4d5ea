"""What is sealed under SECRET_KEY, wherever it lies: found, and put in place of what was read, or not at all.

It opens nothing: `worker.rotation` does. Sealed checkpoints are under a key of their own (`keys`), save those that an
older version wrote, which are found here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from worker.alert import SECRETS
from worker.store import alerts, connections, keys
from worker.store.client import Document, guarded


@dataclass(frozen=True, kw_only=True)
class SealedRecord:
    """One sealed text: `sealed` at the dotted `field` of a document, which opens with `context`."""

    collection: str
    id: Any
    field: str
    sealed: Mapping[str, Any]
    context: str


@guarded
class Sealed:
    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def all(self) -> list[SealedRecord]:
        """Every sealed text there is, in the order of collections and ids."""
        return [*self._alerts(), *self._connections(), *self._keys(), *self._checkpoints(), *self._undos()]

    def swap(self, record: SealedRecord, sealed: Mapping[str, Any]) -> bool:
        """Put `sealed` in its place; False where that is not what was read any more. Nothing else is touched."""
        found = {"_id": record.id, record.field: dict(record.sealed)}
        change = {"$set": {record.field: dict(sealed)}}
        return self._database[record.collection].update_one(found, change).modified_count == 1

    def _alerts(self) -> Iterator[SealedRecord]:
        for document in self._database["alerts"].find({}, dict.fromkeys(SECRETS, 1)).sort("_id", 1):
            for name in SECRETS:
                value = document.get(name)
                if isinstance(value, dict) and alerts.SEALED in value:
                    yield SealedRecord(
                        collection="alerts",
                        id=document["_id"],
                        field=f"{name}.{alerts.SEALED}",
                        sealed=value[alerts.SEALED],
                        context=alerts.context(document["_id"], name),
                    )

    def _connections(self) -> Iterator[SealedRecord]:
        for document in self._database["connections"].find({}, {"settings": 1}).sort("_id", 1):
            for name, value in sorted(document["settings"].items()):
                if isinstance(value, dict) and connections.SEALED in value:
                    yield SealedRecord(
                        collection="connections",
                        id=document["_id"],
                        field=f"settings.{name}.{connections.SEALED}",
                        sealed=value[connections.SEALED],
                        context=connections.context(document["_id"], name),
                    )

    def _keys(self) -> Iterator[SealedRecord]:
        for document in self._database["keys"].find().sort("_id", 1):
            yield SealedRecord(
                collection="keys",
                id=document["_id"],
                field="sealed",
                sealed=document["sealed"],
                context=keys.context(document["_id"]),
            )

    def _checkpoints(self) -> Iterator[SealedRecord]:
        wanted = {"value.sealed.key": {"$exists": True}}
        for document in self._database["checkpoints"].find(wanted, {"job_id": 1, "stream": 1, "value": 1}):
            yield _checkpoint("checkpoints", document, "value.sealed", document["value"]["sealed"])

    def _undos(self) -> Iterator[SealedRecord]:
        wanted = {"before.checkpoint.sealed.key": {"$exists": True}}
        for document in self._database["undos"].find(wanted, {"job_id": 1, "stream": 1, "before": 1}):
            yield _checkpoint("undos", document, "before.checkpoint.sealed", document["before"]["checkpoint"]["sealed"])


def _checkpoint(collection: str, document: Document, field: str, sealed: Mapping[str, Any]) -> SealedRecord:
    place = keys.checkpoint_context(document["job_id"], document["stream"])
    return SealedRecord(collection=collection, id=document["_id"], field=field, sealed=sealed, context=place)
