"""What a drill that was killed leaves behind: its databases, marked as ours from the first write, and its folder.

Nothing is dropped that does not carry the mark, and nothing of a drill that may still be going on.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pymongo
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from app.ownership import Ownership
from worker.store.client import Document, translated

MARK = "drill"
MADE_BY = "syncworker drill"
# No drill takes that long.
OLD_SECONDS = 3600
UNAUTHORIZED = 13
# An instance that was killed may leave a transaction open, which the server ends after a minute.
PATIENCE = 75.0
FOLDER, OWNER = "syncworker-drill-", "owner.json"
_NAME_BYTES = 63
_OWN_BYTES = len("_drill_12345678_lake")
BOOT, SPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


def name_of(database: str) -> str:
    """What the names of all drills beside `database` begin with; a long one is cut to what MongoDB allows."""
    kept = database.encode()[: _NAME_BYTES - _OWN_BYTES].decode(errors="ignore")
    return f"{kept}_drill_"


def mark(client: MongoClient[Document], name: str, *, kept: bool) -> None:
    """Make the database `name` with the mark in it; a `kept` one is never dropped by a later drill."""
    facts = {"made_by": MADE_BY, "host": socket.gethostname(), "space": _space(), "pid": os.getpid()}
    facts |= {"began": _began(os.getpid()), "kept": kept}
    change: Document = {key: {"$literal": value} for key, value in facts.items()} | {"made_at": "$$NOW"}
    with translated():
        client[name][MARK].update_one({"_id": MARK}, [{"$set": change}], upsert=True)


def left_over(client: MongoClient[Document], database: str) -> Iterator[tuple[str, str]]:
    """Databases of drills beside `database` that nobody dropped, each with why it is nobody's."""
    beginning = name_of(database)
    pattern = {"name": {"$regex": f"^{re.escape(beginning)}[0-9a-f]{{8}}(_lake)?$"}}
    with translated():
        listed = client.list_databases(filter=pattern, nameOnly=True, authorizedDatabases=True)
        for name in [database["name"] for database in listed]:
            age = {"$set": {"age": {"$subtract": ["$$NOW", "$made_at"]}}}
            ours: Document = {"$match": {"_id": MARK, "made_by": MADE_BY, "kept": False}}
            marker = next(iter(client[name][MARK].aggregate([ours, age])), None)
            if marker is None:
                continue
            if marker["age"] > OLD_SECONDS * 1000:
                yield name, "it is more than an hour old"
            elif _is_gone(marker):
                yield name, f"its drill (pid {marker['pid']}) is gone"


def drop(client: MongoClient[Document], name: str) -> None:
    """Drop the database, or all that is in it where the user may not drop a database. No error where it is gone."""
    with translated(), pymongo.timeout(PATIENCE):
        try:
            client.drop_database(name)
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            for collection in client[name].list_collection_names():
                client[name].drop_collection(collection)


def make_folder() -> tuple[Path, Ownership]:
    """A temporary folder, and the hold on it that the kernel lets go of when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    ownership = Ownership(folder / OWNER)
    ownership.take()
    return folder, ownership


def remove_folders() -> None:
    """Remove the folders of drills that are gone; one that was kept has no owner's file."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        owner = folder / OWNER
        if owner.is_file() and owner.stat().st_uid == os.getuid() and not Ownership(owner).is_held():
            shutil.rmtree(folder, ignore_errors=True)


def _space() -> str:
    """Where a pid means the same process: this start of this machine, and there this container."""
    try:
        return f"{BOOT.read_text(encoding='ascii').strip()} {os.readlink(SPACE)}"
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """When the process began, in the kernel's ticks; None where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _is_gone(marker: Document) -> bool:
    seen_from_here = marker["space"] and marker["space"] == _space() and marker["host"] == socket.gethostname()
    return bool(seen_from_here) and _began(marker["pid"]) != marker["began"]
