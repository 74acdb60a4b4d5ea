"""How PostgreSQL keeps each kind of value, and what its binary format needs that Python's own types lack.

Dates and times that Python cannot hold (infinity, BC, after 9999, 24:00) stay text, there and back.
https://www.postgresql.org/docs/current/datatype.html
"""

from __future__ import annotations

import datetime
import decimal
import math
import struct
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.connectors.encoding import (
    Encoder,
    Passing,
    as_decimal,
    as_float,
    bounded,
    converting,
    only,
    read_as_array,
    text_of,
)
from worker.connectors.postgres_wire import in_range
from worker.sync.conversion import FAR
from worker.sync.types import Kind, Type
from worker.sync.values import json_text

INTEGERS = {"int2": 16, "int4": 32, "int8": 64}
# Types whose binary form is the text itself.
TEXTS = frozenset({"text", "varchar", "bpchar"})
_KINDS: dict[str, Kind] = {
    "numeric": Kind.DECIMAL,
    "bytea": Kind.BYTES,
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "uuid": Kind.UUID,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
}
_TIMED = frozenset({"time", "timestamp", "timestamptz"})


@dataclass(frozen=True, kw_only=True)
class PgType:
    """A column's type as the catalog has it. `name` is the base type's (of the items, for an array)."""

    name: str
    modifier: int = -1
    array: bool = False
    schema: str = "pg_catalog"

    @property
    def native(self) -> bool:
        """Whether we know its binary form; all others travel as text. An array's form names its items' type."""
        if self.schema != "pg_catalog":
            return False
        text = self.name == "text" if self.array else self.name in TEXTS
        return text or self.name in _KINDS or self.name in INTEGERS or self.name in _FLOATS

    @property
    def copied_as(self) -> str:
        """The type to send in COPY."""
        name = self.name if self.native and self.name not in TEXTS else "text"
        return f"{name}[]" if self.array else name

    @property
    def type(self) -> Type:
        item = self._item()
        return Type(kind=Kind.ARRAY, item=item) if self.array else item

    def _item(self) -> Type:
        if not self.native:
            return Type(kind=Kind.TEXT)
        if self.name in INTEGERS:
            return Type(kind=Kind.INTEGER, bits=INTEGERS[self.name])
        if self.name in _FLOATS:
            return Type(kind=Kind.FLOAT, bits=_FLOATS[self.name])
        if self.name in TEXTS:
            return Type(kind=Kind.TEXT, precision=self.modifier - 4 if self.modifier >= 4 else None)
        kind = _KINDS[self.name]
        if kind is Kind.DECIMAL and self.modifier >= 4:
            precision = ((self.modifier - 4) >> 16) & 0xFFFF
            scale = ((self.modifier - 4) & 0x7FF ^ 1024) - 1024
            return Type(kind=kind, precision=precision, scale=scale)
        if self.name in _TIMED and self.modifier >= 0:
            return Type(kind=kind, precision=self.modifier)
        return Type(kind=kind)


_FLOATS = {"float4": 32, "float8": 64}
_NAMES: dict[Kind, str] = {
    Kind.TEXT: "text",
    Kind.BYTES: "bytea",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
    Kind.UUID: "uuid",
    Kind.JSON: "jsonb",
}
_BITS = {16: "smallint", 32: "integer", 64: "bigint"}
MOST_DIGITS = 1000


def declared(type_: Type) -> str:
    """The type of a column that we make: as wide as what may come."""
    if type_.kind is Kind.ARRAY:
        return declared(type_.item or Type(kind=Kind.JSON)).removesuffix("[]") + "[]"
    if type_.kind is Kind.INTEGER:
        return _BITS.get(type_.bits or 0, "numeric")
    if type_.kind is Kind.FLOAT:
        return "real" if type_.bits == 32 else "double precision"
    if type_.kind is Kind.DECIMAL:
        if type_.precision is None or type_.scale is None or type_.precision > MOST_DIGITS:
            return "numeric"
        return f"numeric({type_.precision}, {type_.scale})"
    return _NAMES[type_.kind]


# Into the database.


def _text(wanted: Type, limit: int | None = None) -> Encoder:
    spell = text_of(wanted)

    def encode(value: Any) -> str:
        text: str = spell(value)
        if "\0" in text:
            raise ValueError("has a NUL character, which PostgreSQL's text cannot hold")
        if limit is not None and len(text) > limit:
            raise ValueError(f"is longer than the column's {limit} characters")
        return text

    def fits(values: Sequence[Any]) -> bool:
        return "\0" not in "".join(values) and (limit is None or max(map(len, values)) <= limit)

    return Passing(encode, str, fits)


def _numeric(precision: int | None, scale: int | None) -> Encoder:
    def encode(value: Any) -> decimal.Decimal:
        number = as_decimal(value)
        if scale is not None and precision is not None:
            if number.is_infinite():
                raise ValueError("cannot be held by a column with bounds")
            if number.is_finite():
                _bounded(number, precision, scale)
        return number

    return encode if scale is not None else Passing(encode, decimal.Decimal)


def _bounded(number: decimal.Decimal, precision: int, scale: int) -> None:
    """Raise ValueError for digits that the column has not. Arithmetic would round to its context's 28 digits."""
    _, digits, exponent = number.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if significant and -(int(exponent) + len(digits) - len(significant)) > scale:
        raise ValueError(f"has more than the column's {scale} decimal places")
    if significant and number.adjusted() >= precision - scale:
        raise ValueError(f"has more than the column's {precision - scale} digits before the point")


def _float(bits: int | None) -> Encoder:
    def encode(value: Any) -> float:
        number = as_float(value)
        if bits == 32 and math.isfinite(number) and struct.unpack("f", struct.pack("f", number))[0] != number:
            raise ValueError("cannot be held exactly by the column's 32 bits")
        return number

    return encode if bits == 32 else Passing(encode, float)


def _temporal(of: Type, kind: type, zoned: bool | None) -> Encoder:
    check, far, precision = only(kind, f"a {kind.__name__}"), FAR[of.kind], of.precision
    step = 10 ** (6 - precision) if precision is not None else 1

    def encode(value: Any) -> Any:
        if isinstance(value, str):
            if not far.fullmatch(value):
                raise ValueError(f"is text, not a {of.kind}")
            if not in_range(value, of.kind):
                raise ValueError("is no date or time that PostgreSQL can hold")
            if step > 1 and int(value.partition(".")[2][:6].rstrip("+0 BC").ljust(6, "0")) % step:
                raise ValueError(f"is finer than the column's {precision} digits of a second")
            return value
        if kind is datetime.date and isinstance(value, datetime.datetime):
            raise TypeError("is a datetime, not a date")
        checked = check(value)
        if zoned is not None and (checked.tzinfo is not None) is not zoned:
            raise TypeError("has a time zone" if checked.tzinfo else "has no time zone")
        if step > 1 and checked.microsecond % step:
            raise ValueError(f"is finer than the column's {precision} digits of a second")
        return checked

    if step > 1:
        return encode
    zone = {datetime.UTC} if zoned else {None}
    return Passing(encode, kind, None if zoned is None else lambda values: {v.tzinfo for v in values} == zone)


def _json(value: Any) -> str:
    return json_text(value)


def encoder(of: PgType, wanted: Type) -> Encoder:
    """How a value of a column that is `wanted` is made ready for COPY into a column of this type."""
    item = _item_encoder(of, (wanted.item or wanted) if of.array else wanted)
    if not of.array:
        return item
    if wanted.kind is not Kind.ARRAY:
        return read_as_array(wanted, of.type, encoder(of, of.type))

    def encode(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"is of type {type(value).__name__}, not an array")
        return [None if one is None else encode(one) if isinstance(one, list) else item(one) for one in value]

    return encode


def _item_encoder(of: PgType, wanted: Type) -> Encoder:
    type_ = of._item()
    if not of.native:
        return _text(wanted)
    makers: dict[Kind, Callable[[], Encoder]] = {
        Kind.INTEGER: lambda: bounded(-(2 ** ((type_.bits or 64) - 1)), 2 ** ((type_.bits or 64) - 1) - 1),
        Kind.DECIMAL: lambda: _numeric(type_.precision, type_.scale),
        Kind.FLOAT: lambda: _float(type_.bits),
        Kind.TEXT: lambda: _text(wanted, type_.precision),
        Kind.BYTES: lambda: only(bytes, "bytes"),
        Kind.BOOLEAN: lambda: only(bool, "a boolean"),
        Kind.DATE: lambda: _temporal(type_, datetime.date, None),
        Kind.TIME: lambda: _temporal(type_, datetime.time, False),
        Kind.TIMESTAMP: lambda: _temporal(type_, datetime.datetime, False),
        Kind.TIMESTAMPTZ: lambda: _temporal(type_, datetime.datetime, True),
        Kind.UUID: lambda: only(uuid.UUID, "a UUID"),
        Kind.JSON: lambda: _json,
    }
    return converting(wanted, type_.kind, makers[type_.kind]())
