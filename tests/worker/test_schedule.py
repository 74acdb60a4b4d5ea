"""Fire times by Debian cron's rules, as a table over many zones, and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.errors import BadInput
from worker.job import Schedule
from worker.schedule import (
    count_between,
    describe,
    fire_times,
    format_duration,
    next_fire_time,
    notes,
    parse_duration,
    validate,
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# cron, zone, after (UTC) -> the fire times that follow (UTC)
TABLE = [
    # Forward over a fixed time: the first instant after the gap. Back over it: the first time only.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
    ("30 2 * * *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
    ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
    ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00", ["2026-04-04T14:45", "2026-04-05T15:15"]),
    ("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", ["2026-02-15T01:30", "2026-02-16T02:30"]),
    ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:00"]),
    ("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00", ["2011-12-29T22:00", "2011-12-30T22:00"]),
    ("0 6 * * *", "Asia/Kathmandu", "2026-06-01T00:00", ["2026-06-01T00:15", "2026-06-02T00:15"]),
    ("30 0 * * *", "Asia/Tehran", "2022-03-21T12:00", ["2022-03-21T20:30", "2022-03-22T20:00"]),
    ("0 9 * * *", "UTC", "2026-01-01T09:00", ["2026-01-02T09:00", "2026-01-03T09:00"]),
    # Two fixed times in one gap are one instant, and fire once.
    ("15,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:15"]),
    # A wildcard keeps its real distance.
    ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00", ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]),
    ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30", ["2026-03-29T01:00", "2026-03-29T02:00"]),
    # Weekdays: 0 and 7 are Sunday; day of month or weekday where both are restricted; names, ranges, steps.
    ("0 0 * * 0", "UTC", "2026-05-01T00:00", ["2026-05-03T00:00"]),
    ("0 0 * * 7", "UTC", "2026-05-01T00:00", ["2026-05-03T00:00"]),
    ("0 0 * * mon-fri/2", "UTC", "2026-05-01T00:00", ["2026-05-04T00:00", "2026-05-06T00:00"]),
    ("0 0 13 * fri", "UTC", "2026-05-01T12:00", ["2026-05-08T00:00", "2026-05-13T00:00"]),
    ("0 0 */10 * fri", "UTC", "2026-05-01T12:00", ["2026-07-31T00:00"]),
    ("0 0 29 feb *", "UTC", "2026-05-01T00:00", ["2028-02-29T00:00"]),
    ("5-20/5 8,17 1 jan-mar *", "UTC", "2026-02-01T17:15", ["2026-02-01T17:20", "2026-03-01T08:05"]),
]


@pytest.mark.parametrize(("cron", "zone", "after", "expected"), TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_fire_times_follow_debians_cron(cron: str, zone: str, after: str, expected: list[str]) -> None:
    moment, found = utc(after), []
    for _ in expected:
        moment = next_fire_time(Schedule(cron=cron, timezone=zone), moment)
        found.append(moment)
    assert found == [utc(text) for text in expected]


def test_intervals_count_from_the_epoch() -> None:
    schedule = Schedule(every=900)
    assert next_fire_time(schedule, utc("2026-01-01T10:07:13")) == utc("2026-01-01T10:15")
    assert next_fire_time(schedule, utc("2026-01-01T10:15")) == utc("2026-01-01T10:30")
    assert next_fire_time(Schedule(every=7), utc("1970-01-01T00:00")) == utc("1970-01-01T00:00:07")


def test_jitter_moves_a_job_by_an_offset_of_its_own() -> None:
    schedule = Schedule(cron="0 * * * *", jitter=600)
    offsets = {job: next_fire_time(schedule, utc("2026-01-01T00:30"), job_id=job).minute for job in "abcdefgh"}
    assert len(set(offsets.values())) > 1
    assert all(minute < 10 for minute in offsets.values())
    again = next_fire_time(schedule, utc("2026-01-01T07:30"), job_id="a")
    assert again.minute == offsets["a"]


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("* * * *", "which has 4 fields"),
        ("0 * * * * *", "which has 6 fields"),
        ("61 * * * *", "'61' as minute; allowed: 0-59"),
        ("* 24 * * *", "'24' as hour; allowed: 0-23"),
        ("0 0 L * *", "'L' as day of month"),
        ("0 0 * * mon#1", "'mon#1' as day of week"),
        ("0 0 31 2 *", "never fires"),
        ("*/0 * * * *", "'*/0' as minute"),
        ("5/15 * * * *", "a step follows `*` or a range"),
        ("* * * * sat-sun", "Saturday to Sunday is 6-7"),
        ("0 0 30,31 feb *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("@reboot", "or one of @hourly"),
        ("* * * * ٣", "as day of week"),
        ("", "which has 0 fields"),
    ],
)
def test_a_cron_that_is_none_is_refused(cron: str, message: str) -> None:
    (fault,) = validate(Schedule(cron=cron))
    assert fault.field == "cron"
    assert message in fault.message
    with pytest.raises(BadInput):
        next_fire_time(Schedule(cron=cron), utc("2026-01-01T00:00"))


def test_all_faults_of_a_schedule_are_named_at_once() -> None:
    faults = validate(Schedule(cron="* * * * *", every=0.5, timezone="Mars/Olympus"))
    assert [fault.field for fault in faults] == ["", "timezone", "every"]


def test_a_note_tells_what_a_clock_change_did() -> None:
    nightly = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")
    assert "clocks go forward" in (notes(nightly, utc("2026-03-29T01:00")) or "")
    first = "02:30 comes twice on this day in Europe/Berlin: clocks go back; this is the first"
    assert notes(nightly, utc("2026-10-25T00:30")) == first
    assert notes(nightly, utc("2026-03-30T00:30")) is None
    assert notes(Schedule(cron="0 12 * * *", timezone="Europe/Berlin"), utc("2026-03-29T10:00")) is None


def test_a_schedule_reads_as_words() -> None:
    assert describe(Schedule(every=900)) == "every 15m"
    assert describe(Schedule(cron="0 9 * * 1", timezone="Asia/Tokyo")) == "at 09:00 on Monday (Asia/Tokyo)"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("15m", 900),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        ("1.5h", 5400),
        ("500ms", 0.5),
        ("90", 90),
        (30, 30),
    ],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "30m1h", "1h1h", "10 s 5", "-5s", "1y", None, True, -1, [1]])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="allowed: a duration"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**10))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("nickname", "cron"),
    [("@hourly", "0 * * * *"), ("@Daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *")],
)
def test_debians_nicknames_stand_for_five_fields(nickname: str, cron: str) -> None:
    start, end = utc("2026-03-28T12:00"), utc("2026-05-28T12:00")
    named, spelt = (Schedule(cron=text, timezone="Europe/Berlin") for text in (nickname, cron))
    assert fire_times(named, start, end, 100) == fire_times(spelt, start, end, 100)


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("Europe/Pari", "did you mean Europe/Paris?"),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Europe", "an IANA time zone"),
        ("../etc/passwd", "an IANA time zone"),
        ("localtime", "an IANA time zone"),
        ("", "an IANA time zone"),
    ],
)
def test_a_zone_that_is_none_is_refused(zone: str, message: str) -> None:
    (fault,) = validate(Schedule(cron="0 0 * * *", timezone=zone))
    assert fault.field == "timezone"
    assert message in fault.message


def test_a_rare_schedule_is_found_however_far_it_is() -> None:
    assert next_fire_time(Schedule(cron="0 0 29 2 */7"), utc("2072-03-01T00:00")) == utc("2088-02-29T00:00")
    assert next_fire_time(Schedule(cron="*/9 * 29 2 */7"), utc("2088-03-01T00:00")) == utc("2128-02-29T00:00")


def test_the_end_of_the_calendar_is_told() -> None:
    with pytest.raises(BadInput, match="before the year 10000"):
        next_fire_time(Schedule(cron="0 0 29 2 *", timezone="Asia/Tokyo"), utc("9996-03-01T00:00"))


@given(st.integers(1, 7200), st.integers(0, 10**9), st.integers(0, 10**5))
def test_counting_is_the_same_as_listing(every: int, begin: int, length: int) -> None:
    schedule = Schedule(every=every)
    after = datetime.fromtimestamp(begin, UTC)
    until = after + timedelta(seconds=length)
    assert count_between(schedule, after, until, cap=50) == len(fire_times(schedule, after, until, 50))


# A second opinion: Debian's cron as a clock that is read each real minute.


def expanded(field: str, low: int, high: int) -> set[int]:
    """A field of numbers, ranges, lists and steps as the set of what it matches."""
    found: set[int] = set()
    for part in field.split(","):
        items, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if items == "*" else items).partition("-")
        found |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


class Crontab:
    """What Debian's cron would start, and when, by looking at the clock each minute and minding its jumps."""

    def __init__(self, cron: str, zone: str) -> None:
        minute, hour, day, month, weekday = cron.split()
        self.minutes, self.hours, self.months = expanded(minute, 0, 59), expanded(hour, 0, 23), expanded(month, 1, 12)
        self.days, self.weekdays = expanded(day, 1, 31), expanded(weekday, 0, 7)
        self.both = day.startswith("*") or weekday.startswith("*")
        self.wild = minute.startswith("*") or hour.startswith("*")
        self.zone = ZoneInfo(zone)

    def matches(self, local: datetime) -> bool:
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        day = local.day in self.days
        weekday = bool({local.isoweekday(), local.isoweekday() % 7} & self.weekdays)
        return (day and weekday) if self.both else (day or weekday)

    def starts(self, begin: datetime, end: datetime) -> list[datetime]:
        found, latest = [], self.local(begin)
        moment = begin
        while moment < end:
            moment += timedelta(minutes=1)
            local = self.local(moment)
            passed = [latest + timedelta(minutes=n) for n in range(1, (local - latest) // timedelta(minutes=1) + 1)]
            if len(passed) >= 24 * 60:  # the zone left out a whole day
                passed = [local]
            if self.matches(local) if self.wild else any(self.matches(one) for one in passed):
                found.append(moment)
            latest = max(latest, local)
        return found

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)


# Each with a clock change in the middle of it.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("America/Sao_Paulo", "2018-11-04"), ("America/Sao_Paulo", "2018-02-18"),
    ("Australia/Lord_Howe", "2026-10-03"), ("Australia/Lord_Howe", "2026-04-04"), ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"), ("Pacific/Apia", "2011-12-30"), ("Asia/Tehran", "2022-03-22"),
    ("Asia/Tehran", "2022-09-21"), ("America/St_Johns", "2010-11-07"), ("America/Nuuk", "2025-03-29"),
    ("Asia/Kathmandu", "1985-12-31"), ("Asia/Pyongyang", "2018-05-04"), ("Antarctica/Casey", "2009-10-17"),
    ("Antarctica/Troll", "2026-03-29"), ("Europe/Dublin", "2026-10-25"), ("UTC", "2026-03-29"),
]  # fmt: skip


def of_field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = st.tuples(ranges | st.just("*"), st.integers(1, 30)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    return st.lists(number.map(str) | ranges | stepped, min_size=1, max_size=3).map(",".join)


CRON = st.tuples(
    st.just("*") | of_field(0, 59),
    st.just("*") | of_field(0, 5) | of_field(0, 23),
    st.just("*") | of_field(1, 28),
    st.just("*"),
    st.just("*") | of_field(0, 7),
).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(CRON, st.sampled_from(CHANGES))
def test_clock_changes_are_crossed_as_debians_cron_does(cron: str, change: tuple[str, str]) -> None:
    zone, day = change
    begin, end = (utc(day) + timedelta(days=distance) for distance in (-1, 2))
    assert fire_times(Schedule(cron=cron, timezone=zone), begin, end, 10_000) == Crontab(cron, zone).starts(begin, end)


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Asia/Tehran",
    "America/St_Johns",
    "Europe/Dublin",
]
CRONS = ["*/7 * * * *", "0 * * * *", "30 2 * * *", "15,45 0-3 * * *", "0 0 * * *", "59 23 28-31 * *", "*/20 1 * * 0"]


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(CRONS),
    st.sampled_from(ZONES),
    st.integers(1_104_537_600, 2_051_222_400).map(lambda second: datetime.fromtimestamp(second, UTC)),
)
def test_fire_times_grow_and_are_the_same_from_any_start(cron: str, zone: str, start: datetime) -> None:
    schedule = Schedule(cron=cron, timezone=zone)
    times = fire_times(schedule, start, start + timedelta(days=400), 20)
    assert times and times[0] > start
    assert all(later > earlier for earlier, later in pairwise(times))
    for earlier, later in pairwise(times):
        assert next_fire_time(schedule, earlier) == later
        assert next_fire_time(schedule, earlier + (later - earlier) / 2) == later


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 59), st.integers(2000, 2030))
def test_a_fixed_time_fires_once_a_local_day(zone: str, hour: int, minute: int, year: int) -> None:
    schedule = Schedule(cron=f"{minute} {hour} * * *", timezone=zone)
    start = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = fire_times(schedule, start, start + timedelta(days=366), 400)
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in times]
    assert len(days) == len(set(days))
