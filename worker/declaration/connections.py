"""Connections as they are declared: a type and its settings, in which `${NAME}` refers to the environment.

References (`worker.references`) are kept as text wherever a connection is stored or printed; `resolve` alone reads
their values, in the process that opens the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from worker import connectors, redaction, references, url_secrets
from worker.connection import Connection
from worker.connectors.protocol import ConnectorSettings
from worker.declaration.fields import Fields, check_id, meant
from worker.errors import BadInput, Fault, MissingExtra, Permanent


def parse_connection(id: str, document: object, *, where: str = "") -> Connection:
    """A connection from `{type, settings…}`; `where` is the path of the document. Raises BadInput with all faults."""
    faults: list[Fault] = []
    connection = read_connection(id, document, where, faults)
    if faults:
        raise BadInput(faults)
    return connection


def read_connection(id: str, document: object, where: str, faults: list[Fault]) -> Connection:
    """As `parse_connection`, but adds to `faults`; what it returns is of use only where none were added."""
    check_id(id, where, faults)
    fields = Fields(document, where, faults)
    fields.need("type")
    type_ = fields.text("type")
    settings = {name: fields.raw(name) for name in fields.names_of_fields() if name != "type"}
    if type_ is not None and type_ not in connectors.REGISTRY:
        fields.fault("type", f"is {type_!r}; {meant(type_, connectors.REGISTRY)}")
    elif type_ is not None:
        try:
            _check(fields, type_, settings)
        except MissingExtra as error:
            fields.fault("type", str(error))
    return Connection(id=id, type=type_ or "", settings=settings)


def connection_document(connection: Connection, hidden: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The shape of the file. `hidden` gives texts that stand in for settings; see `literal_secrets`."""
    return {"type": connection.type, **connection.settings, **(hidden or {})}


def secret_fields(type_: str) -> frozenset[str]:
    """The settings of a connector that are sealed at rest and never shown. Raises BadInput, MissingExtra."""
    return connectors.connector(type_).settings.secret_fields()


def literal_secrets(connection: Connection) -> list[str]:
    """Its secret settings that hold more than references: those that nobody may print."""
    try:
        secrets = secret_fields(connection.type)
    except (BadInput, MissingExtra):  # a connector that this version does not have: trust no setting
        secrets = frozenset(connection.settings)
    return sorted(name for name in secrets & connection.settings.keys() if not _printable(connection.settings[name]))


def resolve(connection: Connection, env: Mapping[str, str]) -> Connection:
    """The connection with every `${NAME}` replaced from `env`. Raises BadInput naming each that is not set.

    Raises Permanent where a secret was sealed under a key that we do not have.

    Secrets are registered with the log's redactor on the way.
    """
    faults: list[Fault] = []
    settings = {}
    if connection.unreadable:
        raise Permanent(
            f"{', '.join(connection.unreadable)} of connection {connection.id} was sealed under another SECRET_KEY; "
            "add the old key behind the new one, comma-separated, or enter the secret again"
        )
    secret = secret_fields(connection.type)
    for name, value in connection.settings.items():
        settings[name] = _filled(value, env, f"connections.{connection.id}.{name}", faults, secret=name in secret)
    if faults:
        raise BadInput(faults)
    for name in secret & settings.keys():
        _mapped(settings[name], _register)
    return replace(connection, settings=settings)


def _check(fields: Fields, type_: str, settings: Mapping[str, Any]) -> None:
    """The connector's own check; what depends on a reference can only be checked when it is resolved."""
    model: type[ConnectorSettings] = connectors.connector(type_).settings
    names, secret = model.names(), model.secret_fields()
    fields.know("type", *names)
    known = {name: value for name, value in settings.items() if name in names}
    referring = set()
    for name, value in known.items():
        found = _references(value)
        if found or (name in secret and isinstance(value, str) and references.whole_file(value)):
            referring.add(name)
        for wrong in filter(None, map(references.fault, found)):
            fields.fault(name, wrong)
    try:
        connectors.settings_of(type_, known)
    except BadInput as error:
        for fault in error.faults:
            name = fault.field.partition(".")[0]
            if name not in referring and (name or not referring):
                where = fields.at(fault.field) if name else fields.path
                fields.faults.append(Fault(field=where, message=fault.message))


def _references(value: Any) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.extend(references.references(text))
        return text

    _mapped(value, note)
    return found


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with `change` applied to each text in it."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _mapped(item, change) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change) for item in value]
    return value


def _filled(value: Any, env: Mapping[str, str], field: str, faults: list[Fault], *, secret: bool) -> Any:
    def missing(message: str) -> None:
        faults.append(Fault(field=field, message=message))

    return _mapped(value, lambda text: references.fill(text, env, missing, secret=secret))


def _printable(value: Any) -> bool:
    """Whether a secret setting shows nothing but the names of its references."""
    if value is None or value == "":
        return True
    if not isinstance(value, str):
        return False
    if references.whole_file(value) or references.nothing_else(value):
        return True
    if not url_secrets.is_url(value) or not _references(value):
        return False
    return all(not part or references.nothing_else(part) for part in url_secrets.secrets(value))


def _register(text: str) -> str:
    redaction.register_setting(text)
    return text
