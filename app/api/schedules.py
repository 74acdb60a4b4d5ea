"""Try a schedule before it is saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.api.operation import Ask
from app.api.questions import SchedulePreview
from app.api.wire import Note, SchedulePreviewed
from worker import schedule
from worker.errors import BadInput, Fault
from worker.job import Schedule

FAR = timedelta(days=366 * 30)


def preview(ask: Ask[Any, SchedulePreview]) -> SchedulePreviewed:
    """The fire times of a schedule, in words too."""
    said = ask.body
    faults: list[Fault] = []
    tried = Schedule(
        cron=said.cron,
        every=None if said.every is None else _seconds("every", said.every, faults),
        timezone=said.timezone,
        jitter=0.0 if said.jitter is None else _seconds("jitter", said.jitter, faults),
    )
    faults += [] if faults else schedule.validate(tried)
    if faults:
        raise BadInput(faults)
    after = said.after or ask.context.store.now()
    try:
        times = schedule.fire_times(tried, after, after + FAR, said.count)
    except OverflowError:
        raise BadInput([Fault(field="after", message="is too close to the end of time")]) from None
    touched = [(moment, schedule.notes(tried, moment)) for moment in times]
    return SchedulePreviewed(
        words=schedule.describe(tried),
        fire_times=times,
        notes=[Note(fire_time=moment, note=note) for moment, note in touched if note],
    )


def _seconds(field: str, value: str | float, faults: list[Fault]) -> float:
    try:
        return schedule.parse_duration(value)
    except ValueError as error:
        faults.append(Fault(field=field, message=str(error)))
        return 0.0
