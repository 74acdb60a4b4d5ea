"""The JSON Schema of the declarative file, for editors: made of the same tables and settings that the parser uses.

It refuses nothing that the parser takes. What only that can tell (ids that are not there, cron, zones) it lets pass.
Source: JSON Schema 2020-12; the keys of its dialect that yaml-language-server knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from worker import connectors
from worker.alert import Format
from worker.connectors.protocol import ConnectorSettings
from worker.declaration.alerts import KEY_PREFIX, LONGEST_SECRET, LONGEST_URL, MOST_FAILURES, OFF, SHORTEST_SECRET
from worker.declaration.file import VERSION
from worker.declaration.jobs import MOST_ATTEMPTS
from worker.errors import MissingExtra
from worker.job import ID_PATTERN, CatchUp, Delete, Drift, Mode, Overlap, Write
from worker.sync.columns import METADATA

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_UNIT = r"\d+(?:\.\d+)?(?:[mM][sS]|[wWdDhHmMsS])"
_DURATION = rf"^\s*(?:\d+(?:\.\d+)?|(?:{_UNIT})+)\s*$"
# What YAML 1.1 reads as true and false, for editors that read 1.2.
_WORDS = ["on", "off", "yes", "no"]
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_NAMES: Schema = {"type": "array", "items": _NAME, "uniqueItems": True}
_LENGTH: Schema = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _DURATION}]}
_FLAG: Schema = {"anyOf": [{"type": "boolean"}, {"enum": _WORDS}]}
_PART: Schema = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"%\s*$"},
        {"enum": ["off", False]},
    ]
}
_REFERENCE: Schema = {"type": "string", "pattern": r"\$\{|^file:"}

_JOB_WORDS = {
    "source": "Id of the connection to read from",
    "destination": "Id of the connection to write to",
    "schedule": "When it runs: cron or every; left out, it runs by hand only",
    "streams": "What to copy, one entry for each table, collection or file",
    "retry": "What happens after a failed attempt",
    "timeout": "An attempt that takes longer is stopped, and counts as failed; from 1s up",
    "catch_up": "What becomes of fire times that nobody led through",
    "overlap": "What a fire time does that finds its job still active",
    "guards": "How much one run may take away before a person is asked; off turns it off",
    "verify": "Compare both sides after each stream that was moved",
    "enabled": "A disabled job has no fire times, but runs by hand",
    "schema": "What happens when the source changes its columns, for all streams",
    "undo": "How long the generation before a replace is kept, for all streams that are replaced",
}
_ALERT_WORDS = {
    "url": "Where messages go: https://…, or better a reference such as ${TEAM_CHAT_URL}; sealed where it is stored",
    "format": "json is signed, as Standard Webhooks says; slack is for Slack, Mattermost, Discord and Google Chat",
    "secret": f"With json: the key that signs; {KEY_PREFIX} and Base64, or any text of {SHORTEST_SECRET} characters",
    "jobs": "Ids of the jobs it is about; all of them where it is left out",
    "failures": "Told after so many failed runs in a row, once until one succeeds; off: never",
    "recovery": "Whether the end of a failure, or of stale data, is told too",
    "held": "Whether a run that waits for a person's yes is told",
    "stale": "Told when a job has brought no newer data for so long; from 1m up; left out: never",
    "enabled": "A disabled alert tells nothing",
}
_STREAM_WORDS = {
    "name": "The table, collection or file stem at the source",
    "target": "Its name at the destination; the same where it is left out",
    "mode": "full reads everything, incremental from the checkpoint on",
    "write": "replace, append, upsert (by key), or mirror (upsert, then delete what the source no longer has)",
    "cursor": "With incremental: the column that orders the rows",
    "key": "The columns that tell rows apart",
    "lookback": "With incremental and upsert: read again this much before the checkpoint",
    "columns": "Which columns to take; all where it is left out",
    "exclude": "Which columns to leave out",
    "rename": "Old name: new name",
    "hash": "Columns that arrive as keyed hashes, for personal data",
    "metadata": "Columns to add",
    "delete": "hard deletes rows, soft writes the time into their _deleted_at",
    "deleted": "A column by which the source says that a row is deleted",
    "schema": "What happens when the source changes its columns",
    "undo": "With replace: how long the generation before is kept",
}


def file_schema() -> Schema:
    """The schema of the whole file, as plain JSON, in the same order each time."""
    return {
        "$schema": DIALECT,
        "title": "syncworker: connections, jobs and alerts",
        "type": "object",
        "required": ["version"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": VERSION, "description": "Of this format"},
            "connections": _by_id(_connection(), "Saved configurations of connectors, by id"),
            "jobs": _by_id({"$ref": "#/$defs/job"}, "What is synced from where to where, and when, by id"),
            "alerts": _by_id(_alert(), "Whom to tell what of which jobs, by id"),
        },
        "$defs": {"duration": _LENGTH, "job": _job(), "stream": _stream(), "schedule": _schedule()},
    }


def _by_id(entry: Schema, words: str) -> Schema:
    return {
        "type": ["object", "null"],
        "description": words,
        "propertyNames": {"pattern": f"^{ID_PATTERN}$"},
        "additionalProperties": entry,
    }


def _maybe(schema: Schema, words: str = "") -> Schema:
    """What is null counts as left out."""
    told = {"description": words} if words else {}
    return told | {"anyOf": [schema, {"type": "null"}]}


def _choice(words: type[StrEnum] | Iterable[str], default: str | None = None) -> Schema:
    return {"enum": [str(word) for word in words]} | ({} if default is None else {"default": default})


def _object(properties: Mapping[str, Schema], needed: Iterable[str] = ()) -> Schema:
    required = {"required": list(needed)} if needed else {}
    return {"type": "object", "additionalProperties": False, **required, "properties": dict(properties)}


# Jobs.


def _job() -> Schema:
    shapes: dict[str, Schema] = {
        "source": _NAME,
        "destination": _NAME,
        "schedule": {"$ref": "#/$defs/schedule"},
        "streams": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/stream"}},
        "retry": _object(
            {
                "attempts": _maybe({"type": "integer", "minimum": 1, "maximum": MOST_ATTEMPTS, "default": 3}),
                "backoff": _maybe({"$ref": "#/$defs/duration"}, "Before the second attempt; then twice as long"),
                "max_backoff": _maybe({"$ref": "#/$defs/duration"}, "No wait is longer"),
            }
        ),
        "timeout": {"$ref": "#/$defs/duration"},
        "catch_up": _choice(CatchUp, "latest"),
        "overlap": _choice(Overlap, "skip"),
        "guards": {"anyOf": [_object({"max_delete": _maybe(_PART), "max_shrink": _maybe(_PART)}), *_FLAG["anyOf"]]},
        "verify": _FLAG,
        "enabled": _FLAG,
        "schema": _choice(Drift, "evolve"),
        "undo": {"$ref": "#/$defs/duration"},
    }
    needed = ("source", "destination", "streams")
    return _object(
        {
            name: {"description": _JOB_WORDS[name], **shape} if name in needed else _maybe(shape, _JOB_WORDS[name])
            for name, shape in shapes.items()
        },
        needed,
    )


def _schedule() -> Schema:
    either = [
        {"required": ["cron"], "properties": {"cron": {"type": "string"}}},
        {"required": ["every"], "properties": {"every": {"type": ["string", "number"]}}},
    ]
    properties = {
        "cron": _maybe(_NAME, "Five fields, quoted: '*/5 * * * *'"),
        "every": _maybe({"$ref": "#/$defs/duration"}, "At whole multiples since the epoch; from 1s up"),
        "timezone": _maybe(_NAME, "An IANA zone such as Europe/Paris; UTC where it is left out"),
        "jitter": _maybe({"$ref": "#/$defs/duration"}, "Spread the fire times of many jobs"),
    }
    return {**_object(properties), "oneOf": either}


# Alerts.


def _alert() -> Schema:
    text: Schema = {"type": "string", "minLength": 1}
    shapes: dict[str, Schema] = {
        "url": text | {"maxLength": LONGEST_URL, "pattern": r"^[hH][tT]{2}[pP][sS]?://|\$\{|^file:"},
        "format": _choice(Format, "json"),
        "secret": text | {"maxLength": LONGEST_SECRET},
        "jobs": {**_NAMES, "minItems": 1},
        "failures": {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_FAILURES}, {"enum": [OFF, "no", False]}],
            "default": 1,
        },
        "recovery": _FLAG,
        "held": _FLAG,
        "stale": {"$ref": "#/$defs/duration"},
        "enabled": _FLAG,
    }
    return _object(
        {
            name: {"description": _ALERT_WORDS[name], **shape} if name == "url" else _maybe(shape, _ALERT_WORDS[name])
            for name, shape in shapes.items()
        },
        ["url"],
    )


# Streams.


def _stream() -> Schema:
    shapes: dict[str, Schema] = {
        "name": _NAME,
        "target": _NAME,
        "mode": _choice(Mode, "full"),
        "write": _choice(Write, "replace"),
        "cursor": _NAME,
        "key": {**_NAMES, "minItems": 1},
        "lookback": {"$ref": "#/$defs/duration"},
        "columns": _NAMES,
        "exclude": _NAMES,
        "rename": {"type": "object", "additionalProperties": _NAME},
        "hash": _NAMES,
        "metadata": {**_NAMES, "items": _choice(METADATA)},
        "delete": _choice(Delete, "hard"),
        "deleted": _NAME,
        "schema": _choice(Drift, "evolve"),
        "undo": {"$ref": "#/$defs/duration"},
    }
    properties = {
        name: {"description": _STREAM_WORDS[name], **shape} if name == "name" else _maybe(shape, _STREAM_WORDS[name])
        for name, shape in shapes.items()
    }
    incremental = {"required": ["mode"], "properties": {"mode": {"const": str(Mode.INCREMENTAL)}}}
    needs = {"required": ["cursor", "write"], "properties": {"write": _choice([Write.APPEND, Write.UPSERT])}}
    return {**_object({**properties, **_options()}, ["name"]), "if": incremental, "then": needs}


def _options() -> dict[str, Schema]:
    """What the connectors add to a stream; which of them goes with which type only the parser knows."""
    found: dict[str, list[Schema]] = {}
    for type_ in connectors.REGISTRY:
        try:
            connector = connectors.connector(type_)
        except MissingExtra:
            continue
        settings = _settings(connector.settings)
        for name in sorted(connector.stream_options):
            found.setdefault(name, []).append(_told(type_, settings[name]))
        for name, kind in connector.source_options.items():
            shape: Schema = (
                {"type": "string", "minLength": 1} if kind is str else {"type": "object", "minProperties": 1}
            )
            found.setdefault(name, []).append(_told(type_, shape))
    return {name: _maybe(one[0] if len(one) == 1 else {"anyOf": one}) for name, one in sorted(found.items())}


def _told(type_: str, shape: Schema) -> Schema:
    words = shape.get("description")
    return {**shape, "description": f"{type_}: {words}" if words else f"of {type_}"}


# Connections.


def _connection() -> Schema:
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": _choice(connectors.REGISTRY)},
        "oneOf": [_of_type(type_) for type_ in connectors.REGISTRY],
    }


def _of_type(type_: str) -> Schema:
    try:
        model = connectors.connector(type_).settings
    except MissingExtra:
        return {"properties": {"type": {"const": type_}}}
    settings = _settings(model)
    referring = {name: {**_words(shape), "anyOf": [shape, _REFERENCE]} for name, shape in settings.items()}
    needed = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    return {"title": type_, **_object({"type": {"const": type_}, **referring}, ["type", *needed])}


def _settings(model: type[ConnectorSettings]) -> dict[str, Schema]:
    """Each setting by the name that a person writes, without what is ours alone."""
    properties: dict[str, Schema] = model.model_json_schema(by_alias=True)["properties"]
    return {name: _loosened(shape) for name, shape in properties.items()}


def _loosened(shape: Schema) -> Schema:
    """pydantic takes a whole number that is written as text too."""
    kept = {key: value for key, value in shape.items() if key not in ("secret", "title")}
    return kept | {"type": ["integer", "string"]} if kept.get("type") == "integer" else kept


def _words(shape: Schema) -> Schema:
    return {key: shape[key] for key in ("description", "default") if key in shape}
