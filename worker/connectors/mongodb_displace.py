"""End what an older writer of a stream left open: a frozen process keeps its transaction, and with it its locks.

Each writer uses one session and notes it beside the stream's state; its successor ends that session on the server.
A session that was noted serves nobody else afterwards: its successor's stroke would meet an innocent stream.
Without the right to do so it waits for the server's own limit of a minute.
https://www.mongodb.com/docs/manual/reference/command/killSessions/
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import MongoClient, timeout
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from worker.connectors.mongodb_session import short
from worker.connectors.protocol import Fence

log = logging.getLogger(__name__)

Document = dict[str, Any]

_GOODBYE = 2.0


def displace(client: MongoClient[Document], state: Collection[Document], fence: Fence, session: ClientSession) -> bool:
    """Note `session` as the stream's, and end its predecessor's; False where a newer writer was here."""
    place = {"job": fence.job, "stream": fence.stream, "of": "session"}
    ours = {"sequence": fence.sequence, "token": fence.token}
    before = state.find_one({"_id": place})
    if before is not None and (before["sequence"], before["token"]) < (fence.sequence, fence.token):
        try:
            client.admin.command("killSessions", [{"id": Binary(before["session"], UUID_SUBTYPE)}])
        except OperationFailure as error:
            log.info("an older writer's session was not ended: %s", short(error))
    older = [{"sequence": {"$lt": fence.sequence}}, {"sequence": fence.sequence, "token": {"$lte": fence.token}}]
    noted = {"$set": {**ours, "session": _bytes_of(session)}}
    try:
        state.update_one({"_id": place, "$or": older}, noted, upsert=True)
    except DuplicateKeyError:
        return False
    return True


def retire(client: MongoClient[Document], session: ClientSession) -> None:
    """End a writer's session for good. It is not given back to the driver, which would lend it to another writer."""
    try:
        with timeout(_GOODBYE):
            if session.in_transaction:
                session.abort_transaction()
            client.admin.command("endSessions", [session.session_id])
    except PyMongoError as error:
        log.info("a writer's session was not ended: %s; the server forgets it", short(error))


def _bytes_of(session: ClientSession) -> bytes:
    """The session's id, plain: how a UUID reads back depends on the client's settings."""
    number = session.session_id["id"]
    return number.bytes if isinstance(number, UUID) else bytes(number)
