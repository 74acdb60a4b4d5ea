"""The declarative file: YAML in, records with positions for every mistake out; and back, the same bytes each time.

It composes YAML to nodes, which know where they stand, and reads scalars by itself: keys stay texts, and a date or
`1:30` stays the text that it is. No tags, no merge keys; anchors are fine.
Source: YAML 1.1 as PyYAML reads it; docs/decisions/0008-yaml.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from worker.alert import Alert
from worker.connection import Connection
from worker.declaration.alerts import read_alert
from worker.declaration.connections import read_connection
from worker.declaration.fields import Fields
from worker.declaration.jobs import read_job
from worker.errors import BadInput, Fault
from worker.job import Job

VERSION = 1
PARTS = ("version", "connections", "jobs", "alerts")
# More than any file written by hand, or exported from ten thousand jobs.
MOST_BYTES = 64 * 2**20
# How often parts may be repeated through aliases; an alias of aliases of aliases gets here at once.
MOST_REPEATS = 200_000
# From here on libyaml reads, six times as fast; what it does not take is read again for the words of PyYAML.
_LARGE = 200_000

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_ODD = re.compile("[^ -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TRUE = frozenset({"yes", "true", "on"})

Position = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a file says there shall be, by id. `places`: where each field stands (line, column), by its path."""

    connections: dict[str, Connection]
    jobs: dict[str, Job]
    alerts: dict[str, Alert] = field(default_factory=dict)
    places: Mapping[str, Position] = field(default_factory=dict, compare=False, repr=False)

    def only(self, job_id: str) -> Declaration | None:
        """One job and its two connections; None where it is not in the file."""
        job = self.jobs.get(job_id)
        if job is None:
            return None
        ends = {end: self.connections[end] for end in (job.source, job.destination)}
        return Declaration(connections=ends, jobs={job_id: job})


def load(text: str | bytes) -> Declaration:
    """Read a file's text. Raises BadInput with every fault, in order, each with its line and column."""
    reader = _Reader()
    document = reader.read(text)
    if reader.fatal:
        raise BadInput(reader.faults)
    fields = Fields(document, "", reader.faults)
    fields.know(*PARTS)
    if fields.raw("version") != VERSION or isinstance(fields.raw("version"), bool):
        given = f"is {fields.raw('version')!r}" if "version" in fields else "is missing"
        fields.fault("version", f"{given}; allowed: {VERSION}")
    connections = _entries(fields, "connections")
    types = {id: _type_of(entry) for id, entry in connections.items()}
    jobs = _entries(fields, "jobs")
    declared = Declaration(
        connections={
            id: read_connection(id, entry, f"connections.{id}", reader.faults) for id, entry in connections.items()
        },
        jobs={id: read_job(id, entry, f"jobs.{id}", reader.faults, types) for id, entry in jobs.items()},
        alerts={
            id: read_alert(id, entry, f"alerts.{id}", reader.faults, jobs)
            for id, entry in _entries(fields, "alerts").items()
        },
        places=reader.places,
    )
    if reader.faults:
        raise BadInput(reader.placed())
    return declared


def load_job(text: str, types: Mapping[str, str]) -> tuple[str | None, Job]:
    """One job: its fields alone, an id with them as under `jobs:`, or a whole file with one job. (its id, the job)

    `types` (connection id -> connector) are the connections that there are besides the file's own. Raises BadInput with
    every fault placed.
    """
    reader = _Reader()
    document = reader.read(text)
    if reader.fatal:
        raise BadInput(reader.faults)
    if isinstance(document, dict) and document.keys() & set(PARTS):
        return _only_job(document, reader, types)
    if isinstance(document, dict) and len(document) == 1 and isinstance(next(iter(document.values())), dict):
        ((id, entry),) = document.items()
        job = read_job(id, entry, id, reader.faults, types)
    else:
        id, job = None, read_job("job", document, "", reader.faults, types)
    if reader.faults:
        raise BadInput(reader.placed())
    return id, job


def _only_job(document: dict[str, Any], reader: _Reader, types: Mapping[str, str]) -> tuple[str, Job]:
    fields = Fields(document, "", reader.faults)
    fields.know(*PARTS)
    here = {id: _type_of(entry) for id, entry in _entries(fields, "connections").items()}
    jobs = _entries(fields, "jobs")
    if len(jobs) != 1:
        fields.fault("jobs", f"has {len(jobs)} jobs; allowed here: one")
    found = [(id, read_job(id, entry, f"jobs.{id}", reader.faults, {**types, **here})) for id, entry in jobs.items()]
    if reader.faults:
        raise BadInput(reader.placed())
    return found[0]


def print_job(id: str, document: Mapping[str, Any]) -> str:
    """One job as it stands under `jobs:`, not indented."""
    text: str = yaml.dump({id: dict(document)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def print_file(connections: Mapping[str, Any], jobs: Mapping[str, Any], alerts: Mapping[str, Any] | None = None) -> str:
    """The file's text for documents by id, in the order of the ids."""
    document: dict[str, Any] = {"version": VERSION}
    if connections:
        document["connections"] = dict(sorted(connections.items()))
    if jobs:
        document["jobs"] = dict(sorted(jobs.items()))
    if alerts:
        document["alerts"] = dict(sorted(alerts.items()))
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _entries(fields: Fields, name: str) -> dict[str, Any]:
    inner = fields.inner(name)
    return {id: inner.raw(id) for id in inner.names_of_fields()}


def _type_of(entry: object) -> str:
    return str(entry.get("type", "")) if isinstance(entry, Mapping) else ""


class _Dumper(yaml.SafeDumper):
    """Puts texts with odd characters in double quotes: in others PyYAML reads Unicode's line breaks as blanks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", text, style='"' if _ODD.search(text) else None)


_Dumper.add_representer(str, _represent_text)


class _Reader:
    """One reading of one text: plain values, and where each field of them stands."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.fatal = False
        self.places: dict[str, Position] = {}
        self._open: set[int] = set()
        self._known: set[int] = set()
        self._repeats = 0

    def read(self, text: str | bytes) -> Any:
        try:
            if len(text) > MOST_BYTES:
                raise _Unreadable(f"is too large; allowed: up to {MOST_BYTES // 2**20} MiB", 1, 1)
            if isinstance(text, bytes):
                text = _decoded(text)
            node = _composed(text.removeprefix("\ufeff"))
            if node is None:
                raise _Unreadable("is empty; begin with version: 1", 1, 1)
            return self._value(node, "")
        except _Unreadable as error:
            self._give_up(error.args[0], error.args[1], error.args[2])
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self._give_up(_reason(error), line, column)
        except yaml.YAMLError as error:
            self._give_up(f"is no YAML: {str(error).splitlines()[0]}", 1, 1)
        except RecursionError:
            self._give_up("is nested too deeply", 1, 1)
        return None

    def placed(self) -> list[Fault]:
        """All faults with positions, in the order of the file."""
        faults = [fault if fault.line else self._placed(fault) for fault in self.faults]
        return sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0))

    def _placed(self, fault: Fault) -> Fault:
        """A field that is not there stands where its nearest parent does."""
        path = fault.field
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        line, column = self.places.get(path, (1, 1))
        return replace(fault, line=line, column=column)

    def _give_up(self, message: str, line: int, column: int) -> None:
        self.faults = [Fault(field="", message=message, line=line, column=column)]
        self.fatal = True

    def _value(self, node: yaml.Node, path: str) -> Any:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._repeats += id(node) in self._known
        self._known.add(id(node))
        if self._repeats > MOST_REPEATS:
            raise _Unreadable("is too large: its aliases unfold without end", line, column)
        if id(node) in self._open:
            raise _Unreadable("contains itself through an alias", line, column)
        self.places.setdefault(path, (line, column))
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(item, f"{path}[{i}]") for i, item in enumerate(node.value)]
            return _scalar(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Unreadable("has a key that is no text", line, column)
            name: str = key.value
            at = f"{path}.{name}" if path else name
            if name in values:
                first = self.places[at][0]
                fault = Fault(field=at, message=f"is there twice, first in line {first}", line=line, column=column)
                self.faults.append(fault)
                continue
            self.places[at] = (line, column)
            values[name] = self._value(value, at)
        return values


def _composed(text: str) -> yaml.Node | None:
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None and len(text) > _LARGE:
        try:
            return yaml.compose(text, Loader=fast)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=yaml.SafeLoader)


class _Unreadable(Exception):
    """(message, line, column): no use in reading on."""


def _scalar(node: yaml.Node) -> Any:
    """The value of a scalar; what YAML 1.1 would turn into something surprising stays text."""
    text: str = node.value
    tag = node.tag.removeprefix(_TAG)
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in _TRUE
    if tag == "int" and _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if tag == "float":
        try:
            return float(text.replace("_", ""))
        except ValueError:
            return text
    if tag in {"int", "str", "timestamp", "merge", "value"}:
        return text
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    raise _Unreadable(f"has the tag {node.tag!r}; allowed: none", line, column)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise _Unreadable(f"is not UTF-8: byte 0x{data[error.start]:02x}", line, column) from None


def _reason(error: yaml.MarkedYAMLError) -> str:
    context = f"{error.context}, " if error.context else ""
    hint = ""
    if "alias" in str(error.context):
        hint = '; quote a text that begins with *, such as cron: "*/5 * * * *"'
    elif "cannot start any token" in str(error.problem):
        hint = "; indent with blanks, and quote a text that begins with @, ` or %"
    return f"is no YAML: {context}{error.problem}{hint}"
