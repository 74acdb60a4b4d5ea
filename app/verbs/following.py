"""`next`: the fire times of a schedule that is saved nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from worker import clock, schedule
from worker.clock import iso
from worker.errors import BadInput, Fault
from worker.job import Schedule

FAR = datetime(9999, 1, 1, tzinfo=UTC)


def show(cron: str | None, every: str | None, *, zone: str, after: str | None, count: int) -> int:
    """Print the next `count` fire times in UTC, one a line, with a note after those that a clock change touches."""
    tried = Schedule(cron=cron, every=_seconds(every), timezone=zone)
    faults = [Fault(field=_option(fault.field), message=fault.message) for fault in schedule.validate(tried)]
    if faults:
        raise BadInput(faults)
    begin = moment(after, zone) if after is not None else clock.wall()
    for fire_time in schedule.fire_times(tried, begin, FAR, count):
        note = schedule.notes(tried, fire_time)
        print(iso(fire_time) + (f"  # {note}" if note else ""))
    return 0


def moment(text: str, zone: str = "UTC") -> datetime:
    """An ISO 8601 time; without an offset it is local time in `zone`. Raises BadInput."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        message = f"is {text!r}; allowed: an ISO 8601 time such as 2026-03-29T01:00:00Z"
        raise BadInput([Fault(field="TIME", message=message)]) from None
    try:
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except OverflowError:
        raise BadInput([Fault(field="TIME", message=f"is {text!r}, which is out of range")]) from None


def _seconds(every: str | None) -> float | None:
    try:
        return None if every is None else schedule.parse_duration(every)
    except ValueError as error:
        raise BadInput([Fault(field="--every", message=str(error))]) from None


def _option(field: str) -> str:
    return {"cron": "CRON", "": "next"}.get(field, f"--{field}")
