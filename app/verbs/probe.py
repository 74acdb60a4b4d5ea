"""`test`, `streams` and `preview`: a saved connection tried and looked into, from a terminal. No server has to run."""

from __future__ import annotations

from app.api import discovery, trial
from app.api.wire import StreamList
from app.terminal import print_json, print_table
from app.verbs.session import session
from worker.connectors.trial import End
from worker.job import Job
from worker.logs import redact
from worker.store import Store

WORKS, FAILS = 0, 1
_WIDEST = 40


def test(connection_id: str, *, end: End | None, as_json: bool) -> int:
    """Try a connection step by step; 0 where it works. Raises NotFound."""
    with session() as here:
        connection = here.store.connections(here.vault).get(connection_id)
        needs = frozenset({end}) if end else trial.needed(connection_id, _users(here.store, connection_id))
        found = trial.tried(connection, needs)
    if as_json:
        print_json(found)
        return WORKS if found.ok else FAILS
    for one in found.steps:
        what = f"{one.step} ({one.end})" if one.end else str(one.step)
        print(f"{what:<24} {'ok' if one.ok else 'failed':<7} {one.ms:>5} ms")
    print(redact(found.message))
    if found.hint:
        print(redact(found.hint))
    return WORKS if found.ok else FAILS


def streams(connection_id: str, *, as_json: bool) -> int:
    """What could be read: names, keys, suggested cursors, rows, columns. Raises NotFound, SourceUnavailable."""
    with session() as here:
        found = discovery.streams(here.store.connections(here.vault).get(connection_id))
    if as_json:
        print_json(StreamList(items=found, next=None))
        return WORKS
    rows = [
        [
            one.name,
            ", ".join(one.key) or "-",
            one.cursor or "-",
            "-" if one.rows is None else f"{one.rows:,}",
            ", ".join(f"{column.name} {column.type}" for column in one.columns) or "-",
        ]
        for one in found
    ]
    if rows:
        print_table(["STREAM", "KEY", "CURSOR", "ROWS", "COLUMNS"], rows)
    else:
        print("there is no stream")
    return WORKS


def preview(connection_id: str, stream: str, *, count: int, as_json: bool) -> int:
    """The first rows of a stream. Raises NotFound, StreamNotFound, SourceUnavailable."""
    with session() as here:
        found = discovery.preview(here.store.connections(here.vault).get(connection_id), stream, count)
    if as_json:
        print_json(found)
        return WORKS
    if not found.rows:
        print("there is no row")
        return WORKS
    print_table(found.columns, [[_cut(row.get(name)) for name in found.columns] for row in found.rows])
    return WORKS


def _cut(value: object) -> str:
    text = "" if value is None else str(value).replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _users(store: Store, connection_id: str) -> list[Job]:
    either = {"$or": [{"source": connection_id}, {"destination": connection_id}]}
    return store.jobs.list(limit=0, where=[either])
