"""Make one mongod the primary of a replica set of one: initiated the first time, told its address when that changed.

It is apart from `app.embedded` so that the driver is imported while mongod starts, and not at all by a borrower.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from worker import clock
from worker.errors import StoreUnavailable

PAUSE = 0.02
NOT_YET_INITIALIZED = 94  # or not yet loaded: it says the same while it starts
ALREADY_INITIALIZED = 23


def make_primary(address: str, port: int, name: str, patience: float, alive: Callable[[], bool]) -> None:
    """Return when the mongod at `port` accepts writes; raises StoreUnavailable where it does not in time, or died."""
    deadline = clock.monotonic() + patience
    never = threading.Event()
    reason = "it does not say why"
    url = f"mongodb://{address}:{port}/"
    with MongoClient[dict[str, Any]](url, directConnection=True, serverSelectionTimeoutMS=1000) as client:
        while clock.monotonic() < deadline and alive():
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
                _configure(client, f"{address}:{port}", name)
            except PyMongoError as error:
                reason = str(error)
            never.wait(PAUSE)
    raise StoreUnavailable(f"the embedded mongod on port {port} does not become primary: {reason}")


def _configure(client: MongoClient[dict[str, Any]], member: str, name: str) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        _initiate(client, {"_id": name, "members": [{"_id": 0, "host": member}]})
        return
    if config["members"][0]["host"] != member:
        config["members"][0]["host"] = member
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def _initiate(client: MongoClient[dict[str, Any]], config: dict[str, Any]) -> None:
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
