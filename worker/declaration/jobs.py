"""Jobs as they are declared, parsed into records and printed back: `parse_job(id, job_document(job)) == job`.

Printing leaves defaults out. Of a job's streams `worker.declaration.streams` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker import schedule
from worker.declaration.fields import Fields, check_id, meant
from worker.declaration.streams import SHARED, read_streams, stream_document
from worker.duration import format_duration
from worker.errors import BadInput, Fault
from worker.job import CatchUp, Guards, Job, Overlap, Retry, Schedule

JOB_FIELDS = (
    "source",
    "destination",
    "schedule",
    "streams",
    "retry",
    "timeout",
    "catch_up",
    "overlap",
    "guards",
    "verify",
    "enabled",
)
MOST_ATTEMPTS = 100

Types = Mapping[str, str]


def parse_job(id: str, document: object, *, where: str = "", types: Types | None = None) -> Job:
    """A job from the shape of the file; `where` is the document's path. Raises BadInput with all faults.

    `types` (connection id -> connector) tells which connections there are; None: those are not checked.
    """
    faults: list[Fault] = []
    job = read_job(id, document, where, faults, types)
    if faults:
        raise BadInput(faults)
    return job


def read_job(id: str, document: object, where: str, faults: list[Fault], types: Types | None) -> Job:
    """As `parse_job`, but adds to `faults`; what it returns is of use only where none were added."""
    check_id(id, where, faults)
    fields = Fields(document, where, faults)
    fields.know(*JOB_FIELDS, *SHARED)
    fields.need("source", "destination")
    ends = {end: fields.text(end) for end in ("source", "destination")}
    for end, connection in ends.items():
        if types is not None and connection is not None and connection not in types:
            fields.fault(end, f"is {connection!r}, which is no connection; {meant(connection, types)}")
    known = None if types is None else {end: types.get(connection or "") for end, connection in ends.items()}
    return Job(
        id=id,
        source=ends["source"] or "",
        destination=ends["destination"] or "",
        streams=read_streams(fields, known),
        schedule=_schedule(fields),
        retry=_retry(fields),
        timeout=_timeout(fields),
        catch_up=fields.choice("catch_up", CatchUp, CatchUp.LATEST),
        overlap=fields.choice("overlap", Overlap, Overlap.SKIP),
        guards=_guards(fields),
        verify=fields.flag("verify", False),
        enabled=fields.flag("enabled", True),
    )


def job_document(job: Job) -> dict[str, Any]:
    """The job in the shape of the file, defaults left out."""
    retry = _differing(
        {
            "attempts": (job.retry.attempts, Retry().attempts, job.retry.attempts),
            "backoff": (job.retry.backoff, Retry().backoff, format_duration(job.retry.backoff)),
            "max_backoff": (
                job.retry.max_backoff,
                max(Retry().max_backoff, job.retry.backoff),
                format_duration(job.retry.max_backoff),
            ),
        }
    )
    optional = {
        "schedule": _schedule_document(job.schedule) if job.schedule else None,
        "streams": [stream_document(stream) for stream in job.streams],
        "retry": retry or None,
        "timeout": None if job.timeout is None else format_duration(job.timeout),
        "catch_up": None if job.catch_up is CatchUp.LATEST else str(job.catch_up),
        "overlap": None if job.overlap is Overlap.SKIP else str(job.overlap),
        "guards": _guards_document(job.guards),
        "verify": True if job.verify else None,
        "enabled": None if job.enabled else False,
    }
    ends = {"source": job.source, "destination": job.destination}
    return ends | {name: value for name, value in optional.items() if value is not None}


def _differing(values: Mapping[str, tuple[Any, Any, Any]]) -> dict[str, Any]:
    """Name -> text of each (value, default, text) whose value is not the default."""
    return {name: text for name, (value, default, text) in values.items() if value != default}


# When.


def _schedule(job: Fields) -> Schedule | None:
    if "schedule" not in job:
        return None
    if isinstance(job.raw("schedule"), str):
        job.fault("schedule", 'is a text; allowed: {cron: "*/5 * * * *", timezone: Europe/Paris} or {every: 15m}')
        return None
    return read_schedule(job.inner("schedule"))


def read_schedule(fields: Fields) -> Schedule | None:
    """A schedule from `{cron or every, timezone, jitter}`; faults go where the fields' go."""
    before = len(fields.faults)
    fields.know("cron", "every", "timezone", "jitter")
    read = Schedule(
        cron=fields.text("cron"),
        every=fields.duration("every"),
        timezone=fields.text("timezone") or Schedule.timezone,
        jitter=fields.duration("jitter", 0.0) or 0.0,
    )
    if len(fields.faults) > before:
        return None
    for fault in schedule.validate(read):
        where = fields.at(fault.field) if fault.field else fields.path
        fields.faults.append(Fault(field=where, message=fault.message))
    return read if len(fields.faults) == before else None


def _schedule_document(rule: Schedule) -> dict[str, Any]:
    document: dict[str, Any] = {"cron": rule.cron} if rule.cron is not None else {}
    if rule.every is not None:
        document["every"] = format_duration(rule.every)
    if rule.timezone != Schedule.timezone:
        document["timezone"] = rule.timezone
    if rule.jitter:
        document["jitter"] = format_duration(rule.jitter)
    return document


def _retry(job: Fields) -> Retry:
    fields = job.inner("retry")
    fields.know("attempts", "backoff", "max_backoff")
    attempts = fields.whole("attempts", Retry().attempts, low=1, high=MOST_ATTEMPTS)
    backoff = fields.duration("backoff") if "backoff" in fields else Retry().backoff
    if backoff is None:
        return Retry()
    highest = fields.duration("max_backoff", max(Retry().max_backoff, backoff)) or 0.0
    if highest < backoff:
        fields.fault("max_backoff", f"is below backoff, which is {format_duration(backoff)}")
    return Retry(attempts=attempts, backoff=backoff, max_backoff=highest)


def _timeout(job: Fields) -> float | None:
    timeout = job.duration("timeout")
    if timeout is not None and timeout < 1:
        job.fault("timeout", "is too short; allowed: 1s or more; leave it out for none")
    return timeout


# How much may go.


def _guards(job: Fields) -> Guards:
    value = job.raw("guards")
    if value is False or value == "off":
        return Guards(max_delete=None, max_shrink=None)
    if value is None or value is True or value == "on":
        return Guards()
    fields = job.inner("guards")
    fields.know("max_delete", "max_shrink")
    parts = {name: _part(fields, name, getattr(Guards(), name)) for name in ("max_delete", "max_shrink")}
    return Guards(**parts)


def _part(fields: Fields, name: str, default: float) -> float | None:
    value = fields.raw(name)
    if value is None:
        return default
    if value is False or value == "off":
        return None
    part: float | None = None
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            part = round(float(value.strip()[:-1]) / 100, 8)
        except ValueError:
            part = None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        part = float(value)
    if part is None or not 0 <= part <= 1:
        fields.fault(name, f"is {value!r}; allowed: 0% to 100%, or off")
        return default
    return part


def _guards_document(guards: Guards) -> Any:
    if guards == Guards(max_delete=None, max_shrink=None):
        return False
    values = {"max_delete": guards.max_delete, "max_shrink": guards.max_shrink}
    shown = {
        name: False if part is None else f"{round(part * 100, 6):g}%"
        for name, part in values.items()
        if part != getattr(Guards(), name)
    }
    return shown or None
