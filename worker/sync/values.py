"""Canonical values as text and as JSON, exactly: every text reads back as the same value.

The forms are those of `docs/types.md`. How a value becomes one of another kind: `worker.sync.conversion`.
"""

from __future__ import annotations

import json
import math
import re
import struct
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from bson import ObjectId, json_util

from worker.sync.types import JSON_NULL, JsonNull

_ZEROS = 40


def time_text(value: time) -> str:
    """`HH:MM:SS`, with three or six decimals where there are any."""
    return value.isoformat(timespec="milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto")


def instant_text(value: datetime) -> str:
    """ISO 8601 with `T`, as `time_text`; with `Z` where the zone is known (it is UTC then)."""
    timespec = "milliseconds" if value.microsecond and value.microsecond % 1000 == 0 else "auto"
    if value.tzinfo is None:
        return value.isoformat(timespec=timespec)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def decimal_text(value: Decimal) -> str:
    """Digits without an exponent, save where that would take more than forty zeros."""
    if value.is_finite() and value.adjusted() >= -_ZEROS and int(value.as_tuple().exponent) <= _ZEROS:
        return format(value, "f")
    return str(value)


def float_text(value: float) -> str:
    """The shortest text that reads back the same."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def single_text(value: float) -> str:
    """The shortest text that reads back as the same number of 32 bits: what PostgreSQL writes for a `real`."""
    if not math.isfinite(value):
        return float_text(value)
    for digits in range(6, 10):
        near = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", near))[0] == value:
            return repr(near)
    return repr(value)


def bytes_text(value: bytes) -> str:
    return "\\x" + bytes(value).hex()


_TEXT: dict[type, Callable[[Any], str]] = {
    str: str,
    int: str,
    bool: lambda value: "true" if value else "false",
    Decimal: decimal_text,
    float: float_text,
    bytes: bytes_text,
    date: date.isoformat,
    time: time_text,
    datetime: instant_text,
    uuid.UUID: str,
    JsonNull: lambda value: "null",
}


def text(value: Any) -> str:
    """The documented text of a value that is not None; of documents, lists and BSON's own classes, JSON."""
    known = _TEXT.get(type(value))
    if known is not None:
        return known(value)
    for base in (bool, int, float, bytes, datetime):
        if isinstance(value, base):
            return _TEXT[base](value)
    return str(value) if isinstance(value, (str, ObjectId)) else json_text(value)


# JSON, with numbers of any size and precision.

_EXTENDED = json_util.CANONICAL_JSON_OPTIONS
_MARK = f"\x00{uuid.uuid4().hex}:"
_MARKED = re.compile('"' + re.escape(json.dumps(_MARK)[1:-1]) + '([^"]*)"')


def json_text(value: Any) -> str:
    """Compact JSON; Decimals as exact numbers, what JSON has no form for as its text."""
    decimals = False

    def other(one: Any) -> Any:
        nonlocal decimals
        if isinstance(one, Decimal) and one.is_finite():
            decimals = True
            return _MARK + decimal_text(one)  # json.dumps has no hook for a raw number: taken out again below
        return None if isinstance(one, JsonNull) else _plain(one)

    try:
        written = json.dumps(value, default=other, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        written = json.dumps(_finite(value), default=other, ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub(r"\1", written) if decimals else written


def _plain(value: Any) -> Any:
    """What JSON has, of a value that it has not: its text; for BSON's own classes their canonical Extended JSON."""
    known = _TEXT.get(type(value))
    if known is not None:
        return known(value)
    return text(value) if isinstance(value, (str, ObjectId, datetime)) else json_util.default(value, _EXTENDED)


def _finite(value: Any) -> Any:
    """A copy in which NaN and infinities are texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return float_text(value)
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value


def exact_number(digits: str) -> float | Decimal:
    """A JSON number with a fraction or exponent: a float where that is the same number, else a Decimal."""
    number = float(digits)
    if repr(number) == digits:
        return number
    exact = Decimal(digits)
    return number if math.isfinite(number) and Decimal(repr(number)) == exact else exact


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return made


_DECODER = json.JSONDecoder(parse_float=exact_number, parse_constant=_no_constant, object_pairs_hook=_once)


def json_value(written: str | bytes) -> Any:
    """What `written` says, exactly; a JSON null alone is JSON_NULL. ValueError for what is no JSON, or a key twice."""
    if isinstance(written, bytes):
        written = written.decode()
    value = _DECODER.decode(written)
    return JSON_NULL if value is None else value
