"""The binary forms of dates, times and JSON, for psycopg: exact, and text where Python has no such time.

https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/timestamp.c (timestamp_recv, timestamp_send)
"""

from __future__ import annotations

import datetime
import re
import struct
from typing import Any

from psycopg import Connection
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format

from worker.errors import BadData
from worker.sync.values import json_value

_EPOCH = datetime.date(2000, 1, 1).toordinal()
_LOCAL_EPOCH = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 (a timestamp without a zone)
_UTC_EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_DAY = 86_400_000_000
_INFINITE_DAYS = {2**31 - 1: "infinity", -(2**31): "-infinity"}
_INFINITE_MICROSECONDS = {2**63 - 1: "infinity", -(2**63): "-infinity"}
_FAR = re.compile(
    r"(?P<year>\d{4,7})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[ T](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?(?:\+00(?::00)?|Z)?)?"
    r"(?P<bc> BC)?"
)


def _civil(days: int) -> tuple[int, int, int]:
    """Year (astronomical), month, day of days since 2000-01-01. http://howardhinnant.github.io/date_algorithms.html"""
    days += 730_425
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def _days(year: int, month: int, day: int) -> int:
    """The inverse of `_civil`."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 730_425


def far_date(days: int) -> str:
    year, month, day = _civil(days)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}" + ("" if year > 0 else " BC")


def far_timestamp(microseconds: int, zone: str) -> str:
    days, rest = divmod(microseconds, _DAY)
    date, _, bc = far_date(days).partition(" ")
    seconds, fraction = divmod(rest, 1_000_000)
    time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{date} {time}" + (f".{fraction:06d}" if fraction else "") + zone + (f" {bc}" if bc else "")


def _microseconds(text: str) -> int:
    """Since 2000-01-01, of a text that `far_date` or `far_timestamp` wrote. ValueError for any other."""
    for number, name in _INFINITE_MICROSECONDS.items():
        if text == name:
            return number
    found = _FAR.fullmatch(text)
    if not found:
        raise ValueError("is no date or time that PostgreSQL can hold")
    part = {name: int(value) for name, value in found.groupdict("0").items() if name not in ("bc", "fraction")}
    year = 1 - part["year"] if found["bc"] else part["year"]
    seconds = part["hour"] * 3600 + part["minute"] * 60 + part["second"]
    fraction = int((found["fraction"] or "0").ljust(6, "0"))
    return _days(year, part["month"], part["day"]) * _DAY + seconds * 1_000_000 + fraction


# What the server takes: from Julian day 0 on, up to the years 294276 and 5874897.
_TIMESTAMPS = range(-211_813_488_000_000_000, 9_223_371_331_200_000_000)
_DATES = range(-2_451_545, 2_145_031_949)


def in_range(text: str, kind: str) -> bool:
    """Whether PostgreSQL has such a date or time, of a text that stands for one which Python has not."""
    if kind == "time" or text in _INFINITE_DAYS.values():
        return True
    try:
        microseconds = _microseconds(text)
    except ValueError:
        return False
    return microseconds // _DAY in _DATES if kind == "date" else microseconds in _TIMESTAMPS


class DateLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> datetime.date | str:
        (days,) = struct.unpack("!i", data)
        try:
            return datetime.date.fromordinal(days + _EPOCH)
        except (ValueError, OverflowError):
            return _INFINITE_DAYS.get(days) or far_date(days)


class TimestampLoader(Loader):
    format = Format.BINARY
    epoch = _LOCAL_EPOCH
    zone = ""

    def load(self, data: Buffer) -> datetime.datetime | str:
        (microseconds,) = struct.unpack("!q", data)
        try:
            return self.epoch + datetime.timedelta(microseconds=microseconds)
        except OverflowError:
            return _INFINITE_MICROSECONDS.get(microseconds) or far_timestamp(microseconds, self.zone)


class TimestamptzLoader(TimestampLoader):
    epoch = _UTC_EPOCH
    zone = "+00"


class TimeLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> datetime.time | str:
        (microseconds,) = struct.unpack("!q", data)
        if microseconds >= _DAY:
            return "24:00:00"
        seconds, fraction = divmod(microseconds, 1_000_000)
        return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, fraction)


def _json(written: bytes) -> Any:
    try:
        return json_value(written)
    except ValueError as error:
        raise BadData(f"the JSON {written[:80]!r} cannot be read: {error}") from None


class JsonLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Any:
        return _json(bytes(data))


class JsonbLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Any:
        return _json(bytes(data)[1:])


class _DateText(str):
    """Marks the Python type that a dumper is registered for; COPY finds the dumper by the column's type."""


class _TimestampText(str): ...


class _TimestamptzText(str): ...


class _TimeText(str): ...


class _JsonText(str): ...


class _JsonbText(str): ...


class DateDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        if not isinstance(obj, str):
            return struct.pack("!i", obj.toordinal() - _EPOCH)
        infinite = {name: days for days, name in _INFINITE_DAYS.items()}
        return struct.pack("!i", infinite[obj] if obj in infinite else _microseconds(obj) // _DAY)


class TimestampDumper(Dumper):
    format = Format.BINARY
    epoch = _LOCAL_EPOCH

    def dump(self, obj: Any) -> bytes:
        if isinstance(obj, str):
            return struct.pack("!q", _microseconds(obj))
        since = obj - self.epoch
        return struct.pack("!q", (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


class TimestamptzDumper(TimestampDumper):
    epoch = _UTC_EPOCH


class TimeDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        if obj == "24:00:00":
            return struct.pack("!q", _DAY)
        of_day: datetime.time = datetime.time.fromisoformat(obj) if isinstance(obj, str) else obj
        seconds = (of_day.hour * 60 + of_day.minute) * 60 + of_day.second
        return struct.pack("!q", seconds * 1_000_000 + of_day.microsecond)


class JsonDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return str(obj).encode()


class JsonbDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return b"\x01" + str(obj).encode()


_DUMPERS: dict[type, tuple[str, type[Dumper]]] = {
    _DateText: ("date", DateDumper),
    _TimestampText: ("timestamp", TimestampDumper),
    _TimestamptzText: ("timestamptz", TimestamptzDumper),
    _TimeText: ("time", TimeDumper),
    _JsonText: ("json", JsonDumper),
    _JsonbText: ("jsonb", JsonbDumper),
}
_LOADERS: dict[str, type[Loader]] = {
    "date": DateLoader,
    "timestamp": TimestampLoader,
    "timestamptz": TimestamptzLoader,
    "time": TimeLoader,
    "json": JsonLoader,
    "jsonb": JsonbLoader,
}


def register(connection: Connection[Any]) -> None:
    """Use these forms on one connection."""
    adapters = connection.adapters
    for name, loader in _LOADERS.items():
        adapters.register_loader(name, loader)
    for of, (name, dumper) in _DUMPERS.items():
        found = adapters.types[name]
        adapters.register_dumper(of, type(dumper.__name__, (dumper,), {"oid": found.oid}))
