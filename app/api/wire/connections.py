"""Connections, connectors, and what is found behind them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from app.api.moment import Moment
from app.api.wire.shape import Wire

Step = Literal["name", "tcp", "tls", "login", "permission", "query"]


class Connection(Wire):
    """The connector's settings stand beside these; secrets are asterisks."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    owner: str | None
    created_at: Moment
    updated_at: Moment
    revision: int


class ConnectionList(Wire):
    items: list[Connection]
    next: str | None


class ConnectionTest(Wire):
    """`step` is the last one that was tried: the one that failed, where `ok` is false."""

    ok: bool
    ms: int
    step: Step
    message: str
    hint: str | None


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
