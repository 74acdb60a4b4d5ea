"""The streams of a job as they are declared, parsed and printed.

A stream's options beyond those named here belong to the connectors, and are checked against what those of the job's
connections know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from worker import connectors
from worker.connectors.protocol import Connector
from worker.declaration.fields import Fields, meant, shown
from worker.duration import format_duration
from worker.errors import BadInput, MissingExtra
from worker.job import Delete, Drift, Mode, StreamSpec, Write
from worker.sync.columns import METADATA

STREAM_FIELDS = (
    "name", "target", "mode", "write", "cursor", "key", "lookback", "columns", "exclude", "rename", "hash", "metadata",
    "delete", "deleted",
)  # fmt: skip
_SHAPES: dict[type, str] = {str: "a text", dict: "a mapping, such as {status: paid}"}
# Of a stream, or of the job for all its streams: `undo` for those that are replaced.
POLICY = "schema"
UNDO = "undo"
SHARED = (POLICY, UNDO)


def read_streams(job: Fields, types: Mapping[str, str | None] | None) -> tuple[StreamSpec, ...]:
    entries = job.raw("streams")
    if not job.readable:
        return ()
    if not isinstance(entries, (list, tuple)) or not entries:
        job.fault("streams", "is missing; needs at least one stream, such as [{name: orders}]")
        return ()
    policy, undo = job.choice(POLICY, Drift, Drift.EVOLVE), _undo(job)
    parts = [Fields(entry, f"{job.at('streams')}[{i}]", job.faults) for i, entry in enumerate(entries)]
    specs = [_with_undo(_stream(part, types, policy), undo) for part in parts]
    for position, spec in enumerate(specs):
        at = f"streams[{position}]"
        for before, other in enumerate(specs[:position]):
            if spec.name and spec.name == other.name:
                job.fault(f"{at}.name", f"is {spec.name!r}, as streams[{before}] already is")
            elif spec.name and spec.destination_name == other.destination_name and _clash(spec, other):
                job.fault(at, f"writes to {spec.destination_name!r}, as streams[{before}] does; give it another target")
    return tuple(specs)


def _clash(one: StreamSpec, other: StreamSpec) -> bool:
    """Two streams may add to one target, but neither may replace it."""
    return Write.REPLACE in (one.write, other.write)


def _stream(fields: Fields, types: Mapping[str, str | None] | None, policy: Drift) -> StreamSpec:
    fields.need("name")
    options = _options(fields, types)
    mode = fields.choice("mode", Mode, Mode.FULL)
    spec = StreamSpec(
        name=fields.text("name") or "",
        mode=mode,
        write=_write(fields, mode),
        target=fields.text("target"),
        cursor=fields.text("cursor"),
        key=fields.names("key") or (),
        lookback=_lookback(fields),
        columns=fields.names("columns"),
        exclude=fields.names("exclude") or (),
        rename=fields.renames("rename"),
        hash=fields.names("hash") or (),
        metadata=_metadata(fields),
        schema=fields.choice(POLICY, Drift, policy),
        delete=fields.choice("delete", Delete, Delete.HARD),
        deleted=fields.text("deleted"),
        undo=_undo(fields),
        options=options,
    )
    _check_stream(fields, spec, keyed=types is not None and types["source"] == "mongodb")
    return spec


def _undo(fields: Fields) -> float | None:
    seconds = fields.duration(UNDO)
    if seconds is not None and seconds < 1:
        fields.fault(UNDO, "is too short; allowed: 1s or more, such as 24h; leave it out to keep nothing")
        return None
    return seconds


def _with_undo(spec: StreamSpec, undo: float | None) -> StreamSpec:
    """The stream under the job's `undo`, where it has none of its own."""
    return replace(spec, undo=undo) if undo and spec.undo is None and spec.write is Write.REPLACE else spec


def _write(fields: Fields, mode: Mode) -> Write:
    if "write" in fields or mode is Mode.FULL:
        return fields.choice("write", Write, Write.REPLACE)
    fields.fault("write", "is missing; with mode incremental it is append or upsert")
    return Write.UPSERT if mode is Mode.INCREMENTAL else Write.REPLACE


def _check_stream(fields: Fields, spec: StreamSpec, *, keyed: bool) -> None:
    incremental = spec.mode is Mode.INCREMENTAL
    if incremental and "cursor" not in fields:
        fields.fault("cursor", "is missing; mode incremental needs the column that orders the rows")
    if incremental and fields.raw("write") == Write.REPLACE:
        fields.fault("write", "is 'replace'; with mode incremental it would lose older rows; allowed: append, upsert")
    if incremental and fields.raw("write") == Write.MIRROR:
        fields.fault("write", "is 'mirror', which must see the whole source; with mode incremental: append, upsert")
    if "write" in fields and spec.write.keyed and "key" not in fields and not keyed:
        fields.fault("key", f"is missing; write {spec.write} needs the columns that tell rows apart, such as [id]")
    if spec.write is Write.MIRROR and spec.schema is Drift.DISCARD_ROW:
        fields.fault("schema", "is 'discard_row'; with write mirror a row that is left out would be deleted")
    if "deleted" in fields and not spec.write.keyed:
        fields.fault("deleted", f"finds rows by their key: it needs write upsert or mirror, not {spec.write}")
    if spec.delete is Delete.SOFT and not (spec.write is Write.MIRROR or spec.deleted):
        fields.fault("delete", "is 'soft', and nothing is deleted; it goes with write mirror, or with deleted")
    if UNDO in fields and spec.write is not Write.REPLACE:
        fields.fault(UNDO, f"keeps what a replace takes away: it goes with write replace, not {spec.write}")
    if "key" in fields and fields.raw("key") == []:
        fields.fault("key", "is empty; name at least one column, or leave it out")
    if "lookback" in fields and not (incremental and spec.write is Write.UPSERT):
        fields.fault("lookback", "reads rows again: it needs mode incremental and write upsert")
    left_out = set(spec.exclude) | (set(spec.key) - set(spec.columns) if spec.columns is not None else set())
    for column in sorted(set(spec.key) & left_out):
        fields.fault("key", f"names {column!r}, which columns or exclude leave out")


def _metadata(fields: Fields) -> tuple[str, ...]:
    names = fields.names("metadata") or ()
    for name in names:
        if name not in METADATA:
            fields.fault("metadata", f"names {name!r}; allowed: {', '.join(METADATA)}")
    return names


def _lookback(fields: Fields) -> str | float | None:
    """As given: a number for cursors that are numbers, a duration for times."""
    value = fields.raw("lookback")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is None or (number and value >= 0):
        return value if value is None else float(value)
    if number or fields.duration("lookback") is None:
        if number:
            fields.fault("lookback", f"is {value!r}; allowed: a duration such as 1h, or a number from 0 up")
        return None
    return str(value)


def _options(fields: Fields, types: Mapping[str, str | None] | None) -> dict[str, object]:
    """The fields that belong to the connectors; one that neither end knows is a fault."""
    own = {*STREAM_FIELDS, *SHARED}
    given = [name for name in fields.names_of_fields() if name not in own]
    said = [name for name in given if fields.raw(name) is not None]
    if not given:
        return {}
    every = set(connectors.REGISTRY)
    ends = every if types is None else {type_ for type_ in types.values() if type_}
    sources = every if types is None else {types["source"]} - {None}
    known = {name for type_ in ends for name in _known(type_).stream_options}
    typed = {name: kind for type_ in sources for name, kind in _known(type_ or "").source_options.items()}
    for name in given:
        if name not in known and name not in typed:
            fields.fault(name, f"is not known here; {meant(name, {*STREAM_FIELDS, *known, *typed})}")
    for name in said:
        if name in typed and (not fields.raw(name) or not isinstance(fields.raw(name), typed[name])):
            fields.fault(name, f"is {shown(fields.raw(name))}; allowed: {_SHAPES[typed[name]]}")
    for type_ in ends:
        _check_options(fields, type_, [name for name in said if name in _known(type_).stream_options])
    return {name: fields.raw(name) for name in said if name in known or name in typed}


def _check_options(fields: Fields, type_: str, names: Sequence[str]) -> None:
    """Options that a connection has too are checked as its settings are."""
    if not names:
        return
    settings = connectors.connector(type_).settings.names()
    try:
        connectors.settings_of(type_, {name: fields.raw(name) for name in names if name in settings})
    except BadInput as error:
        told = {fault.field for fault in fields.faults}
        for fault in error.faults:  # what else a connection needs is not a stream's to say
            name = fault.field.partition(".")[0]
            if name in names and fields.at(fault.field) not in told:
                fields.fault(fault.field, fault.message)


class _Unknown:
    """In place of a connector that cannot be asked."""

    stream_options: ClassVar[frozenset[str]] = frozenset()
    source_options: ClassVar[Mapping[str, type]] = {}


def _known(type_: str) -> type[Connector] | type[_Unknown]:
    if type_ not in connectors.REGISTRY:
        return _Unknown
    try:
        return connectors.connector(type_)
    except MissingExtra:
        return _Unknown


def stream_document(spec: StreamSpec) -> dict[str, Any]:
    lookback = spec.lookback
    if isinstance(lookback, float) and lookback.is_integer():
        lookback = int(lookback)
    document = {
        "name": spec.name,
        "mode": str(spec.mode),
        "write": str(spec.write),
        "target": spec.target,
        "cursor": spec.cursor,
        "key": list(spec.key) or None,
        "lookback": lookback,
        "columns": None if spec.columns is None else list(spec.columns),
        "exclude": list(spec.exclude) or None,
        "rename": dict(spec.rename) or None,
        "hash": list(spec.hash) or None,
        "metadata": list(spec.metadata) or None,
        "delete": None if spec.delete is Delete.HARD else str(spec.delete),
        "deleted": spec.deleted,
        "schema": None if spec.schema is Drift.EVOLVE else str(spec.schema),
        "undo": None if spec.undo is None else format_duration(spec.undo),
    }
    return {name: value for name, value in document.items() if value is not None} | dict(spec.options)
