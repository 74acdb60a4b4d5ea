"""Canonical values of one kind as those of another: exactly, or Inexact is raised. Nothing is ever rounded.

What has no counterpart in Python's calendar (`infinity`, years BC) stays text between the kinds of time.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.sync.types import Kind, Type
from worker.sync.values import float_text, json_text, json_value, single_text, text


class Inexact(ValueError):
    """The value has no exact counterpart of that kind."""


# What Python's calendar cannot hold, in PostgreSQL's notation: kept as text by every connector.
_FAR_DATE = r"-?infinity|\d{5,}-\d\d-\d\d|\d{4,}-\d\d-\d\d BC"
_FAR_INSTANT = r"-?infinity|\d{5,}-\d\d-\d\d [\d:.]+(\+00)?|\d{4,}-\d\d-\d\d [\d:.]+(\+00)? BC"
FAR = {
    Kind.DATE: re.compile(_FAR_DATE),
    Kind.TIME: re.compile(r"24:00:00"),
    Kind.TIMESTAMP: re.compile(_FAR_INSTANT),
    Kind.TIMESTAMPTZ: re.compile(_FAR_INSTANT),
}
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?")
_ISO_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,6})?)(Z|[+-]\d\d(?::?\d\d)?)?")
_MIDNIGHT = re.compile(r" 00:00:00(?:\.0+)?(?:\+00)?(?= BC|\Z)")
_EXACT_FLOAT = 2**53
_MOST_DIGITS = 4300  # Python's own limit for int from text, against quadratic time

# Each function takes any canonical value but None; a value of the kind itself comes back as it is.


def integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOAT:
        return int(value)
    if isinstance(value, Decimal) and _is_whole(value):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,4300}", value) and str(int(value)) == value:
        return int(value)
    raise Inexact


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()


def decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(float_text(value))
    if isinstance(value, str) and (_PLAIN_NUMBER.fullmatch(value) or value in ("NaN", "Infinity", "-Infinity")):
        return Decimal(value)
    raise Inexact


def floating(value: Any) -> float:
    if isinstance(value, float):
        return value
    exact = decimal(value)
    near = float(exact)
    if (exact.is_nan() and math.isnan(near)) or Decimal(float_text(near)) == exact:
        return near
    raise Inexact


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise Inexact


def octets(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and value.startswith("\\x"):
        return bytes.fromhex(value[2:])
    raise Inexact


def day(value: Any) -> date | str:
    if isinstance(value, datetime):
        value = timestamp(value)
        if isinstance(value, datetime) and value.time() == time():
            return value.date()
    elif isinstance(value, date):
        return value
    elif isinstance(value, str):
        if _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
        if FAR[Kind.DATE].fullmatch(value):
            return value
        if FAR[Kind.TIMESTAMPTZ].fullmatch(value) and (midnight := _MIDNIGHT.search(value)):
            return value.replace(midnight[0], "")
    raise Inexact


def clock_time(value: Any) -> time | str:
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if isinstance(value, str):
        if FAR[Kind.TIME].fullmatch(value):
            return value
        if _ISO_TIME.fullmatch(value):
            return time.fromisoformat(value)
    raise Inexact


def _instant(value: Any) -> datetime | str:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(value, str):
        if _ISO_INSTANT.fullmatch(value):
            return datetime.fromisoformat(value)
        if FAR[Kind.TIMESTAMPTZ].fullmatch(value):
            return value
        if _ISO_DATE.fullmatch(value):
            return datetime.fromisoformat(value)
    raise Inexact


def timestamp(value: Any) -> datetime | str:
    """Without a zone: what has one gives its UTC wall time."""
    moment = _instant(value)
    if isinstance(moment, str):
        return moment.replace("+00", "")
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def timestamptz(value: Any) -> datetime | str:
    """In UTC: what has no zone is taken as UTC."""
    moment = _instant(value)
    if isinstance(moment, str):
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def identifier(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str) and len(value) == 36:
        made = uuid.UUID(value)
        if str(made) == value:
            return made
    raise Inexact


_TO: dict[Kind, Callable[[Any], Any]] = {
    Kind.NULL: text,
    Kind.TEXT: text,
    Kind.INTEGER: integer,
    Kind.DECIMAL: decimal,
    Kind.FLOAT: floating,
    Kind.BOOLEAN: boolean,
    Kind.BYTES: octets,
    Kind.DATE: day,
    Kind.TIME: clock_time,
    Kind.TIMESTAMP: timestamp,
    Kind.TIMESTAMPTZ: timestamptz,
    Kind.UUID: identifier,
    Kind.JSON: lambda value: value,
}

_DOCUMENTS = frozenset({Kind.JSON, Kind.ARRAY})


def conversion(source: Type, target: Type) -> Callable[[Any], Any]:
    """The exact conversion of values of `source` to `target`; it raises ValueError where there is none.

    Text that goes into JSON is read as JSON, and JSON that goes into text is written as JSON, so that both come back.
    """
    if target.kind is Kind.ARRAY:
        return _array(source, target)
    if target.kind in (Kind.TEXT, Kind.NULL):
        if source.kind in _DOCUMENTS:
            return json_text
        if source.kind is Kind.FLOAT and source.bits == 32:
            return lambda value: single_text(value) if isinstance(value, float) else text(value)
    if target.kind is Kind.JSON and source.kind is Kind.TEXT:
        return lambda value: json_value(value) if isinstance(value, str) else value
    return _TO[target.kind]


def _array(source: Type, target: Type) -> Callable[[Any], Any]:
    item = target.item or Type(kind=Kind.TEXT)
    inner = conversion(source.item or Type(kind=Kind.NULL), item)

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(each) for each in value]
        return None if value is None else inner(value)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            value = json_value(value)
        if not isinstance(value, list):
            raise Inexact
        return one(value)

    return convert


def try_convert(convert: Callable[[Any], Any], value: Any) -> Any:
    """`convert(value)`; every way in which a conversion can fail becomes Inexact."""
    try:
        return convert(value)
    except (ValueError, TypeError, OverflowError, InvalidOperation, RecursionError) as error:
        raise Inexact(str(error)) from None
