"""Canonical values as bytes: the same for values that are the same wherever they lie, and for no others.

Bytes compare as the values do (numbers by size, times by time, text by code point), so that both sides of a stream come
into one order, whatever their databases think of it. What a destination keeps in another form on purpose is brought
into that form first: `docs/verify.md` lists it. It reads nothing and decides nothing.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any
from uuid import UUID

from bson import Binary, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128

from worker.sync.conversion import Inexact, conversion, try_convert
from worker.sync.types import INT64, JsonNull, Kind, Type, infer
from worker.sync.values import instant_text, json_text, json_value, text, time_text

Form = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FLIPPED = bytes(255 - one for one in range(256))
_NULL, _FALSE, _TRUE = b"\x01", b"\x02", b"\x03"
_NAN, _MINUS_INFINITY, _NEGATIVE, _ZERO, _POSITIVE, _INFINITY = (bytes([0x10 + n]) for n in range(6))
_END = b"\x00"


class Milliseconds(int):
    """An instant as a document holds it: milliseconds since 1970, UTC."""


def encoded(value: Any) -> bytes:
    """The value's bytes, in order and with their own end; None has some too, for use within lists and keys."""
    known = _ENCODE.get(type(value))
    if known is not None:
        return known(value)
    for base, encode in _ENCODE.items():
        if base is not object and isinstance(value, base):
            return encode(value)
    return b"\x7f" + _closed(text(value).encode(errors="surrogatepass"))


def _closed(raw: bytes) -> bytes:
    """With an end that sorts before every byte that may follow."""
    return raw.replace(b"\x00", b"\x00\xff") + b"\x00\x01"


def _integer(value: int) -> bytes:
    return _number(value < 0, str(abs(value)), 0) if value else _ZERO


def _float(value: float) -> bytes:
    if math.isfinite(value):
        return _written(repr(value))
    return _NAN if math.isnan(value) else (_INFINITY if value > 0 else _MINUS_INFINITY)


def _decimal(value: Decimal) -> bytes:
    if value.is_finite():
        return _written(str(value))
    return _NAN if value.is_nan() else (_INFINITY if value > 0 else _MINUS_INFINITY)


def _written(number: str) -> bytes:
    """A number as Python writes it, with a fraction, an exponent or neither."""
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    return _number(number.startswith("-"), whole + fraction, int(exponent or 0) - len(fraction))


def _number(negative: bool, digits: str, exponent: int) -> bytes:
    """By its size first, then its digits, so that 1, 1.0 and 1.00 are one number."""
    digits = digits.lstrip("0")
    if not digits:
        return _ZERO
    size = len(digits) + exponent + 2**39
    raw = size.to_bytes(5) + digits.rstrip("0").encode() + _END
    return _NEGATIVE + raw.translate(_FLIPPED) if negative else _POSITIVE + raw


def _instant(value: datetime) -> bytes:
    if value.tzinfo is None:
        return b"\x31" + value.isoformat(timespec="microseconds").encode() + _END
    return b"\x32" + value.astimezone(UTC).isoformat(timespec="microseconds").encode() + _END


def _document(value: Mapping[str, Any]) -> bytes:
    """Whatever the order of its fields: databases that order them anew change nothing."""
    fields = sorted((_closed(str(name).encode(errors="surrogatepass")), one) for name, one in value.items())
    return b"\x41" + b"".join(b"\x02" + name + encoded(one) for name, one in fields) + _END


_ENCODE: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: _NULL,
    JsonNull: lambda value: _NULL,
    bool: lambda value: _TRUE if value else _FALSE,
    Milliseconds: lambda value: b"\x33" + _integer(int(value)),
    int: _integer,
    float: _float,
    Decimal: _decimal,
    str: lambda value: b"\x20" + _closed(str(value).encode(errors="surrogatepass")),
    Binary: lambda value: (bytes([0x29, value.subtype]) if value.subtype else b"\x28") + _closed(bytes(value)),
    bytes: lambda value: b"\x28" + _closed(value),
    datetime: _instant,
    date: lambda value: b"\x30" + value.isoformat().encode() + _END,
    time: lambda value: b"\x34" + value.isoformat(timespec="microseconds").encode() + _END,
    UUID: lambda value: b"\x35" + value.bytes,
    ObjectId: lambda value: b"\x36" + value.binary,
    list: lambda value: b"\x40" + b"".join(map(encoded, value)) + _END,
    tuple: lambda value: b"\x40" + b"".join(map(encoded, value)) + _END,
    dict: _document,
}


def as_it_is(value: Any) -> Any:
    """The form of a value that no column changes."""
    return value


# What a value becomes in a column of a type: the same conversion as when it is written.


def typed(source: Type | None, target: Type) -> Form:
    """Values of `source` (None: whatever each is) as a column of `target` holds them; what does not fit stays."""
    if source and source.kind is target.kind and source.kind not in (Kind.JSON, Kind.ARRAY):
        return there(target)
    if target.kind is Kind.NULL:  # no value was seen there, so a JSON null was none
        return lambda value: None if isinstance(value, JsonNull) else text(value)
    known: dict[type, Form] = {}
    settled = _SETTLED.get(target.kind)

    def form(value: Any) -> Any:
        convert = known.get(type(value))
        if convert is None:
            kind = source or infer(value)
            convert = known[type(value)] = conversion(kind, target)
        try:
            made = try_convert(convert, value)
        except Inexact:
            made = value
        return settled(made) if settled else made

    return form


def there(target: Type) -> Form:
    """Values that a column of `target` gave back: as they are, save those that its type would not have given."""
    if target.kind in _SETTLED:
        return _SETTLED[target.kind]
    own, fitting = typed(None, target), set[type]()

    def form(value: Any) -> Any:
        if type(value) in fitting:
            return value
        if infer(value).kind is not target.kind:
            return own(value)
        if type(value) is not datetime:  # whose kind its zone decides
            fitting.add(type(value))
        return value

    return form


def _plain_json(value: Any) -> Any:
    return value if isinstance(value, (str, bool)) else json_value(json_text(value))


_SETTLED: dict[Kind, Form] = {
    # An ObjectId is of this kind too, and is its digits wherever it is no document's.
    Kind.TEXT: lambda value: value if value is None or isinstance(value, str) else text(value),
    Kind.JSON: _plain_json,
    # A document's subtype is kept by documents alone.
    Kind.BYTES: lambda value: bytes(value) if isinstance(value, bytes) else value,
}


def textual(form: Form, *, single: bool) -> Form:
    """`form` for values that lie in a file as text: a JSON null is nothing; `single`: as a number of 32 bits."""

    def plain(value: Any) -> Any:
        made = form(value)
        if single and isinstance(made, (int, float, Decimal)) and not isinstance(made, bool):
            return _single(float(made))
        return None if isinstance(made, JsonNull) else made

    return plain


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value


# What a value becomes in a document.

_INSTANTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})


def document(kind: Kind | None, far: Callable[[str], Any], *, exact: bool) -> Form:
    """Values of `kind` (None: whatever each is) as a field holds them; `exact`: timestamps are kept as text.

    `far` gives the milliseconds of a time that Python's calendar does not have, or None where no Date holds it.
    """
    instants = kind in _INSTANTS and not (exact and kind is not Kind.DATE)

    def form(value: Any) -> Any:
        if instants and type(value) is str:
            milliseconds = far(value)
            return value if milliseconds is None else Milliseconds(math.floor(milliseconds))
        return _in_document(value, exact)

    return form


def _in_document(value: Any, exact: bool) -> Any:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, (int, Decimal)):
        return value if _fits(value) else text(value)
    if isinstance(value, datetime):
        return instant_text(value) if exact else _milliseconds(value)
    if isinstance(value, date):
        return _milliseconds(datetime(value.year, value.month, value.day, tzinfo=UTC))
    if isinstance(value, time):
        return time_text(value)
    if isinstance(value, Mapping):
        return {name: _in_document(one, exact) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_document(one, exact) for one in value]
    if isinstance(value, JsonNull):
        return None
    beyond = value if isinstance(value, DatetimeMS) else getattr(value, "date", None)  # of a far year, which is text
    return Milliseconds(int(beyond)) if isinstance(beyond, DatetimeMS) else value


def _milliseconds(value: datetime) -> Milliseconds:
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return Milliseconds((aware - _EPOCH) // _MILLISECOND)


def _fits(value: int | Decimal) -> bool:
    if isinstance(value, int):
        if int(value) in INT64:  # a subclass would be sought among all of them, one after another
            return True
        value = Decimal(value)
    try:
        Decimal128(value)
    except DecimalException:
        return False
    return True
