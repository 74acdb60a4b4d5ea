"""BSON's values and the canonical ones: what a document holds exactly, what it holds as text, and what is told.

Values of BSON's own classes (an ObjectId, a Regex) travel as they are, so that MongoDB to MongoDB changes none of them;
other destinations take their text. https://bsonspec.org/spec.html
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import bson
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion, TypeDecoder, TypeRegistry
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128

from worker.connectors.notes import Notes
from worker.sync.conversion import Inexact
from worker.sync.types import INT64, Column, JsonNull, Kind
from worker.sync.values import instant_text, text, time_text

_MOST_DEPTH = 90
_MOST_MILLISECONDS = 2**63 - 1
_CUT = "cut to the milliseconds that a Date holds (timestamps: text keeps all)"
_FAR = re.compile(r"(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?(?:\+00)?)?( BC)?")


class _ToDecimal(TypeDecoder):
    bson_type = Decimal128

    def transform_bson(self, value: Decimal128) -> decimal.Decimal:
        return value.to_decimal()


CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=dt.UTC,
    uuid_representation=bson.UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    type_registry=TypeRegistry([_ToDecimal()]),
)
# What `bson` encodes as it is, without loss. Ints and datetimes are looked at.
_AS_IS = frozenset(
    {
        type(None), str, bool, float, bytes, uuid.UUID, DatetimeMS, bson.Int64, bson.ObjectId, bson.Binary, bson.Regex,
        bson.Code, bson.Timestamp, bson.MinKey, bson.MaxKey, bson.DBRef,
    }
)  # fmt: skip


def decimal128(value: decimal.Decimal) -> Decimal128:
    """The same number, with the same digits where they fit; Inexact beyond 34 digits or the exponent's range."""
    try:
        return Decimal128(value)
    except decimal.DecimalException:
        raise Inexact("more than 34 digits") from None


class FarDate(str):
    """A Date that Python's calendar does not have: text for every destination but MongoDB, which gets the Date back."""

    sync_kind = Kind.TIMESTAMPTZ
    date: DatetimeMS

    def __new__(cls, date: DatetimeMS) -> FarDate:
        made = super().__new__(cls, far_text(date))
        made.date = date
        return made


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How one stream's values become a document's: `exact` keeps timestamps as text, `notes` gathers what is told."""

    notes: Notes
    exact: bool = False

    def of_column(self, column: Column, values: list[Any]) -> list[Any]:
        """The column's values for BSON; the list itself where nothing is to be done."""
        classes = set(map(type, values))
        if str in classes and column.type.kind in _INSTANTS:
            values = [self._far(value, column) if type(value) is str else value for value in values]
        others = classes - _AS_IS
        if not others:
            return values
        if others == {int} and _in_range(values):
            return values
        if others == {dt.datetime} and not self.exact and not any(v.microsecond % 1000 for v in values if v):
            return values
        return [None if value is None else self.one(value, column.name) for value in values]

    def _far(self, value: str, column: Column) -> Any:
        """A time that Python's calendar does not have: a Date where that reaches, else text."""
        if self.exact and column.type.kind is not Kind.DATE:
            return value
        milliseconds = far_milliseconds(value)
        if milliseconds is None:
            self.notes.add(column.name, "kept as text: no Date holds it", value)
            return value
        if milliseconds % 1:
            self.notes.add(column.name, _CUT, value)
        return DatetimeMS(math.floor(milliseconds))

    def one(self, value: Any, name: str, depth: int = 0) -> Any:
        """One value, deep; Inexact for what no document holds."""
        if type(value) in _AS_IS or value is None:
            return value
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, int):
            return self._integer(value, name)
        convert = _ONE.get(type(value))
        if convert is not None:
            return convert(self, value, name)
        if isinstance(value, (dict, list, tuple)):
            if depth > _MOST_DEPTH:
                raise Inexact(f"nested deeper than {_MOST_DEPTH} levels")
            if isinstance(value, Mapping):
                return {key: self.one(each, name, depth + 1) for key, each in value.items()}
            return [self.one(each, name, depth + 1) for each in value]
        if isinstance(value, dt.datetime):
            return self._datetime(value, name)
        raise Inexact(f"of the class {type(value).__name__}, which BSON does not have")

    def _integer(self, value: int, name: str) -> Any:
        if value in INT64:
            return value
        return self._decimal(decimal.Decimal(value), name)

    def _decimal(self, value: decimal.Decimal, name: str) -> Any:
        try:
            return decimal128(value)
        except Inexact:
            self.notes.add(name, "kept as text: more than 34 digits", value)
            return text(value)

    def _datetime(self, value: dt.datetime, name: str) -> Any:
        if self.exact:
            return instant_text(value)
        if value.microsecond % 1000:
            self.notes.add(name, _CUT, value)
        return value

    def _date(self, value: dt.date, name: str) -> dt.datetime:
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)

    def _time(self, value: dt.time, name: str) -> str:
        return time_text(value)

    def _null(self, value: JsonNull, name: str) -> None:
        return None


_INSTANTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_ONE: dict[type, Callable[[Shape, Any, str], Any]] = {
    decimal.Decimal: Shape._decimal,
    dt.datetime: Shape._datetime,
    dt.date: Shape._date,
    dt.time: Shape._time,
    JsonNull: Shape._null,
    FarDate: lambda shape, value, name: value.date,
}


def _in_range(values: list[Any]) -> bool:
    ints = [value for value in values if type(value) is int]
    return min(ints) in INT64 and max(ints) in INT64


# Out of a document.


def far_text(value: DatetimeMS) -> str:
    """A Date that Python's calendar does not have, in the notation of the type table."""
    days, milliseconds = divmod(int(value), 86_400_000)
    seconds, fraction = divmod(milliseconds, 1000)
    year, month, day_ = _civil(days)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{fraction:03}" if fraction else "")
    era = "" if year > 0 else " BC"
    return f"{year if year > 0 else 1 - year:04}-{month:02}-{day_:02} {clock}+00{era}"


def far_milliseconds(written: str) -> Fraction | None:
    """Milliseconds since 1970 of such a text; None for infinities and what 64 bits do not hold."""
    found = _FAR.fullmatch(written)
    if found is None:
        return None
    year, month, day_, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    seconds = _days(1 - year if found[8] else year, month, day_) * 86_400 + hour * 3600 + minute * 60 + second
    milliseconds = (seconds + Fraction(found[7] or 0)) * 1000
    return milliseconds if abs(milliseconds) <= _MOST_MILLISECONDS else None


def _days(year: int, month: int, day_: int) -> int:
    """Days since 1970, the inverse of `_civil`."""
    era, of_era = divmod(year - (month <= 2), 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day_ - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month, day of the proleptic Gregorian calendar, from days since 1970 (Howard Hinnant's days algorithms)."""
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def checkpoint_text(value: Any) -> str:
    """A value of a checkpoint, of whatever BSON type, as canonical Extended JSON."""
    plain = Decimal128(value) if isinstance(value, decimal.Decimal) else value
    return json_util.dumps(plain, json_options=_EXTENDED)


def checkpoint_value(written: str) -> Any:
    return json_util.loads(written, json_options=_EXTENDED)


_EXTENDED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL,
    tz_aware=True,
    tzinfo=dt.UTC,
    uuid_representation=bson.UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
