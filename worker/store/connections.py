"""`connections`: saved settings of connectors, their secret fields sealed one by one."""

from __future__ import annotations

import builtins
import logging
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.connection import Connection
from worker.errors import Conflict, NotFound, Permanent, StaleRevision, Unreadable
from worker.store.client import Document, guarded
from worker.vault import Vault

SEALED = "sealed"

log = logging.getLogger(__name__)


@guarded
class Connections:
    """`secret_fields` of a saved document are those that were sealed: nothing here knows the connectors."""

    def __init__(self, database: Database[Document], vault: Vault) -> None:
        self._connections = database["connections"]
        self._jobs = database["jobs"]
        self._vault = vault

    def find(self, connection_id: str) -> Connection | None:
        document = self._connections.find_one({"_id": connection_id})
        return self._open(document) if document else None

    def get(self, connection_id: str) -> Connection:
        connection = self.find(connection_id)
        if connection is None:
            raise NotFound(f"there is no connection {connection_id!r}")
        return connection

    def list(self) -> builtins.list[Connection]:
        """Those that can be read, by id."""
        found = []
        for document in self._connections.find().sort("_id", 1):
            try:
                found.append(self._open(document))
            except Unreadable as error:
                log.warning("%s", error)
        return found

    def owner(self, connection_id: str) -> str | None:
        """The file that a connection belongs to, even of one that cannot be read. Raises NotFound."""
        document = self._connections.find_one({"_id": connection_id}, {"owner": 1})
        if document is None:
            raise NotFound(f"there is no connection {connection_id!r}")
        return document.get("owner")

    def insert(self, connection: Connection, secret_fields: frozenset[str]) -> Connection:
        """Save a new connection; Conflict where its id is taken."""
        change = self._seal(connection, secret_fields)
        change |= {"created_at": "$$NOW", "updated_at": "$$NOW", "revision": 1}
        try:  # no stored connection has revision 0
            self._connections.update_one({"_id": connection.id, "revision": 0}, [{"$set": change}], upsert=True)
        except DuplicateKeyError:
            raise Conflict(f"connection {connection.id!r} exists already") from None
        return self.get(connection.id)

    def replace(self, connection: Connection, secret_fields: frozenset[str], revision: int | None = None) -> Connection:
        """Save a changed connection. Raises NotFound, or StaleRevision where `revision` is not the current one."""
        query: Document = {"_id": connection.id} | ({} if revision is None else {"revision": revision})
        stamp: Document = {"updated_at": "$$NOW", "revision": {"$add": ["$revision", 1]}}
        after = self._connections.find_one_and_update(
            query, [{"$set": self._seal(connection, secret_fields) | stamp}], return_document=ReturnDocument.AFTER
        )
        if after is None:
            self._refuse(connection.id)
        assert after is not None
        return self._open(after)

    def delete(self, connection_id: str, revision: int | None = None) -> None:
        """Delete a connection; Conflict where a job still uses it."""
        query: Document = {"$or": [{"source": connection_id}, {"destination": connection_id}]}
        users = [job["_id"] for job in self._jobs.find(query, {"_id": 1}).sort("_id", 1)]
        if users:
            raise Conflict(f"connection {connection_id!r} is used by {', '.join(users)}; change or delete them first")
        query = {"_id": connection_id} | ({} if revision is None else {"revision": revision})
        if self._connections.delete_one(query).deleted_count == 0:
            self._refuse(connection_id)

    def _refuse(self, connection_id: str) -> None:
        current = self._connections.find_one({"_id": connection_id}, {"revision": 1})
        if current is None:
            raise NotFound(f"there is no connection {connection_id!r}")
        revision = current["revision"]
        raise StaleRevision(
            f"connection {connection_id!r} was changed meanwhile; its revision is {revision}", current=revision
        )

    def _seal(self, connection: Connection, secret_fields: frozenset[str]) -> Document:
        """`$set` values; the whole settings map is one literal, so that a removed setting goes away."""
        settings: dict[str, Any] = {}
        for name, value in connection.settings.items():
            if name in secret_fields and isinstance(value, str):
                sealed = self._vault.seal(value, context=context(connection.id, name))
                settings[name] = {SEALED: sealed}
            else:
                settings[name] = value
        return {
            "type": {"$literal": connection.type},
            "settings": {"$literal": settings},
            "owner": {"$literal": connection.owner},
        }

    def _open(self, document: Document) -> Connection:
        """Raises Unreadable where it is not what was stored."""
        try:
            return self._opened(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            message = f"connection {document['_id']!r} cannot be read, its document was changed by hand: {what}"
            raise Unreadable(f"{message}; save the connection anew, or delete it") from error

    def _opened(self, document: Document) -> Connection:
        settings, unreadable = {}, []
        for name in ("created_at", "updated_at"):
            if not isinstance(document[name], datetime):
                raise ValueError(f"{name} is no time")
        if not isinstance(document["type"], str) or not isinstance(document["revision"], int):
            raise ValueError("type or revision is not what it was")
        for name, value in document["settings"].items():
            if not (isinstance(value, dict) and SEALED in value):
                settings[name] = value
                continue
            try:
                settings[name] = self._vault.open(value[SEALED], context=context(document["_id"], name))
            except Permanent as error:
                log.warning("%s", error)
                unreadable.append(name)
        return Connection(
            unreadable=tuple(unreadable),
            id=document["_id"],
            type=document["type"],
            settings=settings,
            owner=document["owner"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            revision=document["revision"],
        )


def context(connection_id: str, field: str) -> str:
    return f"connections/{connection_id}/{field}"
