"""Connections as they are declared: a type and its settings, in which `${NAME}` refers to the environment.

References are kept as text wherever a connection is stored or printed; `resolve` alone reads their values, in the
process that opens the connection. `$${` stands for a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from worker import connectors, logs
from worker.connection import Connection
from worker.connectors.protocol import ConnectorSettings
from worker.declaration.fields import Fields, check_id, meant
from worker.errors import BadInput, Fault, MissingExtra, Permanent

_REFERENCE = re.compile(r"(\$?)\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# In a URL the password, up to the last @ (a / or @ in it may be unescaped), and parameters named like a secret.
_URL_PASSWORD = re.compile(r"://[^:@]*:(.*)@", re.DOTALL)
_QUERY_SECRET = re.compile(r"[?&][^=&]*(?:pass|pwd|secret|token|key|credential)[^=&]*=([^&#]*)", re.IGNORECASE)


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
    for name, value in connection.settings.items():
        filling = partial(_filled, env=env, field=f"connections.{connection.id}.{name}", faults=faults)
        settings[name] = _mapped(value, filling)
    if faults:
        raise BadInput(faults)
    for name in secret_fields(connection.type) & settings.keys():
        _mapped(settings[name], _register)
    return replace(connection, settings=settings)


def _check(fields: Fields, type_: str, settings: Mapping[str, Any]) -> None:
    """The connector's own check; what depends on a reference can only be checked when it is resolved."""
    model: type[ConnectorSettings] = connectors.connector(type_).settings
    names = model.names()
    fields.know("type", *names)
    known = {name: value for name, value in settings.items() if name in names}
    referring = set()
    for name, value in known.items():
        found = _references(value)
        if found:
            referring.add(name)
        for reference in found:
            if not _NAME.fullmatch(reference):
                fields.fault(name, f"has ${{{reference}}}; allowed: ${{NAME}}, or $${{ for a literal ${{")
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
        found.extend(name for escape, name in _REFERENCE.findall(text) if not escape)
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


def _filled(text: str, *, env: Mapping[str, str], field: str, faults: list[Fault]) -> str:
    def fill(match: re.Match[str]) -> str:
        escape, name = match.groups()
        if escape:
            return f"${{{name}}}"
        if name not in env:
            faults.append(Fault(field=field, message=f"refers to ${{{name}}}, which is not set in the environment"))
        return env.get(name, "")

    return _REFERENCE.sub(fill, text)


def _printable(value: Any) -> bool:
    """Whether a secret setting shows nothing but the names of its references."""
    if value is None or value == "":
        return True
    if not isinstance(value, str) or not _references(value):
        return False
    if "://" not in value:
        return not _REFERENCE.sub("", value)
    return not any(_REFERENCE.sub("", part) for part in _url_secrets(value))


def _register(text: str) -> str:
    """Keep a secret out of the log; of a URL only its password, or hosts would be blotted out too."""
    for part in _url_secrets(text) if "://" in text else [text]:
        logs.register_secret(part)
        logs.register_secret(unquote(part))
    return text


def _url_secrets(url: str) -> list[str]:
    return [*_URL_PASSWORD.findall(url), *_QUERY_SECRET.findall(url)]
