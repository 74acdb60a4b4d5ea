"""How each job stands with a person: one word for what it does now, else for how it last ended.

The words are one vocabulary for lists, filters, counts and the page. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from worker.run import ACTIVE, RunState

# The scheduler plans twice a second: a job that is due for longer than this is late.
LATE = timedelta(minutes=1)


class Standing(StrEnum):
    """Gravest first."""

    HELD = "held"
    FAILED = "failed"
    LATE = "late"
    RETRYING = "retrying"
    RUNNING = "running"
    QUEUED = "queued"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    NEW = "new"
    IN_STEP = "in_step"


_ENDED: dict[str, Standing] = {RunState.FAILED: Standing.FAILED, RunState.CANCELLED: Standing.CANCELLED}


def standing(facts: Mapping[str, Any], latest: Mapping[str, Any] | None, now: datetime) -> Standing:
    """Of one job: `facts` has enabled, next_fire_time; `latest` is its newest run that was not skipped or missed."""
    state = latest["state"] if latest else None
    if state == RunState.HELD:
        return Standing.HELD
    if latest and state in ACTIVE:
        if latest.get("error"):
            return Standing.RETRYING
        return Standing.RUNNING if state == RunState.RUNNING else Standing.QUEUED
    if not facts.get("enabled"):
        return Standing.PAUSED
    due = facts.get("next_fire_time")
    if isinstance(due, datetime) and now - due > LATE:
        return Standing.LATE
    if state is None:
        return Standing.NEW
    return _ENDED.get(state, Standing.IN_STEP)
