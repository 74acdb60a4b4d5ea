"""A cron expression in a time zone, and the instants at which it fires: five fields, by the rules of Debian's cron.

cronsim reads the fields and says which days match; how clock changes are crossed is decided here, since cronsim loses
fire times around shifts of half an hour and goes back in time when it starts inside an overlap.
A job at fixed times (neither minute nor hour begins with `*`) fires once for each local time of each local day: in a
gap at the first instant after it, in an overlap at the first of the two. Any other fires at each real minute that
matches.
Source: crontab(5), and `find_jobs` in Debian's cron.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from cronsim.cronsim import Field

from worker import zone

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = ("minute", "hour", "day of month", "month", "day of week")

DAY = timedelta(days=1)
# Where the search gives up: datetimes end soon after.
LAST_DAY = date(9999, 11, 30)
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
END = datetime.combine(LAST_DAY, time(), tzinfo=UTC)


class BadCron(ValueError):
    """An expression that Debian's cron would not take, or that never fires; the text says why."""


class Cron:
    """An expression bound to a zone. Immutable; `of` keeps the latest ones."""

    def __init__(self, expression: str, timezone: ZoneInfo) -> None:
        fields = _fields(expression)
        self._zone = timezone
        self._fields = _read(fields)
        self._hours = sorted(self._fields.hours)
        self._minutes = sorted(self._fields.minutes)
        self.fixed = not fields[0].startswith("*") and not fields[1].startswith("*")

    @staticmethod
    @lru_cache(maxsize=4096)
    def of(expression: str, timezone: str) -> Cron:
        """Raises BadCron, zone.UnknownZone."""
        return Cron(expression, zone.named(timezone))

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every instant later than `moment`, ascending, aware UTC; ends where the calendar does."""
        latest = moment
        for instant in self._fixed(moment) if self.fixed else self._wild(moment):
            if instant > latest:
                latest = instant
                yield instant

    def words(self) -> str:
        return self._fields.explain()

    def moved(self, instant: datetime) -> list[str]:
        """The local times (HH:MM) that do not exist and for which a job at fixed times fires at `instant`."""
        gap = zone.gap_before(instant, self._zone)
        if gap is None or not self.fixed:
            return []
        begin, end = gap
        days = [day for day in self._days(begin.date(), end.date()) if zone.has_day(day, self._zone)]
        return [f"{local:%H:%M}" for day in days for local in self._times_of(day) if begin <= local < end]

    def _fixed(self, moment: datetime) -> Iterator[datetime]:
        """Local day by local day; one that the zone left out altogether has no fire time."""
        for day in self._days(zone.local_of(moment, self._zone).date() - DAY):
            offset = zone.offset_of_day(day, self._zone)
            if offset is None and not zone.has_day(day, self._zone):
                continue
            for local in self._times_of(day):
                if offset is None:
                    yield zone.first_instant(local, self._zone)
                else:
                    yield (local - offset).replace(tzinfo=UTC)

    def _wild(self, moment: datetime) -> Iterator[datetime]:
        """UTC day by UTC day: one offset makes it plain arithmetic, else each local time is looked up."""
        begin = moment
        while begin < END:
            end = begin.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
            days = list(self._days(begin.date() - DAY, begin.date() + DAY))
            offset = zone.offset_between(begin, end, self._zone) if days else None
            found: Iterable[datetime]
            if offset is None:
                locals_ = (local for day in days for local in self._times_of(day))
                found = sorted(instant for local in locals_ for instant in zone.instants(local, self._zone))
            else:
                start = begin.replace(tzinfo=None) + offset
                first = (start.date(), start.hour)
                locals_ = (local for day in days for local in self._times_of(day, first))
                found = ((local - offset).replace(tzinfo=UTC) for local in locals_)
            yield from (instant for instant in found if begin <= instant < end)
            begin = end

    def _times_of(self, day: date, start: tuple[date, int] = (date.min, 0)) -> Iterator[datetime]:
        """The local times of `day`; those before the hour `start` left out, for speed alone."""
        for hour in self._hours:
            if (day, hour) < start:
                continue
            for minute in self._minutes:
                yield datetime.combine(day, time(hour, minute))

    def _days(self, first: date, last: date = LAST_DAY) -> Iterator[date]:
        """The matching days from `first` to `last`."""
        day = first
        while day <= last:
            if day.month not in self._fields.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self._fields.match_day(day):
                yield day
            day += DAY


def _fields(expression: str) -> list[str]:
    """The five fields, a nickname spelt out. Raises BadCron for what Debian's cron does not know."""
    text = expression.strip()
    if text.startswith("@"):
        if text.lower() not in NICKNAMES:
            raise BadCron(f"is {text!r}; allowed: five fields, or one of {', '.join(NICKNAMES)}")
        text = NICKNAMES[text.lower()]
    fields = text.split()
    if len(fields) != len(FIELDS):
        seconds = "; cron has no seconds: use `every` for less than a minute" if len(fields) == 6 else ""
        raise BadCron(
            f"is {expression!r}, which has {len(fields)} field{'s' if len(fields) != 1 else ''}; "
            f"allowed: five ({', '.join(FIELDS)}){seconds}"
        )
    return fields


_ITEM = r"(?:\*|[0-9]+-[0-9]+|[A-Z]{3}-[A-Z]{3}|[A-Z]{3}-[0-9]+|[0-9]+-[A-Z]{3})"
_FIELD = re.compile(rf"(?:{_ITEM}(?:/[0-9]+)?|[0-9]+|[A-Z]{{3}})(?:,(?:{_ITEM}(?:/[0-9]+)?|[0-9]+|[A-Z]{{3}}))*")


def _read(fields: list[str]) -> CronSim:
    """cronsim's reading, without its additions (`L`, `#`, a step without a range). Raises BadCron."""
    for name, field in zip(FIELDS, fields, strict=True):
        if not _FIELD.fullmatch(field.upper()):
            hint = "; a step follows `*` or a range: 5-59/15" if re.fullmatch(r"[0-9]+/[0-9]+", field) else ""
            raise BadCron(f"has {field!r} as {name}; allowed: numbers, names, ranges, lists and steps{hint}")
    try:
        plain = [_plain(Field(position), field.upper()) for position, field in enumerate(fields, start=Field.MINUTE)]
        return CronSim(" ".join(plain), ANY_TIME)
    except CronSimError:
        raise BadCron(_reason(fields)) from None


def _plain(field: Field, text: str) -> str:
    """`5-5/10` as `5`: cronsim takes a step over a single number for one up to the field's end."""
    parts = []
    for part in text.split(","):
        items, _, step = part.partition("/")
        single = step.strip("0") and len(field.parse(items)) == 1
        parts.append(items if single else part)
    return ",".join(parts)


def _reason(fields: list[str]) -> str:
    """Which field cronsim refuses: all others are taken out of its way."""
    for position, (name, field) in enumerate(zip(FIELDS, fields, strict=True)):
        alone = ["*"] * len(FIELDS)
        alone[position] = field
        try:
            CronSim(" ".join(alone), ANY_TIME)
        except CronSimError:
            allowed = ("0-59", "0-23", "1-31", "1-12 or JAN-DEC", "0-7 or SUN-SAT, 0 and 7 are Sunday")[position]
            hint = "; a range ascends: Saturday to Sunday is 6-7" if position == 4 and "-" in field else ""
            return f"has {field!r} as {name}; allowed: {allowed}{hint}"
    return f"is {' '.join(fields)!r}, which never fires: no such month has that day"
