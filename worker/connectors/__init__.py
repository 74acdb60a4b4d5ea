"""The connectors by name, each imported on first use. A new one is one file and one line in REGISTRY."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, cast

from pydantic import ValidationError

from worker.connectors.protocol import Connector, ConnectorSettings, Destination, Source
from worker.errors import BadInput, Fault, MissingExtra

REGISTRY: Mapping[str, str] = {
    "files": "worker.connectors.files:Files",
    "mongodb": "worker.connectors.mongodb:MongoDB",
    "postgres": "worker.connectors.postgres:Postgres",
    "sqlite": "worker.connectors.sqlite:SQLite",
}


def connector(name: str) -> type[Connector]:
    """The connector's class. BadInput where there is none of that name."""
    place = REGISTRY.get(name)
    if place is None:
        near = get_close_matches(name, REGISTRY, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        known = ", ".join(REGISTRY)
        raise BadInput([Fault(field="type", message=f"{name!r} is no connector; there are {known}{hint}")])
    module, _, attribute = place.partition(":")
    return cast(type[Connector], getattr(importlib.import_module(module), attribute))


def settings_of(name: str, values: Mapping[str, Any]) -> ConnectorSettings:
    """The settings of a connection, checked; BadInput with every fault. No value is repeated in a message."""
    model = connector(name).settings
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise BadInput([_fault(model, one["loc"], one["type"], one["msg"]) for one in error.errors()]) from None


def _fault(model: type[ConnectorSettings], place: tuple[int | str, ...], kind: str, message: str) -> Fault:
    field = ".".join(str(part) for part in place)
    if kind == "extra_forbidden":
        near = get_close_matches(field, model.names(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"is no setting of this connector; there are {', '.join(model.names())}{hint}"
    elif kind == "missing":
        message = "is needed"
    return Fault(field=field, message=message.removeprefix("Value error, "))


def open_end(name: str, values: Mapping[str, Any], end: Literal["source", "destination"]) -> Source | Destination:
    """One end of a job, not yet connected: enter it as a context."""
    settings = settings_of(name, values)
    made = connector(name)
    try:
        return made.source(settings) if end == "source" else made.destination(settings)
    except ModuleNotFoundError as error:
        message = f"the {name} connector needs {error.name}; install it: pip install 'syncworker[{name}]'"
        raise MissingExtra(message) from error
