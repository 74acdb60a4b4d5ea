"""Connections: saved settings of connectors, tried and looked into. A secret goes in and never comes out."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from starlette.responses import Response

from app.api import masking, trial
from app.api.cells import cell
from app.api.jobs import merged
from app.api.operation import Answer, Ask, etag, revision_of
from app.api.problems import Stale
from app.api.questions import Paging, PreviewQuery
from app.api.wire import Column, Connection, ConnectionList, ConnectionTest, Preview, Stream, StreamList
from worker import connection as records
from worker import connectors, declaration
from worker.connectors.protocol import Source
from worker.errors import BadInput, Conflict, Fault, MissingExtra, Permanent, StaleRevision
from worker.job import StreamSpec
from worker.store.connections import Connections

# What GET adds to a connection's settings: sent back, it changes nothing.
ADDED = frozenset({"id", "owner", "created_at", "updated_at", "revision"})


def list_(ask: Ask[Paging, None]) -> ConnectionList:
    """All connections by id, secrets as asterisks."""
    page, more = _page(_saved(ask).list(), ask.query, lambda one: one.id)
    return ConnectionList(items=[shape(one) for one in page], next=page[-1].id if more else None)


def get(ask: Ask[Any, None]) -> Answer:
    """One connection; its revision is the ETag."""
    return _told(_saved(ask).get(ask.path["id"]))


def create(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Save a new connection; its settings are checked, its secrets sealed."""
    connection_id = ask.body.get("id")
    if not isinstance(connection_id, str):
        raise BadInput([Fault(field="id", message="is missing" if connection_id is None else "is not a text")])
    connection = _parsed(connection_id, ask.body, None)
    told = _told(_saved(ask).insert(connection, secret_fields(connection.type)))
    return replace(told, status=201, headers=told.headers | {"Location": f"/api/connections/{connection_id}"})


def put(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Replace a connection; a secret left out or sent as asterisks stays, null removes it."""
    return _replaced(ask, _own(ask), ask.body)


def patch(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Merge into a connection (RFC 7396); null removes a setting."""
    before = _own(ask)
    secret = secret_fields(before.type)
    open_ = {name: value for name, value in before.settings.items() if name not in secret}
    removed = {name: None for name, value in ask.body.items() if value is None}
    return _replaced(ask, before, merged({"type": before.type, **open_}, ask.body) | removed)


def delete(ask: Ask[Any, Any]) -> Response:
    """Delete a connection that no job uses."""
    _own(ask)
    try:
        _saved(ask).delete(ask.path["id"], revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    return Response(status_code=204)


def test(ask: Ask[Any, Any]) -> ConnectionTest:
    """Try a connection: the last step that was tried, and what to do where it failed."""
    connection = _saved(ask).get(ask.path["id"])
    try:
        ready = declaration.resolve(connection, os.environ)
    except BadInput as error:
        return ConnectionTest(ok=False, ms=0, step="name", message=str(error), hint="Set it where the program runs.")
    except Permanent as error:
        return ConnectionTest(ok=False, ms=0, step="login", message=str(error), hint="Enter the secret again.")
    return trial.tried(ready)


def streams(ask: Ask[Paging, None]) -> StreamList:
    """What could be read from a connection: names, columns, keys, row counts."""
    with _opened(ask) as source:
        found = sorted(source.streams(), key=lambda stream: stream.name)
    page, more = _page(found, ask.query, lambda one: one.name)
    items = [
        Stream(
            name=one.name,
            columns=[Column(name=c.name, type=str(c.type.kind), nullable=c.nullable) for c in one.columns],
            key=list(one.key),
            cursor=one.cursor,
            rows=one.rows,
        )
        for one in page
    ]
    return StreamList(items=items, next=page[-1].name if more else None)


def preview(ask: Ask[PreviewQuery, None]) -> Preview:
    """The first rows of a stream."""
    with _opened(ask) as source:
        batches = source.read(StreamSpec(name=ask.path["name"]), None)
        try:
            rows = list(itertools.islice((row for batch in batches for row in batch.rows), ask.query.limit))
        finally:
            close = getattr(batches, "close", None)
            if close:
                close()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Preview(columns=columns, rows=[{name: cell(value) for name, value in row.items()} for row in rows])


def shape(connection: records.Connection) -> Connection:
    """A connection as it goes out: settings flat, as in the file, secrets masked."""
    return Connection.model_validate(
        {
            **masking.masked(connection.settings, _hidden(connection)),
            **dict.fromkeys(connection.unreadable, masking.MASK),
            "id": connection.id,
            "type": connection.type,
            "owner": connection.owner,
            "created_at": connection.created_at,
            "updated_at": connection.updated_at,
            "revision": connection.revision,
        }
    )


def _hidden(connection: records.Connection) -> frozenset[str]:
    """The settings to mask: all of them where this version has no such connector."""
    try:
        return secret_fields(connection.type)
    except (BadInput, MissingExtra):
        return frozenset(connection.settings)


def secret_fields(type_: str) -> frozenset[str]:
    return connectors.connector(type_).settings.secret_fields()


def _told(connection: records.Connection) -> Answer:
    return Answer(shape=shape(connection), headers=etag(connection.revision))


def _saved(ask: Ask[Any, Any]) -> Connections:
    return ask.context.store.connections(ask.context.vault)


def _page(found: list[Any], query: Paging, name: Any) -> tuple[list[Any], bool]:
    rest = [one for one in found if query.after is None or name(one) > query.after]
    return rest[: query.limit], len(rest) > query.limit


def _parsed(connection_id: str, body: dict[str, Any], before: records.Connection | None) -> records.Connection:
    """The connection that `body` says, with the secrets of `before` where they stay. Raises BadInput."""
    said = {name: value for name, value in body.items() if name not in ADDED}
    type_ = said.pop("type", None)
    if not isinstance(type_, str):
        raise BadInput([Fault(field="type", message="is missing" if type_ is None else "is not a text")])
    stored = before.settings if before and before.type == type_ else {}
    settings = masking.kept(said, stored, secret_fields(type_))
    return declaration.parse_connection(connection_id, {"type": type_, **settings})


def _own(ask: Ask[Any, Any]) -> records.Connection:
    """The stored connection, if it is ours to change: Conflict where a file says what it is."""
    connection = _saved(ask).get(ask.path["id"])
    if connection.owner is not None:
        raise Conflict(f"connection {connection.id} is kept by {connection.owner}; change it there")
    return connection


def _replaced(ask: Ask[Any, Any], before: records.Connection, body: dict[str, Any]) -> Answer:
    given = body.get("id", before.id)
    if given != before.id:
        raise BadInput([Fault(field="id", message=f"is {given!r}; a connection's id cannot change")])
    connection = _parsed(before.id, body, before)
    try:
        return _told(_saved(ask).replace(connection, secret_fields(connection.type), revision_of(ask.if_match)))
    except StaleRevision as error:
        raise _stale(ask, error) from None


def _stale(ask: Ask[Any, Any], error: StaleRevision) -> Stale:
    current = shape(_saved(ask).get(ask.path["id"]))
    return Stale(str(error), current.model_dump(mode="json", fallback=str))


@contextmanager
def _opened(ask: Ask[Any, Any]) -> Iterator[Source]:
    connection = declaration.resolve(_saved(ask).get(ask.path["id"]), os.environ)
    with connectors.open_end(connection.type, connection.settings, "source") as source:
        yield cast(Source, source)
