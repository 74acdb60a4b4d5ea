"""The one table of types from which every connector maps, and how types widen.

It converts no values (`worker.sync.conversion` does) and knows no connector: each maps its own types to these kinds and
back. What each kind is, for a reader: `worker.sync.type_page`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from bson import Int64, ObjectId

INT64 = range(-(2**63), 2**63)


class Kind(StrEnum):
    """Canonical Python value of each: see `docs/types.md`."""

    NULL = "null"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    BYTES = "bytes"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"


@dataclass(frozen=True, kw_only=True)
class Type:
    """A kind and its bounds: `bits` of an integer or float (None: any size), `precision` and `scale` of a decimal."""

    kind: Kind
    item: Type | None = None
    precision: int | None = None
    scale: int | None = None
    bits: int | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a stream. `nullable` false only where the source promises it."""

    name: str
    type: Type
    nullable: bool = True


class JsonNull:
    """The JSON value `null` in a column of JSON, which is not the absence of a value."""

    _only: JsonNull | None = None

    def __new__(cls) -> JsonNull:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "JSON_NULL"

    def __reduce__(self) -> str:
        return "JSON_NULL"


JSON_NULL = JsonNull()


_BY_PYTHON_TYPE: dict[type, Type] = {
    type(None): Type(kind=Kind.NULL),
    JsonNull: Type(kind=Kind.JSON),
    bool: Type(kind=Kind.BOOLEAN),
    Decimal: Type(kind=Kind.DECIMAL),
    float: Type(kind=Kind.FLOAT, bits=64),
    str: Type(kind=Kind.TEXT),
    bytes: Type(kind=Kind.BYTES),
    date: Type(kind=Kind.DATE),
    time: Type(kind=Kind.TIME),
    UUID: Type(kind=Kind.UUID),
    dict: Type(kind=Kind.JSON),
    list: Type(kind=Kind.JSON),
    ObjectId: Type(kind=Kind.TEXT),
    Int64: Type(kind=Kind.INTEGER, bits=64),
}
_TEXT = Type(kind=Kind.TEXT)
_LONG = Type(kind=Kind.INTEGER, bits=64)
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


def infer(value: Any) -> Type:
    """The narrowest type that holds `value`. A source's own class may say its kind in `sync_kind`; else it is JSON."""
    known = _BY_PYTHON_TYPE.get(type(value))
    if known is not None:
        return known
    if isinstance(value, int):
        return _LONG if value in INT64 else Type(kind=Kind.INTEGER)
    if isinstance(value, datetime):
        return Type(kind=Kind.TIMESTAMP if value.tzinfo is None else Kind.TIMESTAMPTZ)
    own: Kind | None = getattr(value, "sync_kind", None)
    if own is not None:
        return Type(kind=own)
    for base in (str, float, bytes):
        if isinstance(value, base):
            return _BY_PYTHON_TYPE[base]
    return Type(kind=Kind.JSON)


def join(a: Type, b: Type) -> Type:
    """The narrowest type that holds all values of both without loss: numbers widen, other differing kinds are JSON."""
    if a == b or b.kind is Kind.NULL:
        return a
    if a.kind is Kind.NULL:
        return b
    if a.kind is b.kind:
        return _same_kind(a, b)
    if {a.kind, b.kind} <= _NUMBERS:
        return Type(kind=Kind.DECIMAL)
    return Type(kind=Kind.JSON)


def _same_kind(a: Type, b: Type) -> Type:
    if a.kind is Kind.ARRAY:
        item = join(a.item or _TEXT, b.item or _TEXT)
        return replace(a, item=item) if item.kind is not Kind.JSON else Type(kind=Kind.JSON)
    if a.kind is Kind.DECIMAL:
        if None in (a.precision, a.scale, b.precision, b.scale):
            return Type(kind=Kind.DECIMAL)
        scale = max(a.scale or 0, b.scale or 0)
        whole = max((a.precision or 0) - (a.scale or 0), (b.precision or 0) - (b.scale or 0))
        return Type(kind=Kind.DECIMAL, precision=whole + scale, scale=scale)
    if a.bits is None or b.bits is None:
        return Type(kind=a.kind)
    return Type(kind=a.kind, bits=max(a.bits, b.bits))


def join_all(types: Iterable[Type]) -> Type:
    """`join` over any number; nothing at all is NULL."""
    joined = Type(kind=Kind.NULL)
    for one in types:
        joined = join(joined, one)
    return joined


def columns_of(rows: Sequence[Mapping[str, Any]], known: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of a source without a schema: `known` widened by what `rows` hold, new ones behind in order."""
    seen: dict[str, set[type]] = {column.name: set() for column in known}
    for row in rows:
        for name, value in row.items():
            if name in seen:
                seen[name].add(type(value))
            else:
                seen[name] = {type(value)}
    before = {column.name: column.type for column in known}
    return tuple(
        Column(name=name, type=join(before.get(name, Type(kind=Kind.NULL)), _of_column(rows, name, classes)))
        for name, classes in seen.items()
    )


def _of_column(rows: Sequence[Mapping[str, Any]], name: str, classes: set[type]) -> Type:
    known = [_BY_PYTHON_TYPE[one] for one in classes if one in _BY_PYTHON_TYPE]
    others = classes - _BY_PYTHON_TYPE.keys()
    if others == {int}:
        ints = [row[name] for row in rows if type(row.get(name)) is int]
        known.append(_LONG if min(ints) in INT64 and max(ints) in INT64 else Type(kind=Kind.INTEGER))
    elif others:
        known += {infer(row[name]) for row in rows if type(row.get(name)) in others}
    return join_all(known)
