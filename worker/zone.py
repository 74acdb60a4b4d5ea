"""Local times of an IANA zone as instants, and the clock changes between them.

Naive datetimes are local, aware ones are instants in UTC. It builds on zoneinfo, which knows offsets but neither
tells a gap from an overlap nor where one begins.
Source: PEP 495 (`fold`), PEP 615.
"""

from __future__ import annotations

import difflib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

# Names of a machine's own files, not of the database: they mean something else elsewhere.
NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})
DAY = timedelta(days=1)
SAMPLES = 4
TICK = timedelta(microseconds=1)


class UnknownZone(ValueError):
    """No zone of that name; the text says which may have been meant."""


def named(name: str) -> ZoneInfo:
    """The zone of an IANA name, exactly spelt. Raises UnknownZone."""
    try:
        if name not in NOT_ZONES:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, as `Europe`
        pass
    known = {zone.lower(): zone for zone in available_timezones() - NOT_ZONES}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    meant = f"; did you mean {known[near[0]]}?" if near else ""
    raise UnknownZone(f"is {name!r}; allowed: an IANA time zone such as Europe/Paris or UTC{meant}")


def local_of(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset


def offset_between(begin: datetime, end: datetime, zone: ZoneInfo) -> timedelta | None:
    """The one offset from `begin` to `end` (instants, a day or so apart); None where it changes."""
    part = (end - begin) / SAMPLES
    offsets = {offset_at(begin + part * i, zone) for i in range(SAMPLES + 1)}
    return offsets.pop() if len(offsets) == 1 else None


def offset_of_day(day: date, zone: ZoneInfo) -> timedelta | None:
    """The one offset of a whole local day, both midnights included; None where a clock change touches it."""
    midnight = datetime.combine(day, time())
    begin = midnight.replace(tzinfo=zone).astimezone(UTC)
    if local_of(begin, zone) != midnight:
        return None  # the day begins in a gap
    end = (midnight + DAY).replace(tzinfo=zone, fold=1).astimezone(UTC)
    return offset_between(begin, end, zone)


def instants(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the zone's clocks show `local`: never (a gap), once, or twice (an overlap)."""
    both = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return sorted({instant for instant in both if local_of(instant, zone) == local})


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """When clocks first show `local`, or the first instant after the gap that swallowed it."""
    found = instants(local, zone)
    if found:
        return found[0]
    before, after = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    new = offset_at(after, zone)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (before, middle) if offset_at(middle, zone) == new else (middle, after)
    return after


def has_day(day: date, zone: ZoneInfo) -> bool:
    """False for a date that the zone left out, such as 2011-12-30 in Pacific/Apia."""
    return local_of(first_instant(datetime.combine(day, time()), zone), zone).date() == day


def gap_before(instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The local times (from, up to) that were left out where a gap ends at `instant`."""
    jump = offset_at(instant, zone) - offset_at(instant - TICK, zone)
    if jump <= timedelta():
        return None
    local = local_of(instant, zone)
    return local - jump, local
