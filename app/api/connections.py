"""Connections: saved settings of connectors, tried and looked into. A secret goes in and never comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from app.api import discovery, masking, trial
from app.api import kept as owned
from app.api.jobs import merged
from app.api.operation import Answer, Ask, etag, revision_of
from app.api.problems import Stale
from app.api.questions import Paging, PreviewQuery, Trial
from app.api.wire import Connection, ConnectionList, ConnectionTest, Preview, StreamList, Users
from worker import connection as records
from worker import connectors, declaration
from worker.errors import BadInput, Fault, MissingExtra, StaleRevision, Unreadable
from worker.job import Job
from worker.store.connections import Connections

# What GET adds to a connection's settings: sent back, it changes nothing.
ADDED = frozenset({"id", "owner", "created_at", "updated_at", "revision"})
# Of the jobs that use a connection so many are named in a list; the rest are counted.
NAMED_USERS = 3


def list_(ask: Ask[Paging, None]) -> ConnectionList:
    """All connections by id, secrets as asterisks, with the jobs that use them."""
    page, more = _page(_saved(ask).list(), ask.query, lambda one: one.id)
    users = ask.context.store.jobs.users([one.id for one in page], first=NAMED_USERS)
    return ConnectionList(
        items=[shape(one) for one in page],
        next=page[-1].id if more else None,
        used_by={id: Users(jobs=jobs, count=count) for id, (jobs, count) in users.items()},
    )


def get(ask: Ask[Any, None]) -> Answer:
    """One connection; its revision is the ETag."""
    return _told(_saved(ask).get(ask.path["id"]))


def create(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Save a new connection; its settings are checked, its secrets sealed."""
    connection_id = ask.body.get("id")
    if not isinstance(connection_id, str):
        raise BadInput([Fault(field="id", message="is missing" if connection_id is None else "is not a text")])
    connection = _parsed(connection_id, ask.body, None)
    stored = _saved(ask).insert(connection, secret_fields(connection.type))
    _note(ask, None, stored)
    told = _told(stored)
    return replace(told, status=201, headers=told.headers | {"Location": f"/api/connections/{connection_id}"})


def put(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Replace a connection; a secret left out or sent as asterisks stays, null removes it. It mends a broken one."""
    return _replaced(ask, owned.mendable(_saved(ask), "connection", ask.path["id"]), ask.body)


def patch(ask: Ask[Any, dict[str, Any]]) -> Answer:
    """Merge into a connection (RFC 7396); null removes a setting."""
    before = owned.own(_saved(ask), "connection", ask.path["id"])
    secret = secret_fields(before.type)
    open_ = {name: value for name, value in before.settings.items() if name not in secret}
    removed = {name: None for name, value in ask.body.items() if value is None}
    return _replaced(ask, before, merged({"type": before.type, **open_}, ask.body) | removed)


def delete(ask: Ask[Any, Any]) -> Response:
    """Delete a connection that no job uses; one that cannot be read too."""
    _note(ask, owned.mendable(_saved(ask), "connection", ask.path["id"]), None)
    try:
        _saved(ask).delete(ask.path["id"], revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    return Response(status_code=204)


def test(ask: Ask[Any, Trial]) -> ConnectionTest:
    """Try a connection step by step: the last step that was tried, and what to do where it failed."""
    connection = _saved(ask).get(ask.path["id"])
    end = ask.body.end
    return trial.tried(connection, frozenset({end}) if end else trial.needed(connection.id, _users(ask, connection.id)))


def try_draft(ask: Ask[Any, dict[str, Any]]) -> ConnectionTest:
    """Try a connection before it is saved; with the `id` of a saved one, its secrets stand in for those left out."""
    connection_id = ask.body.get("id")
    if connection_id is not None and not isinstance(connection_id, str):
        raise BadInput([Fault(field="id", message="is not a text")])
    before = _saved(ask).find(connection_id) if connection_id else None
    connection = _parsed(connection_id or "draft", ask.body, before)
    return trial.tried(connection, trial.needed(connection.id, _users(ask, connection.id) if before else ()))


def streams(ask: Ask[Paging, None]) -> StreamList:
    """What could be read from a connection: names, columns, keys, suggested cursors, row counts."""
    page, more = _page(discovery.streams(_saved(ask).get(ask.path["id"])), ask.query, lambda one: one.name)
    return StreamList(items=page, next=page[-1].name if more else None)


def preview(ask: Ask[PreviewQuery, None]) -> Preview:
    """The first rows of a stream."""
    return discovery.preview(_saved(ask).get(ask.path["id"]), ask.path["name"], ask.query.limit)


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


def _replaced(ask: Ask[Any, Any], before: records.Connection | None, body: dict[str, Any]) -> Answer:
    given = body.get("id", ask.path["id"])
    if given != ask.path["id"]:
        raise BadInput([Fault(field="id", message=f"is {given!r}; a connection's id cannot change")])
    connection = _parsed(ask.path["id"], body, before)
    try:
        stored = _saved(ask).replace(connection, secret_fields(connection.type), revision_of(ask.if_match))
    except StaleRevision as error:
        raise _stale(ask, error) from None
    _note(ask, before, stored)
    return _told(stored)


def _note(ask: Ask[Any, Any], before: records.Connection | None, after: records.Connection | None) -> None:
    """Say for the audit what became of a connection: a secret that is another one now is only called changed."""
    old, new = _trace(before), _trace(after)
    if before and after and old and new:
        for name in _hidden(before) & _hidden(after):
            if name in new and old.get(name) == new[name] and before.settings.get(name) != after.settings[name]:
                new[name] = "changed" if new[name] == masking.MASK else f"{new[name]} (changed)"
    ask.note(old, new, subject=f"connections/{after.id}" if after else "")


def _trace(connection: records.Connection | None) -> dict[str, Any] | None:
    if connection is None:
        return None
    return {"type": connection.type, **masking.masked(connection.settings, _hidden(connection))}


def _stale(ask: Ask[Any, Any], error: StaleRevision) -> Stale:
    try:
        current = shape(_saved(ask).get(ask.path["id"])).model_dump(mode="json", fallback=str)
    except Unreadable:
        current = {"id": ask.path["id"], "revision": error.current}
    return Stale(str(error), current)


def _users(ask: Ask[Any, Any], connection_id: str) -> list[Job]:
    """The jobs that use a connection."""
    either = {"$or": [{"source": connection_id}, {"destination": connection_id}]}
    return ask.context.store.jobs.list(limit=0, where=[either])
