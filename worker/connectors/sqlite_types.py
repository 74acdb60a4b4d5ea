"""How SQLite keeps each kind of value: types whose declared name says what the text in them is.

SQLite itself knows five storage classes, and a declaration binds nobody. Columns that we make are declared with names
of TEXT affinity (`TIMESTAMPTZ_TEXT`), so that SQLite changes no digit and a later read gives the same value back.
https://www.sqlite.org/datatype3.html
"""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Callable
from typing import Any

from worker.connectors.encoding import (
    Encoder,
    Passing,
    as_decimal,
    as_float,
    as_integer,
    as_text,
    bounded,
    converting,
    only,
    read_as_array,
    text_of,
)
from worker.sync.conversion import FAR
from worker.sync.types import Kind, Type, join_all
from worker.sync.values import json_text, json_value

INT64 = bounded(-(2**63), 2**63 - 1)
ANY_SIZE = "BIGNUM_TEXT"
SINGLE = "FLOAT32"  # of REAL affinity, like REAL
_ARRAY = "_ARRAY_TEXT"

# No name may hold the letters INT: SQLite would make numbers of its text.
DECLARED: dict[Kind, str] = {
    Kind.INTEGER: "INTEGER",
    Kind.DECIMAL: "DECIMAL_TEXT",
    Kind.FLOAT: "REAL",
    Kind.TEXT: "TEXT",
    Kind.BYTES: "BLOB",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE_TEXT",
    Kind.TIME: "TIME_TEXT",
    Kind.TIMESTAMP: "TIMESTAMP_TEXT",
    Kind.TIMESTAMPTZ: "TIMESTAMPTZ_TEXT",
    Kind.UUID: "UUID_TEXT",
    Kind.JSON: "JSON_TEXT",
}
_ITEM = {Kind.INTEGER: "WHOLE", Kind.FLOAT: "FLOAT"}
_KIND_OF = {name: kind for kind, name in DECLARED.items()} | {ANY_SIZE: Kind.INTEGER}
_ITEM_OF = {_ITEM.get(kind, name.removesuffix("_TEXT")) + _ARRAY: kind for kind, name in DECLARED.items()}


def declared(type_: Type) -> str:
    """The declared type of a column that we make."""
    if type_.kind is Kind.ARRAY and type_.item is not None:
        return next((name for name, kind in _ITEM_OF.items() if kind is type_.item.kind), DECLARED[Kind.JSON])
    if type_.kind is Kind.INTEGER and type_.bits is None:
        return ANY_SIZE
    if type_.kind is Kind.FLOAT and type_.bits == 32:
        return SINGLE
    return DECLARED.get(type_.kind, DECLARED[Kind.JSON])


def affinity(name: str) -> str:
    """SQLite's own rule, section 3.1 of its page on data types."""
    upper = name.upper()
    if "INT" in upper:
        return "integer"
    if any(part in upper for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not upper or "BLOB" in upper:
        return "blob"
    if any(part in upper for part in ("REAL", "FLOA", "DOUB")):
        return "real"
    return "numeric"


_OF_AFFINITY = {"integer": Kind.INTEGER, "text": Kind.TEXT, "blob": Kind.BYTES, "real": Kind.FLOAT}


def type_of(name: str) -> Type:
    """The type that a declaration promises; what is stored may differ (`stored_type`)."""
    upper = name.upper()
    if upper in _ITEM_OF:
        return Type(kind=Kind.ARRAY, item=_sized(_ITEM_OF[upper]))
    if upper == ANY_SIZE:
        return Type(kind=Kind.INTEGER)
    if upper == SINGLE:
        return Type(kind=Kind.FLOAT, bits=32)
    if upper in _KIND_OF:
        return _sized(_KIND_OF[upper])
    if upper.startswith("BOOL"):
        return Type(kind=Kind.BOOLEAN)
    if not upper:
        return Type(kind=Kind.NULL)
    if affinity(name) == "numeric":
        dated = any(part in upper for part in ("DATE", "TIME"))
        return Type(kind=Kind.TEXT if dated else Kind.DECIMAL)
    return _sized(_OF_AFFINITY[affinity(name)])


def _sized(kind: Kind) -> Type:
    return Type(kind=kind, bits=64 if kind in (Kind.INTEGER, Kind.FLOAT) else None)


_OF_CLASS = {
    "integer": Type(kind=Kind.INTEGER, bits=64),
    "real": Type(kind=Kind.FLOAT, bits=64),
    "text": Type(kind=Kind.TEXT),
    "blob": Type(kind=Kind.BYTES),
}
_KEPT_IN: dict[Kind, frozenset[str]] = {
    Kind.NULL: frozenset(),
    Kind.INTEGER: frozenset({"integer"}),
    Kind.BOOLEAN: frozenset({"integer"}),
    Kind.FLOAT: frozenset({"real"}),
    Kind.BYTES: frozenset({"blob"}),
}


def stored_type(name: str, classes: frozenset[str]) -> Type:
    """The type that holds all that lies in a column declared `name`, whose values are of these storage classes."""
    promised = type_of(name)
    kept = _KEPT_IN.get(promised.kind, frozenset({"text"}))
    if name.upper() == ANY_SIZE:
        kept = frozenset({"text"})
    elif promised.kind is Kind.DECIMAL and affinity(name) == "numeric":
        kept = frozenset({"integer", "real"})
    if classes <= kept:
        return promised
    others = [_OF_CLASS[one] for one in sorted(classes - kept)]
    return join_all([promised, *others] if classes & kept else others)


# Out of the file.


def _same(value: Any) -> Any:
    return value


def _exactly(parse: Callable[[str], Any], form: Callable[[Any], str]) -> Callable[[Any], Any]:
    """Read text that is written as we would write it; anything else (`infinity`) stays the text that it is."""

    def decode(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            parsed = parse(value)
            return parsed if form(parsed) == value else value
        except (ValueError, ArithmeticError):
            return value

    return decode


def _boolean(value: Any) -> Any:
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def _number(value: Any) -> Any:
    return as_decimal(value) if isinstance(value, (int, float)) else value


_NO_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})


def _float(value: Any) -> Any:
    return float(value) if value in _NO_NUMBERS else value


def _json(value: Any) -> Any:
    return json_value(value) if isinstance(value, str) else value


def _iso(value: Any) -> str:
    text: str = value.isoformat()
    return text


_DECODERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.DECIMAL: _exactly(decimal.Decimal, str),
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _exactly(datetime.date.fromisoformat, _iso),
    Kind.TIME: _exactly(datetime.time.fromisoformat, _iso),
    Kind.TIMESTAMP: _exactly(datetime.datetime.fromisoformat, _iso),
    Kind.TIMESTAMPTZ: _exactly(datetime.datetime.fromisoformat, _iso),
    Kind.UUID: _exactly(uuid.UUID, str),
    Kind.JSON: _json,
}


def decoder(name: str) -> Callable[[Any], Any]:
    """How a stored value of a column declared `name` is read."""
    upper = name.upper()
    if upper in _ITEM_OF:
        return _array_decoder(_DECODERS.get(_ITEM_OF[upper], _bytes if _ITEM_OF[upper] is Kind.BYTES else _same))
    if upper == ANY_SIZE:
        return _exactly(int, str)
    kind = type_of(name).kind
    if kind is Kind.DECIMAL and upper not in _KIND_OF:
        return _number
    return _DECODERS.get(kind, _same)


def _bytes(value: Any) -> Any:
    return bytes.fromhex(value)


def _array_decoder(item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(each) for each in value]
        return None if value is None else item(value)

    return lambda value: one(json_value(value)) if isinstance(value, str) else value


# Into the file.


def _real(value: Any) -> float | str:
    number = as_float(value)
    return "NaN" if math.isnan(number) else number  # SQLite turns a NaN into NULL


def _temporal(kind: Kind, of: type, zoned: bool | None) -> Encoder:
    check = only(of, f"a {of.__name__}")

    def encode(value: Any) -> str:
        if isinstance(value, str):
            if FAR[kind].fullmatch(value):
                return value
            raise ValueError(f"is text, not a {kind}")
        if of is datetime.date and isinstance(value, datetime.datetime):
            raise TypeError("is a datetime, not a date")
        checked = check(value)
        if zoned is not None and (checked.tzinfo is not None) is not zoned:
            raise TypeError("has a time zone" if checked.tzinfo else "has no time zone")
        return _iso(checked.astimezone(datetime.UTC) if zoned else checked)

    return encode


def _numeric(value: Any) -> Any:
    """A column of NUMERIC affinity turns digits into numbers: only what survives that may go in."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return value
        raise ValueError("is text that the column would turn into a number")
    if isinstance(value, (datetime.date, datetime.time)):
        return _iso(value)
    exact = as_decimal(value)
    if exact.is_finite() and exact == exact.to_integral_value() and abs(exact) < 2**63:
        return int(exact)
    return _real(exact)


def _anything(value: Any) -> Any:
    """A column without a type takes every storage class as it is."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return INT64(value)
    if isinstance(value, float):
        return _real(value)
    return value if isinstance(value, bytes) else as_text(value)


_ENCODERS: dict[Kind, Encoder] = {
    Kind.INTEGER: INT64,
    Kind.DECIMAL: lambda value: str(as_decimal(value)),
    Kind.FLOAT: Passing(_real, float, lambda values: not any(map(math.isnan, values))),
    Kind.TEXT: as_text,
    Kind.BYTES: only(bytes, "bytes"),
    Kind.BOOLEAN: only(bool, "a boolean"),
    Kind.DATE: _temporal(Kind.DATE, datetime.date, None),
    Kind.TIME: _temporal(Kind.TIME, datetime.time, False),
    Kind.TIMESTAMP: _temporal(Kind.TIMESTAMP, datetime.datetime, False),
    Kind.TIMESTAMPTZ: _temporal(Kind.TIMESTAMPTZ, datetime.datetime, True),
    Kind.UUID: lambda value: str(only(uuid.UUID, "a UUID")(value)),
    Kind.JSON: json_text,
}


def encoder(name: str, wanted: Type) -> Encoder:
    """How a value of a column that is `wanted` is written into one declared `name`."""
    upper, kind = name.upper(), type_of(name).kind
    if upper in _ITEM_OF:
        encode = _array_encoder(_ENCODERS[_ITEM_OF[upper]])
        return encode if wanted.kind is Kind.ARRAY else read_as_array(wanted, type_of(name), encode)
    if kind is Kind.TEXT and affinity(name) == "text":
        return text_of(wanted)
    if upper == ANY_SIZE:
        return converting(wanted, kind, lambda value: str(as_integer(value)))
    if upper not in _KIND_OF and affinity(name) == "numeric" and kind is not Kind.BOOLEAN:
        return _numeric
    if not upper:
        return _anything
    if kind is Kind.INTEGER and wanted.kind is Kind.BOOLEAN:
        return lambda value: INT64(int(value))  # the only booleans that SQLite has
    return converting(wanted, kind, _ENCODERS[kind])


def _array_encoder(item: Encoder) -> Encoder:
    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(each) for each in value]
        encoded = None if value is None else item(value)
        return encoded.hex() if isinstance(encoded, bytes) else encoded

    def encode(value: Any) -> str:
        if not isinstance(value, list):
            raise TypeError(f"is of type {type(value).__name__}, not an array")
        return json_text(one(value))

    return encode
