"""Connections, connectors, and what is found behind them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from app.api.moment import Moment
from app.api.wire.shape import Wire
from worker.connectors.trial import Step


class Connection(Wire):
    """The connector's settings stand beside these; secrets are asterisks."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    owner: str | None
    created_at: Moment
    updated_at: Moment
    revision: int


class Users(Wire):
    """The first of the jobs that use a connection, and how many there are."""

    jobs: list[str]
    count: int


class ConnectionList(Wire):
    """`used_by`: by the connection's id; one that no job uses is not in it."""

    items: list[Connection]
    next: str | None
    used_by: dict[str, Users]


class TriedStep(Wire):
    """One step of a test; `end` where it matters for that end of a job alone."""

    step: Step
    ms: int
    ok: bool
    end: Literal["source", "destination"] | None


class ConnectionTest(Wire):
    """`step` is the last one that was tried: the one that failed, where `ok` is false.

    `reads` and `writes`: whether it can be a source, a destination; null where that was not found out.
    """

    ok: bool
    ms: int
    step: Step
    message: str
    hint: str | None
    reads: bool | None
    writes: bool | None
    steps: list[TriedStep]


class Column(Wire):
    name: str
    type: str
    nullable: bool


class Stream(Wire):
    """`rows` may be an estimate."""

    name: str
    columns: list[Column]
    key: list[str]
    cursor: str | None
    rows: int | None


class StreamList(Wire):
    items: list[Stream]
    next: str | None


class Preview(Wire):
    columns: list[str]
    rows: list[dict[str, Any]]


class Connector(Wire):
    """`settings` is a JSON schema; a property with `secret` is never returned."""

    name: str
    settings: dict[str, Any]
    secrets: list[str]


class ConnectorList(Wire):
    items: list[Connector]
    next: str | None
