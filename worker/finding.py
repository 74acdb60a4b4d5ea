"""Something that should not be, as the watchdog found it: what kind, of what, since when, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    LATE_JOB = "late_job"
    UNPLANNED_JOB = "unplanned_job"
    UNREADABLE_JOB = "unreadable_job"
    UNCLAIMED_RUN = "unclaimed_run"
    WAITING_RUNS = "waiting_runs"
    NO_LEADER = "no_leader"
    SILENT_INSTANCE = "silent_instance"
    JOBS_FILE = "jobs_file"
    UNDELIVERED_ALERT = "undelivered_alert"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`subject`: the id of a job, run, instance or alert, or a file; `since` is the server's, None: nobody knows."""

    kind: Kind
    subject: str
    since: datetime | None
    message: str
