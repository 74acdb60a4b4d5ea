"""Which connectors there are, each with the JSON schema of its settings."""

from __future__ import annotations

from app.api.operation import Ask
from app.api.questions import Paging
from app.api.wire import Connector, ConnectorList
from worker import connectors
from worker.errors import MissingExtra


def list_(ask: Ask[Paging, None]) -> ConnectorList:
    """Every connector that is installed here."""
    names = [name for name in sorted(connectors.REGISTRY) if ask.query.after is None or name > ask.query.after]
    found = []
    for name in names:
        try:
            settings = connectors.connector(name).settings
        except MissingExtra:
            continue
        schema = settings.model_json_schema()
        found.append(Connector(name=name, settings=schema, secrets=sorted(settings.secret_fields())))
    page = found[: ask.query.limit]
    return ConnectorList(items=page, next=page[-1].name if len(found) > len(page) else None)
