"""From a job's schedule to its fire times: cron, intervals, jitter, and what clock changes do to them. Pure.

`every` fires at whole multiples of the interval since the Unix epoch; `cron` is `worker.cron`'s. All instants are aware
UTC, and `after` is always exclusive. It knows neither a job's state nor the time of day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from apscheduler.triggers.interval import IntervalTrigger

from worker import zone
from worker.clock import EPOCH
from worker.cron import BadCron, Cron
from worker.duration import format_duration, parse_duration
from worker.errors import BadInput, Fault
from worker.job import Schedule

__all__ = [
    "count_between",
    "describe",
    "fire_times",
    "format_duration",
    "in_words",
    "next_fire_time",
    "notes",
    "parse_duration",
    "validate",
]

TICK = timedelta(microseconds=1)
MILLISECOND = timedelta(milliseconds=1)
SHORTEST = 1.0
MOST_JITTER = 86_400.0


def next_fire_time(schedule: Schedule, after: datetime, *, job_id: str = "") -> datetime:
    """The first fire time later than `after`. Raises BadInput for a bad schedule, or where the calendar ends."""
    for moment in _fire_times(schedule, after, job_id):
        return moment
    raise BadInput([Fault(field="cron", message="has no fire time before the year 10000")])


def fire_times(schedule: Schedule, after: datetime, until: datetime, limit: int, job_id: str = "") -> list[datetime]:
    """All with `after` < t <= `until`, ascending; the first `limit` of them."""
    return list(islice(takewhile(lambda moment: moment <= until, _fire_times(schedule, after, job_id)), limit))


def count_between(schedule: Schedule, after: datetime, until: datetime, job_id: str = "", cap: int = 100_000) -> int:
    """How many fire times there are with `after` < t <= `until`, counting no further than `cap`."""
    if schedule.every is None:
        return len(fire_times(schedule, after, until, cap, job_id))
    period, shift = timedelta(seconds=schedule.every), _offset(schedule, job_id)
    return max(0, min(cap, (until - shift - EPOCH) // period - (after - shift - EPOCH) // period))


def validate(schedule: Schedule) -> list[Fault]:
    """Every mistake in it; `field` is the schedule's."""
    faults = []
    if (schedule.cron is None) == (schedule.every is None):
        faults.append(Fault(field="", message="needs either cron or every, not both"))
    try:
        zone.named(schedule.timezone)
    except zone.UnknownZone as error:
        faults.append(Fault(field="timezone", message=str(error)))
    if schedule.cron is not None:
        try:
            Cron.of(schedule.cron, "UTC")
        except BadCron as error:
            faults.append(Fault(field="cron", message=str(error)))
    if schedule.every is not None and (schedule.every < SHORTEST or not _whole_milliseconds(schedule.every)):
        faults.append(Fault(field="every", message=f"is {format_duration(schedule.every)}; allowed: 1s or more"))
    most = min(MOST_JITTER, schedule.every or MOST_JITTER)
    if not 0 <= schedule.jitter <= most:
        message = f"is {format_duration(schedule.jitter)}; allowed: up to {format_duration(most)}"
        faults.append(Fault(field="jitter", message=message))
    return faults


def describe(schedule: Schedule) -> str:
    """The schedule in words: `every 15m`, `at 02:30 every day (Europe/Paris)`."""
    if schedule.every is not None:
        words = f"every {format_duration(schedule.every)}"
    else:
        told = _cron(schedule).words()
        words = f"{told[0].lower()}{told[1:]} ({schedule.timezone})"
    return words + (f", spread over {format_duration(schedule.jitter)}" if schedule.jitter else "")


def in_words(schedule: Schedule | None) -> str:
    """As `describe`, for a list: never raises."""
    if schedule is None:
        return "by hand only"
    try:
        return describe(schedule)
    except (BadInput, ValueError, TypeError) as error:
        return f"cannot be read: {error}"


def notes(schedule: Schedule, fire_time: datetime, *, job_id: str = "") -> str | None:
    """What a clock change did to this fire time; None where none touches it, and always for `every`."""
    if schedule.cron is None:
        return None
    cron, where = _cron(schedule), zone.named(schedule.timezone)
    instant = fire_time - _offset(schedule, job_id)
    local = zone.local_of(instant, where)
    moved = cron.moved(instant)
    if moved:
        verb = "do" if len(moved) > 1 else "does"
        return f"{', '.join(moved)} {verb} not exist on this day in {where.key}: clocks go forward to {local:%H:%M}"
    both = zone.instants(local, where)
    if len(both) == 2:
        which = "first" if instant == both[0] else "second"
        return f"{local:%H:%M} comes twice on this day in {where.key}: clocks go back; this is the {which}"
    return None


def _cron(schedule: Schedule) -> Cron:
    """Raises BadInput."""
    faults = validate(schedule)
    if faults:
        raise BadInput(faults)
    assert schedule.cron is not None
    return Cron.of(schedule.cron, schedule.timezone)


def _fire_times(schedule: Schedule, after: datetime, job_id: str) -> Iterator[datetime]:
    shift = _offset(schedule, job_id)
    after = after.astimezone(UTC) - shift
    moments = _cron(schedule).after(after) if schedule.every is None else _multiples(schedule, after)
    for moment in moments:
        yield moment + shift


def _multiples(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    faults = validate(schedule)
    if faults:
        raise BadInput(faults)
    assert schedule.every is not None
    trigger = IntervalTrigger(seconds=schedule.every, start_date=EPOCH, timezone=UTC)
    moment = trigger.get_next_fire_time(None, after + TICK)
    while moment < datetime.max.replace(tzinfo=UTC) - 2 * trigger.interval:
        if moment > after:  # it reckons in floating seconds, and `after` is exclusive
            yield moment
        moment += trigger.interval


def _offset(schedule: Schedule, job_id: str) -> timedelta:
    """The same for each fire time of a job: whole seconds below `jitter`, drawn from the job's id."""
    if not schedule.jitter:
        return timedelta()
    digest = hashlib.sha256(job_id.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8]) % max(int(schedule.jitter), 1))


def _whole_milliseconds(seconds: float) -> bool:
    """MongoDB keeps no finer times, and a fire time is compared with what it kept."""
    return timedelta(seconds=seconds) % MILLISECOND == timedelta()
